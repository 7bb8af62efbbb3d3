package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.image.DataFileBuilder;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Makes images of a bound with an implementation, sends requests to them and looks at what comes of it. */
final class Rig {

    private static final String IMAGE = "disk.qcow2";
    private static final String BACKING = "backing1";

    private final ReplayGraph graph;
    private final ModelImage image;
    private final DiskDriver driver;

    Rig(ReplayGraph graph, DiskDriver driver) {
        this.graph = graph;
        this.image = graph.image();
        this.driver = driver;
    }

    /**
     * What came of a request.
     *
     * @param key the state that was found, or empty
     * @param fault what is wrong whatever was expected, or empty
     */
    record Result(String key, String fault) {}

    /** An empty image, and what belongs to it, on a host that may refuse to zero and to punch holes. */
    MemoryHostDirectory create(boolean efficientZeroing) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory(efficientZeroing);
        List<Layer> layers = image.layers();
        Optional<Backing> backing = Optional.empty();
        if (layers.size() > 1) {
            directory.put(BACKING, DataFileBuilder.buildRaw(layers.get(1)));
            backing = Optional.of(new Backing(BACKING, Optional.of(BackingFormat.RAW)));
        }
        Layer top = layers.get(0);
        driver.create(
                directory,
                IMAGE,
                new CreateOptions(
                        top.size(), top.version(), top.clusterBits(), top.refcountOrder(), backing, top.features()));
        return directory;
    }

    VirtualDisk open(MemoryHostDirectory directory) throws DiskException {
        return driver.open(directory, IMAGE, OpenOptions.readWrite().followingBacking());
    }

    /**
     * Sends a request to an image that is opened for it, and closed before it is looked at.
     *
     * @throws UnsupportedFeatureException if the implementation refuses by name what is needed
     */
    Result send(MemoryHostDirectory directory, ModelRequest request) throws UnsupportedFeatureException {
        try {
            byte[] guest;
            try (VirtualDisk disk = open(directory)) {
                request.perform(disk, image);
                guest = guest(disk);
            }
            return look(directory, guest);
        } catch (UnsupportedFeatureException e) {
            throw e;
        } catch (DiskException | RuntimeException | Error e) {
            return new Result("", describe(e));
        }
    }

    /**
     * Sends a request to an open disk, and looks at its image after a flush.
     *
     * @throws UnsupportedFeatureException if the implementation refuses by name what is needed
     */
    Result send(VirtualDisk disk, MemoryHostDirectory directory, ModelRequest request)
            throws UnsupportedFeatureException {
        try {
            request.perform(disk, image);
            byte[] guest = guest(disk);
            disk.flush();
            return look(directory, guest);
        } catch (UnsupportedFeatureException e) {
            throw e;
        } catch (DiskException | RuntimeException | Error e) {
            return new Result("", describe(e));
        }
    }

    /**
     * Sends a request to an open disk, and reads the disk; its image is not looked at, for it may lag behind.
     *
     * @return the bytes as the observation of an image names them
     */
    Result sendUnflushed(VirtualDisk disk, ModelRequest request) throws UnsupportedFeatureException {
        try {
            request.perform(disk, image);
            return new Result(ImageObserver.shown(image, guest(disk)).toString(), "");
        } catch (UnsupportedFeatureException e) {
            throw e;
        } catch (DiskException | RuntimeException | Error e) {
            return new Result("", describe(e));
        }
    }

    /** Looks at an image to which nothing was done yet. */
    Result untouched(MemoryHostDirectory directory) throws DiskException {
        try (VirtualDisk disk = open(directory)) {
            return look(directory, guest(disk));
        }
    }

    /** Reads the disk block by block, so that some reads lie wholly behind the end of a backing file. */
    private byte[] guest(VirtualDisk disk) throws DiskException {
        byte[] guest = new byte[Math.toIntExact(disk.size())];
        // Stale memory would look like the right zeros.
        Arrays.fill(guest, (byte) 0xAA);
        for (int at = 0; at < guest.length; at += image.blockBytes()) {
            disk.read(at, ByteBuffer.wrap(guest, at, Math.min(image.blockBytes(), guest.length - at)));
        }
        return guest;
    }

    private Result look(MemoryHostDirectory directory, byte[] guest) throws DiskException {
        try (HostFile file = directory.open(IMAGE, Access.READ_ONLY)) {
            ImageObserver.Sight sight = ImageObserver.look(image, file, guest);
            return new Result(sight.observation().key(), String.join("; ", sight.faults()));
        }
    }

    private static String describe(Throwable e) {
        StackTraceElement[] trace = e.getStackTrace();
        return e + (trace.length == 0 || e instanceof DiskException ? "" : " at " + trace[0]);
    }

    /** A failure with all that a person needs. */
    ReplayFailure failure(List<ModelRequest> path, int before, List<Integer> expected, Result found) {
        List<Operation> operations = new ArrayList<>();
        path.forEach(request -> operations.add(request.operation(image)));
        String reason = found.fault().isEmpty() ? "the state is none of those that the model permits" : found.fault();
        return new ReplayFailure(
                graph.bound().name(),
                driver.name(),
                path,
                graph.key(before),
                expected.stream().map(graph::key).toList(),
                found.key(),
                reason,
                image.script().withOperations(operations));
    }
}
