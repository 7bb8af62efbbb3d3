package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Machine state behind the disk's end, and snapshots of disks of other lengths. */
class VmStateTest {

    private static final int AREA = 200_000;

    @TempDir
    private Path path = Path.of("");

    /** What a snapshot must bring back. */
    private static final class Kept {

        private final String id;
        private final byte[] disk;
        private final byte[] state;

        Kept(String id, byte[] disk, byte[] state) {
            this.id = id;
            this.disk = disk;
            this.state = state;
        }

        String id() {
            return id;
        }

        byte[] disk() {
            return disk;
        }

        byte[] state() {
            return state;
        }
    }

    private static byte[] readState(VirtualDisk disk) throws DiskException {
        byte[] bytes = Images.filled(AREA, 0xaa);
        disk.readVmState(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    @Property(tries = 120, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-SNAP-11, QC-SNAP-12, QC-SNAP-17, QC-SNAP-22, QC-L1-07: state and length come and go with snapshots")
    void comesAndGoes(@ForAll long seed, @ForAll @IntRange(max = 2047) int switches, @ForAll boolean extended)
            throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        // A backing file that is longer must not show through in the area.
        directory.create("base").write(0, ByteBuffer.wrap(Images.filled(1 << 20, 7)));
        int clusterBits = extended ? 14 : random.nextBoolean() ? 9 : 12;
        byte[] model = Images.filled(random.nextInt(1, 60_000), 7);
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(model.length)
                        .withClusterBits(clusterBits)
                        .withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW))
                        .withFeatures(extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN));
        byte[] state = new byte[AREA];
        List<Kept> kept = new ArrayList<>();
        VirtualDisk disk = driver.open(directory, "disk", Images.WRITE);
        for (int i = 0; i < 30; i++) {
            switch (random.nextInt(7)) {
                case 0, 1 -> {
                    int at = random.nextInt(AREA);
                    byte[] bytes = Images.filled(Math.min(AREA - at, random.nextInt(40_000)), i + 1);
                    disk.writeVmState(at, ByteBuffer.wrap(bytes));
                    System.arraycopy(bytes, 0, state, at, bytes.length);
                }
                case 2 -> {
                    SnapshotInfo info = disk.createSnapshot("s" + i, random.nextInt(AREA));
                    kept.add(new Kept(info.id(), model.clone(), state));
                    state = new byte[AREA];
                }
                case 3 -> {
                    if (!kept.isEmpty()) {
                        Kept back = kept.get(random.nextInt(kept.size()));
                        disk.applySnapshot(back.id());
                        model = back.disk().clone();
                        state = back.state().clone();
                    }
                }
                case 4 -> {
                    model = Arrays.copyOf(model, random.nextInt(1, 60_000));
                    disk.resize(model.length, Preallocation.OFF);
                    state = new byte[AREA];
                }
                case 5 -> {
                    if (kept.size() > 2) {
                        disk.deleteSnapshot(kept.remove(0).id());
                    }
                }
                default -> Images.change(disk, model, 1 << clusterBits, i, Action.Kind.WRITE, Action.Kind.DISCARD);
            }
            assertThat(disk.size()).isEqualTo(model.length);
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
            assertThat(Arrays.mismatch(readState(disk), state)).isEqualTo(-1);
        }
        disk.close();
        assertThat(Images.audit(directory, "disk").sound()).isTrue();
    }

    @Test
    @DisplayName("QC-SNAP-09, QC-SNAP-14, QC-SNAP-18: a state of more than 4 GiB is told in full; the area has an end")
    void sizes() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", CreateOptions.ofSize(1000));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeVmState(5L << 30, ByteBuffer.wrap(Images.filled(3000, 9)));
            disk.createSnapshot("large", (5L << 30) + 3000);
            assertThatThrownBy(() -> disk.writeVmState(1L << 61, ByteBuffer.allocate(1)))
                    .isInstanceOf(OutOfBoundsException.class);
            assertThatThrownBy(() -> disk.readVmState(-1, ByteBuffer.allocate(1)))
                    .isInstanceOf(OutOfBoundsException.class);
            assertThatThrownBy(() -> disk.createSnapshot("x", Long.MAX_VALUE)).isInstanceOf(OutOfBoundsException.class);
        }
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.snapshots().get(0).vmStateSize()).isEqualTo((5L << 30) + 3000);
            disk.applySnapshot("1");
            byte[] read = new byte[3000];
            disk.readVmState(5L << 30, ByteBuffer.wrap(read));
            assertThat(read).isEqualTo(Images.filled(3000, 9));
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 16", "3, 9", "3, 16"})
    @DisplayName(
            "QC-SNAP-11, QC-SNAP-12: QEMU lists the state's size, finds the image clean, and loads the snapshot's length")
    void qemuAgrees(int version, int clusterBits) throws Exception {
        Qemu.assumeInstalled();
        Qemu qemu = new Qemu(path);
        HostDirectory directory = qemu.directory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(1 << 20).withVersion(version).withClusterBits(clusterBits));
        byte[] model = Images.filled(1 << 20, 3);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(0, ByteBuffer.wrap(model));
            disk.writeVmState(0, ByteBuffer.wrap(Images.filled(3 << 20, 5)));
            disk.createSnapshot("state", 3 << 20);
        }
        assertThat(qemu.run("qemu-img", "snapshot", "-l", "disk")).contains("3 MiB");
        qemu.assertSame("disk", model);
        if (version == 3) {
            try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
                disk.resize(2 << 20, Preallocation.OFF);
            }
            qemu.run("qemu-img", "check", "disk");
            qemu.run("qemu-img", "snapshot", "-a", "state", "disk");
        }
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.size()).isEqualTo(1 << 20);
            disk.applySnapshot(disk.snapshots().get(0).id());
            byte[] state = new byte[3 << 20];
            disk.readVmState(0, ByteBuffer.wrap(state));
            assertThat(Arrays.mismatch(state, Images.filled(3 << 20, 5))).isEqualTo(-1);
        }
    }
}
