package dev.qcow2.conformance.mutant;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntSupplier;

/**
 * Something that is done to images, with a memory of what the guest may find after a cut: for each guest cluster the
 * value at the last flush, and what was written since. A cluster has one value in all of its bytes.
 */
abstract class StructureScene {

    static final String IMAGE = "image";
    static final String BASE = "base";
    static final String DATA = "data";
    static final int SMALL_CLUSTER = 512;

    static final DiskDriver READER = new OptimizedDriver();
    static final DiskDriver MAKER = new ReferenceDriver();

    /** From this event on a cluster may have a value. */
    private record Written(int event, int value) {}

    /** Up to this event so many entries of a cluster's history are over. */
    private record Flushed(int event, TreeMap<Integer, Integer> over) {}

    private final TreeMap<Integer, List<Written>> history = new TreeMap<>();
    private final List<Flushed> flushes = new ArrayList<>();
    private IntSupplier clock = () -> 0;
    private int next = 1;

    /** Makes the images, with a right implementation. */
    abstract void prepare(HostDirectory directory) throws DiskException;

    /** Sends requests to an implementation. */
    abstract void play(DiskDriver driver, HostDirectory directory) throws DiskException;

    /** What is wrong with the images that a cut left, beside the guest's bytes. */
    List<String> inspect(MemoryHostDirectory after) throws DiskException {
        return List.of();
    }

    /** What is wrong when all was done and nothing cut. */
    List<String> conclude(MemoryHostDirectory after) throws DiskException {
        return List.of();
    }

    /** Whether a cut after an event is worth a look, given that the event changes the header or flushes. */
    int patience() {
        return 1;
    }

    OpenOptions access() {
        return OpenOptions.readWrite().followingBacking().followingDataFile();
    }

    final void clock(IntSupplier events) {
        clock = events;
    }

    // What the guest does, and remembers.

    private void remember(int cluster, int value) {
        history.computeIfAbsent(cluster, c -> new ArrayList<>(List.of(new Written(-1, 0))))
                .add(new Written(clock.getAsInt(), value));
    }

    /** The cluster holds a value before anything is played. */
    final void holds(int cluster, int value) {
        history.put(cluster, new ArrayList<>(List.of(new Written(-1, value))));
    }

    static ByteBuffer filled(int value, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return ByteBuffer.wrap(bytes);
    }

    final int write(VirtualDisk disk, int cluster) throws DiskException {
        int value = 1 + next++ % 250;
        remember(cluster, value);
        disk.write((long) cluster * SMALL_CLUSTER, filled(value, SMALL_CLUSTER));
        return value;
    }

    final void zero(VirtualDisk disk, int cluster) throws DiskException {
        remember(cluster, 0);
        disk.writeZeroes((long) cluster * SMALL_CLUSTER, SMALL_CLUSTER, ZeroMode.MAY_UNMAP);
    }

    /** The clusters from one on read as zero, for a smaller disk grew again. */
    final void dropped(int first) {
        touched().stream().filter(cluster -> cluster >= first).forEach(cluster -> remember(cluster, 0));
    }

    /** A snapshot is loaded that was taken before anything was played. */
    final void restored() {
        touched().forEach(cluster -> remember(cluster, first(cluster)));
    }

    /** What a cluster held before anything was played. */
    final int first(int cluster) {
        return history.getOrDefault(cluster, List.of(new Written(-1, 0))).get(0).value();
    }

    /** The clusters that hold something at some time. */
    final List<Integer> touched() {
        return List.copyOf(history.keySet());
    }

    /** The guest was told that all is on the disk. */
    final void flushed() {
        TreeMap<Integer, Integer> over = new TreeMap<>();
        history.forEach((cluster, written) -> over.put(cluster, written.size() - 1));
        flushes.add(new Flushed(clock.getAsInt(), over));
    }

    final void flush(VirtualDisk disk) throws DiskException {
        disk.flush();
        flushed();
    }

    final void close(VirtualDisk disk) throws DiskException {
        disk.close();
        flushed();
    }

    private Set<Integer> allowed(int cluster, int cut) {
        List<Written> written = history.getOrDefault(cluster, List.of(new Written(-1, 0)));
        int over = 0;
        for (Flushed flush : flushes) {
            if (flush.event() <= cut) {
                over = flush.over().getOrDefault(cluster, 0);
            }
        }
        TreeSet<Integer> values = new TreeSet<>(List.of(written.get(over).value()));
        for (Written one : written.subList(over + 1, written.size())) {
            if (one.event() <= cut) {
                values.add(one.value());
            }
        }
        return values;
    }

    /** Compares what the guest finds after a cut with what it may find. */
    final Optional<String> compare(MemoryHostDirectory after, int cut) {
        try (VirtualDisk disk = READER.open(after, IMAGE, access().withAccess(OpenOptions.Access.READ_ONLY))) {
            for (int cluster : touched()) {
                if (cluster >= disk.size() / SMALL_CLUSTER) {
                    continue;
                }
                byte[] bytes = bytes(disk, cluster);
                Set<Integer> allowed = allowed(cluster, cut);
                for (byte found : bytes) {
                    if (!allowed.contains(found & 0xff)) {
                        return Optional.of("guest cluster " + cluster + " holds " + (found & 0xff)
                                + ", which is none of " + allowed);
                    }
                }
            }
            return Optional.empty();
        } catch (DiskException e) {
            return Optional.of(e.toString());
        }
    }

    static byte[] bytes(VirtualDisk disk, int cluster) throws DiskException {
        byte[] bytes = new byte[SMALL_CLUSTER];
        disk.read((long) cluster * SMALL_CLUSTER, ByteBuffer.wrap(bytes));
        return bytes;
    }
}
