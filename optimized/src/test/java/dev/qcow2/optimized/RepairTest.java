package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.optimized.DamagedImage.Damage;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Broken images are mended, and what was not broken stays as it was. */
class RepairTest {

    private final OptimizedDriver driver = new OptimizedDriver();

    private RepairReport repair(MemoryHostDirectory directory, RepairMode mode) throws DiskException {
        return driver.repair(directory, "disk", mode, OpenOptions.readWrite());
    }

    private static void assertSame(byte[] after, byte[] before, BitSet spoilt, int clusterSize) {
        for (int at = 0; at < before.length; at++) {
            if (!spoilt.get(at / clusterSize)) {
                assertThat(after[at]).as("byte %d", at).isEqualTo(before[at]);
            }
        }
    }

    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    @Label(
            "QC-MNT-11, QC-MNT-13 to 15, QC-HDR-16, QC-REF-03 to 05, QC-REF-10, QC-REF-16, QC-L1-01 to 03, QC-L2-03 to 05, QC-L2-14: everything is mended")
    void mendsEverything(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DamagedImage image = new DamagedImage(directory, random);
        byte[] before = image.bytes();
        for (int i = random.nextInt(1, 6); i > 0; i--) {
            image.damage(Damage.ALL.get(random.nextInt(Damage.ALL.size())));
        }
        RepairReport report = repair(directory, RepairMode.ALL);
        AuditReport audit = Images.audit(directory, "disk");
        assertThat(audit.clean()).as("%s%n%s", report, audit.toText()).isTrue();
        assertThat(report.clean()).isTrue();
        assertThat(repair(directory, RepairMode.ALL)).isEqualTo(new RepairReport(0, 0, 0, 0));
        assertSame(image.bytes(), before, image.spoilt(), image.clusterSize());
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(0, ByteBuffer.wrap(Images.filled(60_000, 9)));
            DamagedImage.share(disk, "after");
            for (SnapshotInfo snapshot : disk.snapshots()) {
                disk.deleteSnapshot(snapshot.id());
            }
        }
        Images.assertClean(directory, "disk");
    }

    @Property(tries = 60, edgeCases = EdgeCasesMode.NONE)
    @Label(
            "QC-MNT-12, QC-REF-03: leaks are given back, and flags follow if no count is too low; nothing else is touched")
    void leaksOnly(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DamagedImage image = new DamagedImage(directory, random);
        byte[] before = image.bytes();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            image.damage(Damage.COMMON.get(random.nextInt(3)));
        }
        AuditReport found = Images.audit(directory, "disk");
        RepairReport report = repair(directory, RepairMode.LEAKS);
        AuditReport left = Images.audit(directory, "disk");
        assertThat(report.corruptionsFixed() == 0 || left.corruptions() == 0).isTrue();
        assertThat(report.leaks()).isEqualTo(left.leaks()).isZero();
        assertThat(report.leaksFixed()).isEqualTo(found.leaks());
        assertThat(report.corruptions() == 0).isEqualTo(left.corruptions() == 0);
        assertSame(image.bytes(), before, image.spoilt(), image.clusterSize());
    }

    @Property(tries = 15, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-MNT-14, QC-MNT-27, QC-HDR-16, QC-REF-12: a repair that a power cut ends is finished by the next one")
    void cutAnywhere(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DamagedImage image = new DamagedImage(directory, random);
        byte[] before = image.bytes();
        for (int i = 0; i < 4; i++) {
            image.damage(Damage.ALL.get(random.nextInt(Damage.ALL.size())));
        }
        MemoryHostDirectory damaged = directory.copy();
        List<HostEvent> events = recorded(directory);
        for (int cut = 0; cut <= events.size(); cut++) {
            MemoryHostDirectory after = damaged.copy();
            try (HostFile file = after.open("disk", Access.READ_WRITE)) {
                replay(events, cut, random, file);
            }
            RepairReport report = repair(after, RepairMode.ALL);
            AuditReport audit = Images.audit(after, "disk");
            assertThat(audit.clean())
                    .as("cut at %d: %s%n%s", cut, report, audit.toText())
                    .isTrue();
            try (VirtualDisk disk = driver.open(after, "disk", OpenOptions.readOnly())) {
                assertSame(Images.readAll(disk), before, image.spoilt(), image.clusterSize());
            }
        }
    }

    private List<HostEvent> recorded(MemoryHostDirectory directory) throws DiskException {
        List<RecordingHostFile> files = new ArrayList<>();
        driver.repair(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new RecordingHostFile(file));
                    return files.get(0);
                }),
                "disk",
                RepairMode.ALL,
                OpenOptions.readWrite());
        return files.get(0).events();
    }

    /** What was flushed is there, and of the rest any part. */
    static void replay(List<HostEvent> events, int cut, SplittableRandom random, HostFile file) throws DiskException {
        int safe = cut;
        while (safe > 0 && events.get(safe - 1).kind() != HostEvent.Kind.FLUSH) {
            safe--;
        }
        for (int i = 0; i < cut; i++) {
            if (i < safe || random.nextBoolean()) {
                events.get(i).applyTo(file);
            }
        }
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-LIM-02, QC-LIM-03, QC-LIM-05: whatever is spoilt, a repair ends with a report or a typed refusal")
    void spoilt(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new DamagedImage(directory, random);
        for (int i = random.nextInt(1, 8); i > 0; i--) {
            byte[] bytes = new byte[random.nextInt(1, 9)];
            random.nextBytes(bytes);
            int at = random.nextInt(3) == 0 ? random.nextInt(112) : random.nextInt(10_000) * 8;
            Images.poke(directory, "disk", at, bytes);
        }
        try {
            RepairReport report = repair(directory, RepairMode.ALL);
            AuditReport audit = Images.audit(directory, "disk");
            // A header may break rules that no count speaks of.
            assertThat(audit.corruptions() + audit.leaks() == 0 || !report.clean())
                    .as("%s%n%s", report, audit.toText())
                    .isTrue();
        } catch (DiskException e) {
            assertThat(e.advice()).isNotEmpty();
        }
    }

    @Test
    @DisplayName(
            "QC-MNT-09, QC-HDR-16, QC-HDR-22: a dirty image is refused for writing, or mended with a notice, as the caller says")
    void dirty() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(1 << 20).withFeatures(FormatFeatures.PLAIN.withLazyRefcounts()));
        VirtualDisk abandoned = driver.open(directory, "disk", Images.WRITE);
        abandoned.write(0, ByteBuffer.wrap(Images.filled(100_000, 1)));
        abandoned.flush();
        MemoryHostDirectory after = directory.copy();
        assertThat(Images.audit(after, "disk").clean()).isFalse();
        assertThatThrownBy(() -> driver.open(after, "disk", Images.WRITE))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("dirty");
        try (VirtualDisk disk =
                driver.open(after, "disk", OpenOptions.readOnly().repairingDirty())) {
            assertThat(disk.notices()).isEmpty();
            assertThat(Images.readAll(disk)[99_999]).isEqualTo((byte) 1);
        }
        assertThat(Images.audit(after, "disk").clean()).isFalse();
        try (VirtualDisk disk = driver.open(after, "disk", Images.WRITE.repairingDirty())) {
            assertThat(disk.notices()).singleElement().asString().contains("dirty");
            assertThat(Images.readAll(disk)[99_999]).isEqualTo((byte) 1);
            Images.assertClean(after, "disk");
        }
        assertThat(driver.open(after, "disk", Images.WRITE).notices()).isEmpty();
    }

    @Test
    @Timeout(20)
    @DisplayName("QC-LIM-02: an L1 table of a million entries that name one table costs no more than one")
    void manyNamesOfOneTable() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "disk", CreateOptions.ofSize(1L << 49));
        long l1 = ByteBuffer.wrap(Images.bytes(directory, "disk", 40, 8)).getLong();
        byte[] entries = new byte[8 << 20];
        for (ByteBuffer buffer = ByteBuffer.wrap(entries); buffer.hasRemaining(); ) {
            buffer.putLong(l1 + (8 << 20));
        }
        Images.poke(directory, "disk", l1, entries);
        byte[] table = new byte[65536];
        for (ByteBuffer buffer = ByteBuffer.wrap(table); buffer.hasRemaining(); ) {
            buffer.putLong(l1 + (8 << 20) + 65536);
        }
        Images.poke(directory, "disk", l1 + (8 << 20), table);
        Images.poke(directory, "disk", l1 + (8 << 20) + 65536, table);
        RepairReport report = repair(directory, RepairMode.ALL);
        assertThat(report.corruptionsFixed()).isPositive();
        assertThat(Images.audit(directory, "disk").corruptions()).isEqualTo(report.corruptions());
    }
}
