package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.ImageFacts;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What is looked up once before a campaign, and cleaned up after it. */
final class Surroundings implements AutoCloseable {

    private final Optional<QemuTools> qemu;
    private final Path scratch;
    private final Optional<ImageGround> image;
    private final boolean snapshots;
    private final List<String> notes;

    private Surroundings(
            Optional<QemuTools> qemu,
            Path scratch,
            Optional<ImageGround> image,
            boolean snapshots,
            List<String> notes) {
        this.qemu = qemu;
        this.scratch = scratch;
        this.image = image;
        this.snapshots = snapshots;
        this.notes = notes;
    }

    static Surroundings prepare(List<DiskDriver> drivers, Optional<QemuTools> qemu, Optional<Path> imagePath)
            throws IOException {
        List<String> notes = new ArrayList<>();
        if (qemu.isEmpty()) {
            notes.add("QEMU took no part: qemu-img and qemu-io are not installed, or it was not wanted");
        }
        boolean snapshots = true;
        for (DiskDriver driver : drivers) {
            if (!canSnapshot(driver)) {
                snapshots = false;
                notes.add("snapshots were not taken: " + driver.name() + " does not support it");
            }
        }
        Path scratch = Files.createTempDirectory("qcow2-conform");
        try {
            Optional<ImageGround> ground = Optional.empty();
            if (imagePath.isPresent()) {
                ground = Optional.of(ImageGround.of(imagePath.get(), drivers.get(0), qemu, scratch));
                notes.add(ground.get().origin());
            }
            return new Surroundings(qemu, scratch, ground, snapshots, List.copyOf(notes));
        } catch (IOException | RuntimeException e) {
            delete(scratch);
            throw e;
        }
    }

    private static boolean canSnapshot(DiskDriver driver) {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        try {
            driver.create(directory, "probe", CreateOptions.ofSize(1 << 20));
            try (VirtualDisk disk = driver.open(directory, "probe", OpenOptions.readWrite())) {
                disk.createSnapshot("probe");
                return true;
            }
        } catch (UnsupportedFeatureException | UnsupportedOperationException e) {
            return false;
        } catch (DiskException | RuntimeException e) {
            // Any other failure is for the campaign to find.
            return true;
        }
    }

    Optional<QemuTools> qemu() {
        return qemu;
    }

    Optional<ImageFacts> facts() {
        return image.map(ImageGround::facts);
    }

    boolean snapshots() {
        return snapshots;
    }

    List<String> notes() {
        return notes;
    }

    /** What can be reached from here; where a backing file of an existing image ends is not looked at. */
    Coverage coverage() {
        return image.map(ground -> new Coverage(transition -> transition.version() == ground.version()
                        && transition.below() != Transition.Below.SHORT
                        && transition.below()
                                == Transition.Below.NOTHING
                                == ground.below().isEmpty()))
                .orElseGet(Coverage::new);
    }

    Panel panel(Coverage coverage) {
        return new Panel(AuditJudge.INSTANCE, qemu, scratch, image.map(ground -> (Ground) ground), coverage);
    }

    @Override
    public void close() throws IOException {
        if (image.isPresent()) {
            image.get().close();
        }
        delete(scratch);
    }

    private static void delete(Path directory) throws IOException {
        List<Path> paths;
        try (Stream<Path> listing = Files.walk(directory)) {
            paths = listing.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.deleteIfExists(path);
        }
    }
}
