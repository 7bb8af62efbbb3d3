package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.reference.DamagedImage.Damage;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Repair: what is broken becomes right, in the judgement of the auditor and of QEMU, and the guest keeps its bytes. */
class RepairTest {

    private static final int SIZE = 100_352;
    private static final ReferenceDriver DRIVER = new ReferenceDriver();

    /** An image in which every kind of entry occurs. */
    static byte[] sound(int version, int clusterBits) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", new CreateOptions(SIZE, version, clusterBits, 4, Optional.empty()));
        Random random = new Random(clusterBits);
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readWrite())) {
            fill(disk, random, 0, 30_000);
            disk.createSnapshot("one");
            fill(disk, random, 10_000, 30_000);
            disk.writeZeroes(20_480, 4096, ZeroMode.KEEP_ALLOCATION);
            disk.discard(8192, 4096);
            disk.createSnapshot("two");
            fill(disk, random, 60_000, 20_000);
        }
        return directory.content("image").toByteArray();
    }

    private static void fill(VirtualDisk disk, Random random, int offset, int length) throws DiskException {
        byte[] payload = new byte[length];
        random.nextBytes(payload);
        disk.write(offset, ByteBuffer.wrap(payload));
    }

    static MemoryHostDirectory directoryWith(byte[] image) {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        directory.put("image", MemoryFileContent.of(image));
        return directory;
    }

    static byte[] guestBytes(HostDirectory directory) throws DiskException {
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readOnly())) {
            ByteBuffer bytes = ByteBuffer.allocate((int) disk.size());
            disk.read(0, bytes);
            return bytes.array();
        }
    }

    static AuditReport audit(HostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("image", OpenOptions.Access.READ_ONLY)) {
            return new Auditor().audit(file);
        }
    }

    static RepairReport repair(HostDirectory directory, RepairMode mode) throws DiskException {
        return DRIVER.repair(directory, "image", mode, OpenOptions.readWrite());
    }

    private static void requireKept(byte[] before, byte[] after, DamagedImage damaged, int clusterSize) {
        assertThat(after).hasSameSizeAs(before);
        for (int i = 0; i < before.length; i++) {
            if (after[i] != before[i]) {
                assertThat(damaged.lost().get(i / clusterSize))
                        .as("byte %d changed, and its entry was not damaged", i)
                        .isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    @DisplayName(
            "QC-MNT-11 QC-MNT-13 QC-MNT-14 QC-REF-03 QC-REF-10 QC-L1-01 QC-L1-02 QC-L2-04 QC-L2-05 QC-L2-14 QC-REF-16 the auditor finds a repaired image clean, and what was not damaged reads as before")
    void repairs(Damage damage) throws DiskException {
        for (int seed = 0; seed < 12; seed++) {
            int clusterBits = seed % 2 == 0 ? 9 : 12;
            Random random = new Random(seed);
            byte[] image = sound(3, clusterBits);
            byte[] before = guestBytes(directoryWith(image));
            DamagedImage damaged = new DamagedImage(image, random);
            damaged.spoil(damage);
            if (seed > 5) {
                damaged.spoil(List.of(Damage.values()).get(random.nextInt(Damage.values().length)));
            }
            MemoryHostDirectory directory = directoryWith(damaged.bytes());
            RepairReport report = repair(directory, RepairMode.ALL);
            AuditReport verdict = audit(directory);
            assertThat(verdict.clean())
                    .as("seed %d: %s%n%s", seed, report, verdict.toText())
                    .isTrue();
            assertThat(report.clean()).as("seed %d: %s", seed, report).isTrue();
            requireKept(before, guestBytes(directory), damaged, 1 << clusterBits);
            assertThat(repair(directory, RepairMode.ALL)).isEqualTo(new RepairReport(0, 0, 0, 0));
        }
    }

    @Test
    @DisplayName("QC-L2-04 an entry whose low bits were spoilt finds its cluster again")
    void misalignedEntriesAreSaved() throws DiskException {
        for (Damage damage : List.of(Damage.ENTRY_MISALIGNED, Damage.L1_MISALIGNED)) {
            // Where a snapshot names the same cluster the stored count can't tell who else did.
            byte[] alone = soundWithoutSnapshots();
            byte[] before = guestBytes(directoryWith(alone));
            DamagedImage damaged = new DamagedImage(alone, new Random(3));
            damaged.spoil(damage);
            MemoryHostDirectory directory = directoryWith(damaged.bytes());
            assertThat(repair(directory, RepairMode.ALL).corruptionsFixed()).isEqualTo(1);
            assertThat(Arrays.mismatch(guestBytes(directory), before)).isEqualTo(-1);
        }
    }

    private static byte[] soundWithoutSnapshots() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(SIZE).withClusterBits(12));
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readWrite())) {
            fill(disk, new Random(1), 0, SIZE);
        }
        return directory.content("image").toByteArray();
    }

    @Test
    @DisplayName(
            "QC-REF-03 QC-MNT-12 the repair of leaks lowers counts, and touches nothing else where an entry is broken")
    void leaksOnly() throws DiskException {
        DamagedImage damaged = new DamagedImage(sound(3, 9), new Random(2));
        damaged.spoil(Damage.COUNT_RAISED);
        damaged.spoil(Damage.FREE_CLUSTER_COUNTED);
        MemoryHostDirectory directory = directoryWith(damaged.bytes());
        RepairReport report = repair(directory, RepairMode.LEAKS);
        assertThat(report).isEqualTo(new RepairReport(0, 2, 0, 0));
        assertThat(audit(directory).clean()).isTrue();
        damaged.spoil(Damage.COPIED_TOGGLED);
        damaged.spoil(Damage.ENTRY_OUTSIDE);
        directory = directoryWith(damaged.bytes());
        report = repair(directory, RepairMode.LEAKS);
        assertThat(report.corruptions()).isPositive();
        assertThat(report.corruptionsFixed()).isZero();
    }

    @ParameterizedTest
    @EnumSource(
            value = Damage.class,
            names = {"COUNT_LOWERED", "ENTRY_MISALIGNED", "ENTRY_GARBAGE", "L1_OUTSIDE", "BLOCK_GARBAGE", "BLOCK_ON_L1"
            })
    @DisplayName(
            "QC-MNT-27 QC-HDR-16 QC-HDR-17 a power cut anywhere in a repair leaves an image that another repair finishes")
    void cutAnywhere(Damage damage) throws DiskException {
        DamagedImage damaged = new DamagedImage(sound(3, 9), new Random(1));
        damaged.spoil(damage);
        damaged.spoil(Damage.COPIED_TOGGLED);
        mark(damaged.bytes(), 3);
        MemoryHostDirectory directory = directoryWith(damaged.bytes());
        MemoryHostDirectory repaired = directory.copy();
        repair(repaired, RepairMode.ALL);
        byte[] expected = guestBytes(repaired);
        int changes = PowerCuts.forEach(directory, d -> repair(d, RepairMode.ALL), (after, when) -> {
            if (after.content("image").toByteArray()[79] == 0) {
                assertThat(audit(after).clean()).as(when).isTrue();
            }
            assertThat(repair(after, RepairMode.ALL).clean()).as(when).isTrue();
            assertThat(audit(after).clean()).as(when).isTrue();
            requireKept(expected, guestBytes(after), damaged, 512);
        });
        assertThat(changes).isGreaterThan(4);
    }

    private static final Pattern FIXED = Pattern.compile("(\\d+) (leaked clusters|corruptions)\n");

    /** What qemu-img check -r says that it mended: leaks, corruptions. */
    private static long[] repairedByQemu(Path directory, String image, String mode) throws Exception {
        Process process = new ProcessBuilder("qemu-img", "check", "-f", "qcow2", "-r", mode, image)
                .directory(directory.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        process.waitFor();
        int start = output.indexOf("repaired:");
        int end = output.indexOf("Double checking");
        long[] counts = new long[2];
        if (start >= 0 && end > start) {
            Matcher matcher = FIXED.matcher(output.substring(start, end));
            while (matcher.find()) {
                counts[matcher.group(2).startsWith("leaked") ? 0 : 1] = Long.parseLong(matcher.group(1));
            }
        }
        return counts;
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    @DisplayName("QC-MNT-16 QC-REF-03 QC-L2-03 QEMU finds a repaired image clean, and counts what it mends as we do")
    void qemuAgrees(Damage damage, @TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        for (int seed = 0; seed < 4; seed++) {
            int clusterBits = seed % 2 == 0 ? 9 : 12;
            byte[] image = sound(3, clusterBits);
            byte[] before = guestBytes(directoryWith(image));
            DamagedImage damaged = new DamagedImage(image, new Random(seed));
            damaged.spoil(damage);
            Files.write(path.resolve("image"), damaged.bytes());
            Files.write(path.resolve("theirs"), damaged.bytes());
            RepairReport report = repair(directory, RepairMode.ALL);
            Qemu.check(path, "image");
            byte[] seen = Qemu.read(path, "image");
            requireKept(before, seen, damaged, 1 << clusterBits);
            if (EnumSet.range(Damage.COUNT_RAISED, Damage.L1_COPIED_TOGGLED).contains(damage)) {
                long[] theirs = repairedByQemu(path, "theirs", "all");
                assertThat(new long[] {report.leaksFixed(), report.corruptionsFixed()})
                        .as("seed %d: leaks and corruptions mended, as QEMU counts", seed)
                        .isEqualTo(theirs);
            }
        }
    }

    private static void mark(byte[] image, int bits) {
        image[79] |= (byte) bits;
    }

    @Test
    @DisplayName(
            "QC-HDR-16 QC-MNT-09 a dirty image is read as it stands, and repaired before the guest writes if the caller says so")
    void dirtyBit() throws DiskException {
        DamagedImage damaged = new DamagedImage(sound(3, 9), new Random(2));
        damaged.spoil(Damage.COUNT_LOWERED);
        damaged.spoil(Damage.FREE_CLUSTER_COUNTED);
        mark(damaged.bytes(), 1);
        MemoryHostDirectory directory = directoryWith(damaged.bytes());
        byte[] before = guestBytes(directory);
        assertThat(directory.content("image").toByteArray()).isEqualTo(damaged.bytes());
        assertThatThrownBy(() -> DRIVER.open(directory, "image", OpenOptions.readWrite()))
                .isInstanceOfSatisfying(UnsupportedFeatureException.class, e -> assertThat(e.clause())
                        .isEqualTo(HeaderClause.QC_HDR_16));
        try (VirtualDisk disk =
                DRIVER.open(directory, "image", OpenOptions.readWrite().repairingDirty())) {
            assertThat(disk.notices()).singleElement().asString().contains("repaired", "1 corruptions and 1 leaks");
            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            disk.read(0, bytes);
            assertThat(bytes.array()).isEqualTo(before);
            disk.write(0, ByteBuffer.wrap(new byte[5000]));
        }
        assertThat(audit(directory).clean()).isTrue();
        assertThat(directory.content("image").toByteArray()[79]).isZero();
    }

    @Test
    @DisplayName(
            "QC-HDR-17 QC-MNT-10 QC-MNT-15 an image that is found broken is marked, and nobody writes to it before it is repaired")
    void corruptBit() throws DiskException {
        DamagedImage damaged = new DamagedImage(soundWithoutSnapshots(), new Random(4));
        damaged.spoil(Damage.ENTRY_OUTSIDE);
        int lost = damaged.lost().nextSetBit(0);
        MemoryHostDirectory directory = directoryWith(damaged.bytes());
        ByteBuffer cluster = ByteBuffer.allocate(4096);
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readOnly())) {
            assertThatThrownBy(() -> disk.read(lost * 4096L, cluster)).isInstanceOf(CorruptImageException.class);
        }
        assertThat(directory.content("image").toByteArray()).isEqualTo(damaged.bytes());
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readWrite())) {
            assertThatThrownBy(() -> disk.read(lost * 4096L, cluster.clear()))
                    .isInstanceOf(CorruptImageException.class);
            long other = lost == 0 ? 4096 : 0;
            assertThatThrownBy(() -> disk.write(other, ByteBuffer.allocate(1)))
                    .isInstanceOfSatisfying(CorruptImageException.class, e -> assertThat(e.clause())
                            .isEqualTo(HeaderClause.QC_HDR_17));
            disk.read(other, cluster.clear());
        }
        mark(damaged.bytes(), 2);
        assertThat(directory.content("image").toByteArray()).isEqualTo(damaged.bytes());
        assertThatThrownBy(() ->
                        DRIVER.open(directory, "image", OpenOptions.readWrite().repairingDirty()))
                .isInstanceOf(UnsupportedFeatureException.class);
        DRIVER.open(directory, "image", OpenOptions.readOnly()).close();
        assertThat(repair(directory, RepairMode.LEAKS).clean()).isFalse();
        assertThat(directory.content("image").toByteArray()[79]).isEqualTo((byte) 2);
        assertThat(repair(directory, RepairMode.ALL).clean()).isTrue();
        assertThat(directory.content("image").toByteArray()[79]).isZero();
        DRIVER.open(directory, "image", OpenOptions.readWrite()).close();
    }

    @Test
    @DisplayName("QC-HDR-22 QC-HDR-21 the lazy-refcounts bit is kept, and nothing is postponed")
    void lazyRefcounts() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        CreateOptions options = CreateOptions.ofSize(SIZE).withFeatures(FormatFeatures.PLAIN.withLazyRefcounts());
        DRIVER.create(directory, "image", options);
        try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.wrap(new byte[70_000]));
            assertThat(audit(directory).clean()).isTrue();
            assertThat(directory.content("image").toByteArray()[79]).isZero();
        }
        assertThat(directory.content("image").toByteArray()[87]).isEqualTo((byte) 1);
    }
}
