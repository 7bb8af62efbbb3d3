package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Resize and preallocation: an array that is cut and padded with zeros would read the same. */
class ResizeTest {

    private static final ReferenceDriver DRIVER = new ReferenceDriver();

    private static VirtualDisk open(HostDirectory directory) throws DiskException {
        return DRIVER.open(directory, "image", OpenOptions.readWrite().followingBacking());
    }

    /** An image over a raw file of 60,000 bytes, if it is to have one; returns what the disk reads. */
    private static byte[] make(HostDirectory directory, CreateOptions options, boolean backed) throws DiskException {
        byte[] bytes = new byte[(int) options.size()];
        if (!backed) {
            DRIVER.create(directory, "image", options);
            return bytes;
        }
        byte[] raw = new byte[60_000];
        Arrays.fill(raw, (byte) 7);
        try (HostFile file = directory.create("base")) {
            file.write(0, ByteBuffer.wrap(raw));
        }
        DRIVER.create(directory, "image", options.withBacking("base", Optional.of(BackingFormat.RAW)));
        System.arraycopy(raw, 0, bytes, 0, Math.min(raw.length, bytes.length));
        return bytes;
    }

    private static byte[] read(VirtualDisk disk) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate((int) disk.size());
        disk.read(0, bytes);
        return bytes.array();
    }

    private static int write(VirtualDisk disk, byte[] model, Random random) throws DiskException {
        if (model.length == 0) {
            return 0;
        }
        int offset = random.nextInt(model.length);
        byte[] payload = new byte[random.nextInt(Math.min(9000, model.length - offset) + 1)];
        random.nextBytes(payload);
        disk.write(offset, ByteBuffer.wrap(payload));
        System.arraycopy(payload, 0, model, offset, payload.length);
        return offset;
    }

    @ParameterizedTest
    @CsvSource({
        "3, 9, 4, false, false",
        "3, 9, 4, true, false",
        "2, 9, 4, true, false",
        "2, 12, 4, false, false",
        "3, 10, 6, true, false",
        "3, 14, 4, true, true",
        "3, 14, 4, false, true"
    })
    @DisplayName(
            "QC-MNT-01 QC-MNT-02 QC-MNT-05 QC-MNT-30 QC-HDR-07 a disk that grows and shrinks reads as an array that is cut and padded")
    void sameAsArray(int version, int clusterBits, int order, boolean backed, boolean extended) throws DiskException {
        FormatFeatures features = extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN;
        CreateOptions options = new CreateOptions(40_000, version, clusterBits, order, Optional.empty(), features);
        for (int seed = 0; seed < 6; seed++) {
            MemoryHostDirectory directory = new MemoryHostDirectory();
            byte[] model = make(directory, options, backed);
            Random random = new Random(seed);
            try (VirtualDisk disk = open(directory)) {
                for (int i = 0; i < 25; i++) {
                    write(disk, model, random);
                    if (version == 3 && i % 8 == 5) {
                        disk.createSnapshot("kept");
                    }
                    int size = random.nextInt(10) == 0 ? 0 : random.nextInt(150_000);
                    disk.resize(size, Preallocation.OFF);
                    model = Arrays.copyOf(model, size);
                    assertThat(disk.size()).isEqualTo(size);
                    assertThat(Arrays.mismatch(read(disk), model))
                            .as("seed %d, step %d", seed, i)
                            .isEqualTo(-1);
                    assertThat(RepairTest.audit(directory).clean())
                            .as(RepairTest.audit(directory).toText())
                            .isTrue();
                }
                disk.snapshots().forEach(s -> assertThat(s.diskSize()).isLessThan(150_000));
            }
            try (VirtualDisk disk = open(directory)) {
                assertThat(Arrays.mismatch(read(disk), model)).isEqualTo(-1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"40000, 90000, true", "90000, 20000, true", "90000, 0, false", "100, 70000, false"})
    @DisplayName("QC-MNT-27 QC-MNT-03 after a power cut the disk has its old size or its new one, and its bytes")
    void cutAnywhere(int from, int to, boolean backed) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        byte[] model = make(directory, CreateOptions.ofSize(from).withClusterBits(9), backed);
        try (VirtualDisk disk = open(directory)) {
            write(disk, model, new Random(1));
            disk.createSnapshot("one");
            write(disk, model, new Random(2));
        }
        int changes = PowerCuts.forEach(directory, d -> resize(d, to), (after, when) -> {
            try (VirtualDisk disk = open(after)) {
                assertThat(disk.size()).as(when).isIn((long) from, (long) to);
                byte[] seen = read(disk);
                assertThat(Arrays.mismatch(seen, Arrays.copyOf(model, seen.length)))
                        .as(when)
                        .isEqualTo(-1);
                disk.resize(from + to, Preallocation.OFF);
                byte[] more = read(disk);
                assertThat(Arrays.mismatch(more, Arrays.copyOf(seen, more.length)))
                        .as(when)
                        .isEqualTo(-1);
            }
            assertThat(RepairTest.audit(after).sound()).as(when).isTrue();
        });
        assertThat(changes).isGreaterThan(5);
    }

    private static void resize(HostDirectory directory, long size) throws DiskException {
        try (VirtualDisk disk = open(directory)) {
            disk.resize(size, Preallocation.OFF);
        }
    }

    @Test
    @DisplayName("QC-MNT-03 QC-MNT-04 QC-LIM-02 what can't be resized is refused, and stays as it was")
    void refusals() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        make(directory, CreateOptions.ofSize(40_000).withVersion(2).withClusterBits(9), false);
        try (VirtualDisk disk = open(directory)) {
            byte[] before = directory.content("image").toByteArray();
            assertThatThrownBy(() -> disk.resize(Long.MAX_VALUE, Preallocation.OFF))
                    .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                            .isEqualTo(LimitClause.QC_LIM_02));
            assertThatThrownBy(() -> disk.resize(10, Preallocation.FULL)).isInstanceOf(RequestRefusedException.class);
            assertThat(directory.content("image").toByteArray()).isEqualTo(before);
            disk.createSnapshot("one");
            assertThatThrownBy(() -> disk.resize(10, Preallocation.OFF))
                    .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                            .isEqualTo(MaintenanceClause.QC_MNT_04));
        }
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readOnly())) {
            assertThatThrownBy(() -> disk.resize(10, Preallocation.OFF)).isInstanceOf(ReadOnlyException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Preallocation.class,
            names = {"METADATA", "FALLOC", "FULL"})
    @DisplayName("QC-MNT-06 QC-MNT-07 preallocated clusters are there and read as zero, also in what QEMU reads")
    void preallocates(Preallocation how, @TempDir Path path) throws Exception {
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        for (FormatFeatures features :
                new FormatFeatures[] {FormatFeatures.PLAIN, FormatFeatures.PLAIN.withExtendedL2()}) {
            CreateOptions options =
                    CreateOptions.ofSize(300_032).withClusterBits(14).withFeatures(features.withPreallocation(how));
            DRIVER.create(directory, "image", options);
            try (VirtualDisk disk = open(directory)) {
                assertThat(read(disk)).containsOnly(0);
                assertThat(disk.status(0, disk.size()))
                        .allMatch(s -> s.allocated() && s.content() == BlockStatus.Content.DATA);
                disk.write(100, ByteBuffer.wrap(new byte[] {1, 2, 3}));
                disk.resize(500_224, how);
                assertThat(disk.status(0, disk.size())).allMatch(BlockStatus::allocated);
                disk.write(400_000, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            }
            assertThat(RepairTest.audit(directory).clean())
                    .as(RepairTest.audit(directory).toText())
                    .isTrue();
            Qemu.assumeInstalled();
            Qemu.check(path, "image");
            byte[] expected = new byte[500_224];
            for (int i = 0; i < 3; i++) {
                expected[100 + i] = (byte) (i + 1);
                expected[400_000 + i] = (byte) (i + 1);
            }
            assertThat(Arrays.mismatch(Qemu.read(path, "image"), expected)).isEqualTo(-1);
        }
        CreateOptions backed = CreateOptions.ofSize(1)
                .withBacking("base", Optional.empty())
                .withFeatures(FormatFeatures.PLAIN.withPreallocation(how));
        assertThatThrownBy(() -> DRIVER.create(directory, "overlay", backed))
                .isInstanceOf(RequestRefusedException.class);
    }

    @Test
    @DisplayName("QC-MNT-01 QC-MNT-02 QEMU and we resize the same image in turn")
    void withQemu(@TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        byte[] model = make(directory, CreateOptions.ofSize(40_960).withClusterBits(9), true);
        Random random = new Random(5);
        for (int i = 0; i < 8; i++) {
            int size = random.nextInt(200) * 512;
            try (VirtualDisk disk = open(directory)) {
                write(disk, model, random);
                disk.resize(size, Preallocation.OFF);
            }
            model = Arrays.copyOf(model, size);
            Qemu.check(path, "image");
            assertThat(Arrays.mismatch(Qemu.read(path, "image"), model)).isEqualTo(-1);
            int theirs = random.nextInt(200) * 512;
            Qemu.run(path, "qemu-img", "resize", "-f", "qcow2", "--shrink", "image", Integer.toString(theirs));
            model = Arrays.copyOf(model, theirs);
            try (VirtualDisk disk = open(directory)) {
                assertThat(Arrays.mismatch(read(disk), model)).isEqualTo(-1);
            }
        }
    }
}
