package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.layout.BitmapLayout;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Damage of one kind at a time: what each repair may do about it, and how it is counted. */
class RepairRulesFromOutsideTest {

    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(12);
    private static final RepairReport NOTHING = new RepairReport(0, 0, 0, 0);
    private static final int CLUSTER = 1 << 12;

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static RepairReport repair(DiskDriver driver, RuleImage image, RepairMode mode) throws DiskException {
        OpenOptions options = OpenOptions.readWrite().followingDataFile();
        return ((MaintenanceDriver) driver).repair(image.directory(), RuleImage.NAME, mode, options);
    }

    /** Three clusters that the disk shares with a snapshot. */
    private static RuleImage shared(DiskDriver driver) throws DiskException {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 3 * CLUSTER)));
            disk.createSnapshot("one");
        }
        image.mustBeClean();
        return image;
    }

    private static long snapshotL1(RuleImage image) throws DiskException {
        return image.get(SnapshotLayout.L1_TABLE_OFFSET, image.header(HeaderLayout.SNAPSHOTS_OFFSET));
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-12: when counts are lowered to one, COPIED follows, and a repair of leaks leaves a sound image")
    void flagsFollowLeaks(DiskDriver driver) throws Exception {
        RuleImage image = shared(driver);
        image.putLong(snapshotL1(image), 0);
        assertThat(image.audit().corruptions()).isZero();
        // The L2 table and three clusters: a leak and a flag each.
        assertThat(repair(driver, image, RepairMode.LEAKS)).isEqualTo(new RepairReport(4, 4, 0, 0));
        image.mustBeClean();
        image.putLong(image.entryAt(1), image.entry(1) ^ MappingLayout.L2_COPIED.mask());
        assertThat(repair(driver, image, RepairMode.LEAKS)).isEqualTo(new RepairReport(1, 0, 0, 0));
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-12 QC-REF-16: an entry that breaks a rule still refers to its cluster while only leaks are mended")
    void brokenEntriesCount(DiskDriver driver) throws Exception {
        RuleImage image = shared(driver);
        try (VirtualDisk disk = image.open()) {
            disk.write(4 * CLUSTER, ByteBuffer.wrap(text(2, CLUSTER)));
        }
        long host = image.host(0);
        // The disk takes the snapshot's data for compressed data, and loses a cluster of its own.
        image.putLong(image.entryAt(0), MappingLayout.L2_COMPRESSED.mask() | host);
        image.putLong(image.entryAt(4), 0);
        repair(driver, image, RepairMode.LEAKS);
        assertThat(image.count(host)).isEqualTo(2);
        assertThat(image.audit().corruptions()).isZero();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-12 QC-BM-21: what bitmaps may name that can't be read is no leak")
    void brokenBitmapsKeepCounts(DiskDriver driver) throws Exception {
        RuleImage image = withBitmap(driver);
        long entry = directory(image);
        image.set(BitmapLayout.TABLE_OFFSET, entry, 1L << 40);
        byte[] before = image.bytes();
        RepairReport report = repair(driver, image, RepairMode.LEAKS);
        assertThat(report.leaksFixed()).isZero();
        assertThat(report.corruptions()).isPositive();
        assertThat(image.bytes()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-13 QC-BM-21: bitmaps that name a cluster twice are given up, with all that they held")
    void bitmapsThatOverlap(DiskDriver driver) throws Exception {
        RuleImage image = withBitmap(driver);
        long table = image.get(BitmapLayout.TABLE_OFFSET, directory(image));
        image.putLong(table, table);
        RepairReport report = repair(driver, image, RepairMode.ALL);
        assertThat(report.clean()).as(report.toString()).isTrue();
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            assertThat(disk.bitmaps().list()).isEmpty();
            assertThat(read(disk, 0, 100)).isEqualTo(text(1, 100));
        }
    }

    private static RuleImage withBitmap(DiskDriver driver) throws DiskException {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.bitmaps().add("b", 12, true);
            disk.write(0, ByteBuffer.wrap(text(1, 100)));
        }
        image.mustBeClean();
        return image;
    }

    private static long directory(RuleImage image) throws DiskException {
        long at = image.header(HeaderLayout.HEADER_LENGTH);
        while (image.get(ExtensionLayout.TYPE, at) != ExtensionLayout.TYPE_BITMAPS) {
            at += ExtensionLayout.HEAD.size() + ((image.get(ExtensionLayout.LENGTH, at) + 7) & ~7L);
        }
        return image.get(ExtensionLayout.BITMAP_DIRECTORY_OFFSET, at + ExtensionLayout.HEAD.size());
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-DATA-04 QC-MNT-13: COPIED comes back to entries of a data file")
    void flagsOfDataFiles(DiskDriver driver) throws Exception {
        FormatFeatures features = FormatFeatures.PLAIN.withDataFile("data", false);
        RuleImage image = new RuleImage(driver, SMALL.withFeatures(features));
        try (VirtualDisk disk = image.open()) {
            disk.write(CLUSTER, ByteBuffer.wrap(text(1, CLUSTER)));
        }
        image.putLong(image.entryAt(1), image.entry(1) ^ MappingLayout.L2_COPIED.mask());
        assertThat(image.audit().corruptions()).isEqualTo(1);
        assertThat(repair(driver, image, RepairMode.ALL)).isEqualTo(new RepairReport(1, 0, 0, 0));
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-16: a count for a cluster where no file is counts as nothing, and stays")
    void countsBehindTheEnd(DiskDriver driver) throws Exception {
        RuleImage image = shared(driver);
        image.count(image.bytes().length + 5L * CLUSTER, 1);
        byte[] before = image.bytes();
        assertThat(image.audit().clean()).isTrue();
        for (RepairMode mode : RepairMode.values()) {
            assertThat(repair(driver, image, mode)).isEqualTo(NOTHING);
        }
        assertThat(image.bytes()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-16 QC-MNT-14: without their block all clusters in use count as corruptions that were mended")
    void lostBlock(DiskDriver driver) throws Exception {
        RuleImage image = shared(driver);
        long at = image.header(HeaderLayout.REFCOUNT_TABLE_OFFSET);
        long block = image.longAt(at);
        long clusters = (image.bytes().length + CLUSTER - 1L) / CLUSTER;
        // No entry: what is missing is the counts of all but the block, which nothing names any more.
        image.putLong(at, 0);
        assertThat(repair(driver, image, RepairMode.ALL)).isEqualTo(new RepairReport(clusters - 1, 0, 0, 0));
        image.mustBeClean();
        // An entry that leads past the file's end is one corruption more.
        RuleImage other = shared(driver);
        other.putLong(at, block + (1L << 40));
        assertThat(repair(driver, other, RepairMode.ALL)).isEqualTo(new RepairReport(clusters, 0, 0, 0));
        other.mustBeClean();
        // One that nobody can follow says nothing of any count.
        RuleImage third = shared(driver);
        third.putLong(at, block | 1L << 63);
        assertThat(repair(driver, third, RepairMode.ALL)).isEqualTo(new RepairReport(1, 0, 0, 0));
        third.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-SNAP-05 QC-LIM-07 QC-LIM-02: a snapshot whose L1 table can't be there is refused by itself, and no count is lowered")
    void misplacedSnapshot(DiskDriver driver) throws Exception {
        for (long wrong : new long[] {20, 1L << 40, -1L << 12}) {
            RuleImage image = shared(driver);
            image.set(SnapshotLayout.L1_TABLE_OFFSET, image.header(HeaderLayout.SNAPSHOTS_OFFSET), wrong);
            mustBeOfUse(driver, image);
        }
        RuleImage image = shared(driver);
        image.set(SnapshotLayout.L1_SIZE, image.header(HeaderLayout.SNAPSHOTS_OFFSET), 0xffff_ffffL);
        mustBeOfUse(driver, image);
    }

    private static void mustBeOfUse(DiskDriver driver, RuleImage image) throws DiskException {
        AuditReport before = image.audit();
        assertThat(before.corruptions()).isEqualTo(1);
        byte[] bytes = image.bytes();
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, 3 * CLUSTER)).isEqualTo(text(1, 3 * CLUSTER));
            assertThat(disk.snapshots()).hasSize(1);
            assertThatThrownBy(() -> disk.applySnapshot("1")).isInstanceOf(ImageException.class);
        } catch (ImageException e) {
            // A writer may mark the image corrupt, and refuse everything after that.
            assertThat(e).hasMessageContaining("corrupt");
        }
        image.replace(bytes);
        try (VirtualDisk disk = image.open()) {
            assertThatThrownBy(() -> disk.deleteSnapshot("1")).isInstanceOf(ImageException.class);
        } catch (ImageException e) {
            assertThat(e).hasMessageContaining("corrupt");
        }
        image.replace(bytes);
        for (RepairMode mode : RepairMode.values()) {
            RepairReport report = repair(driver, image, mode);
            assertThat(report.leaksFixed()).isZero();
            assertThat(report.corruptions()).isEqualTo(1);
            assertThat(image.audit().corruptions()).isEqualTo(1);
            assertThat(image.count(image.host(0))).isEqualTo(2);
        }
    }
}
