package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The snapshot table and what its entries lead to. */
class SnapshotRulesFromOutsideTest {

    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(12);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static RuleImage withSnapshots(DiskDriver driver, String... names) throws Exception {
        return withSnapshots(driver, SMALL, names);
    }

    private static RuleImage withSnapshots(DiskDriver driver, CreateOptions options, String... names) throws Exception {
        RuleImage image = new RuleImage(driver, options);
        try (VirtualDisk disk = image.open()) {
            int number = 0;
            for (String name : names) {
                disk.write(0, ByteBuffer.wrap(text(++number, 9000)));
                disk.createSnapshot(name);
            }
            disk.write(0, ByteBuffer.wrap(text(0, 9000)));
        }
        return image;
    }

    private static void assertNames(RuleImage image, String... names) throws Exception {
        try (VirtualDisk disk = image.open()) {
            assertThat(disk.snapshots()).extracting(SnapshotInfo::name).containsExactly(names);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-SNAP-04 QC-SNAP-14 QC-SNAP-20: ids and names have their own lengths, and what pads an entry means nothing")
    void namesAndPadding(DiskDriver driver) throws Exception {
        RuleImage image = withSnapshots(driver, "a", "abc", "abcdefgh");
        long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        for (int length : new int[] {1, 3, 8}) {
            assertThat(image.get(SnapshotLayout.NAME_SIZE, at)).isEqualTo(length);
            long end = at
                    + SnapshotLayout.ENTRY.size()
                    + image.get(SnapshotLayout.EXTRA_DATA_SIZE, at)
                    + image.get(SnapshotLayout.ID_SIZE, at)
                    + length;
            at = (end + 7) & ~7L;
            byte[] padding = new byte[(int) (at - end)];
            Arrays.fill(padding, (byte) 'x');
            image.put(end, padding);
        }
        assertNames(image, "a", "abc", "abcdefgh");
        try (VirtualDisk disk = image.open()) {
            disk.deleteSnapshot("2");
            disk.createSnapshot("d");
        }
        assertNames(image, "a", "abcdefgh", "d");
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-16: deleting a snapshot lowers counts, and COPIED is right again in the active tables")
    void delete(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 9000)));
            disk.createSnapshot("one");
        }
        assertThat(image.count(image.host(0))).isEqualTo(2);
        assertThat(MappingLayout.L2_COPIED.isSet(image.entry(0))).isFalse();
        try (VirtualDisk disk = image.open()) {
            disk.deleteSnapshot("1");
        }
        assertThat(image.count(image.host(0))).isEqualTo(1);
        assertThat(MappingLayout.L2_COPIED.isSet(image.entry(0))).isTrue();
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-18: a snapshot has the time at which it was taken")
    void time(DiskDriver driver) throws Exception {
        long before = Instant.now().getEpochSecond();
        RuleImage image = withSnapshots(driver, "one");
        long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        assertThat(image.get(SnapshotLayout.DATE_SECONDS, at))
                .isBetween(before - 1, Instant.now().getEpochSecond() + 1);
        assertThat(image.get(SnapshotLayout.DATE_NANOSECONDS, at)).isBetween(0L, 999_999_999L);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-19 QC-SNAP-03: COPIED flags that only a snapshot's tables hold are not believed")
    void flagsOfSnapshots(DiskDriver driver) throws Exception {
        RuleImage image = withSnapshots(driver, "one", "two");
        long table = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        long l1 = image.get(SnapshotLayout.L1_TABLE_OFFSET, table);
        long copied = MappingLayout.L1_COPIED.mask();
        long l2 = MappingLayout.L1_OFFSET.inPlace(image.longAt(l1));
        assertThat(l2).isNotEqualTo(image.entryAt(0));
        image.putLong(l1, image.longAt(l1) | copied);
        for (int index = 0; index < 3; index++) {
            image.putLong(l2 + 8L * index, image.longAt(l2 + 8L * index) ^ copied);
        }
        try (VirtualDisk disk = image.open()) {
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 9000)).isEqualTo(text(1, 9000));
            disk.write(100, ByteBuffer.wrap(text(9, 5000)));
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 9000)).isEqualTo(text(1, 9000));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-21 QC-SNAP-12: a version 2 entry without extra data has the disk's size, and can be applied")
    void withoutExtraData(DiskDriver driver) throws Exception {
        RuleImage image = withSnapshots(driver, SMALL.withVersion(2), "one");
        long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        int extra = (int) image.get(SnapshotLayout.EXTRA_DATA_SIZE, at);
        int texts = (int) (image.get(SnapshotLayout.ID_SIZE, at) + image.get(SnapshotLayout.NAME_SIZE, at));
        byte[] bytes = image.bytes();
        int behind = (int) at + SnapshotLayout.ENTRY.size();
        image.put(behind, Arrays.copyOfRange(bytes, behind + extra, behind + extra + texts));
        image.set(SnapshotLayout.EXTRA_DATA_SIZE, at, 0);
        try (VirtualDisk disk = image.open()) {
            assertThat(disk.snapshots())
                    .extracting(SnapshotInfo::name, SnapshotInfo::diskSize)
                    .containsExactly(org.assertj.core.groups.Tuple.tuple("one", 1L << 20));
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 9000)).isEqualTo(text(1, 9000));
            assertThat(disk.size()).isEqualTo(1L << 20);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-17 QC-SNAP-12: loading a snapshot gives the disk the snapshot's size")
    void sizeOfItsOwn(DiskDriver driver) throws Exception {
        for (long size : new long[] {3 << 19, 12_345, 5 << 20}) {
            RuleImage image = withSnapshots(driver, "one");
            long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET) + SnapshotLayout.ENTRY.size();
            image.set(SnapshotLayout.DISK_SIZE, at, size);
            try (VirtualDisk disk = image.open()) {
                disk.applySnapshot("1");
                assertThat(disk.size()).isEqualTo(size);
                assertThat(read(disk, 0, 9000)).isEqualTo(text(1, 9000));
                disk.write(size - 10, ByteBuffer.wrap(text(3, 10)));
                assertThat(read(disk, size - 10, 10)).isEqualTo(text(3, 10));
            } catch (RequestRefusedException | UnsupportedFeatureException e) {
                abort(driver + " keeps the disk's size");
            }
            assertThat(image.header(HeaderLayout.SIZE)).isEqualTo(size);
            assertThat(image.header(HeaderLayout.L1_SIZE) * (512L << 12)).isGreaterThanOrEqualTo(size);
            image.mustBeClean();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-SNAP-06 QC-SNAP-13 QC-SNAP-23: clocks and what is not known of an entry stay whatever happens around it")
    void restOfAnEntry(DiskDriver driver) throws Exception {
        RuleImage image = withSnapshots(driver, "one");
        long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        assertThat(image.get(SnapshotLayout.VM_CLOCK, at)).isZero();
        int extra = (int) image.get(SnapshotLayout.EXTRA_DATA_SIZE, at);
        int texts = (int) (image.get(SnapshotLayout.ID_SIZE, at) + image.get(SnapshotLayout.NAME_SIZE, at));
        int behind = (int) at + SnapshotLayout.ENTRY.size();
        byte[] names = Arrays.copyOfRange(image.bytes(), behind + extra, behind + extra + texts);
        image.put(behind + 16, text(7, 50));
        image.put(behind + 66, names);
        image.set(SnapshotLayout.EXTRA_DATA_SIZE, at, 66);
        image.set(SnapshotLayout.VM_CLOCK, at, 123_456_789_012L);
        byte[] before = restOfFirst(image, 66 + texts);
        try (VirtualDisk disk = image.open()) {
            disk.createSnapshot("two");
            disk.write(0, ByteBuffer.wrap(text(3, 9000)));
            disk.createSnapshot("three");
            disk.deleteSnapshot("2");
            disk.applySnapshot("1");
        }
        assertThat(restOfFirst(image, 66 + texts)).isEqualTo(before);
        assertNames(image, "one", "three");
        image.mustBeClean();
    }

    /** All of the first entry but where its L1 table is. */
    private static byte[] restOfFirst(RuleImage image, int variable) throws DiskException {
        int at = (int) image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        return Arrays.copyOfRange(image.bytes(), at + 12, at + SnapshotLayout.ENTRY.size() + variable);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-15: a snapshot's L1 table has a length of its own, whatever that of the disk is")
    void tablesOfTheirOwn(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(5000).withClusterBits(12));
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(2, 5000)));
            disk.createSnapshot("short");
            disk.resize(5 << 20, Preallocation.OFF);
            disk.write(0, ByteBuffer.wrap(text(1, 5 << 20)));
            disk.createSnapshot("long");
            disk.resize(9 << 20, Preallocation.OFF);
        }
        assertThat(image.get(SnapshotLayout.L1_SIZE, image.header(HeaderLayout.SNAPSHOTS_OFFSET)))
                .isEqualTo(1);
        assertThat(image.header(HeaderLayout.L1_SIZE)).isEqualTo(5);
        try (VirtualDisk disk = image.open()) {
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 5000)).isEqualTo(text(2, 5000));
            disk.applySnapshot("2");
            assertThat(read(disk, 0, 5 << 20)).isEqualTo(text(1, 5 << 20));
            disk.deleteSnapshot("1");
            assertThat(read(disk, 0, 5 << 20)).isEqualTo(text(1, 5 << 20));
        }
        image.mustBeClean();
    }

    /** Takes the extra data away from the last entry, as old writers left it when an image became version 3. */
    private static void removeExtraData(RuleImage image) throws DiskException {
        long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        for (long left = image.header(HeaderLayout.NB_SNAPSHOTS); left > 1; left--) {
            // The id and the name have 8 bytes at most.
            at += SnapshotLayout.ENTRY.size() + image.get(SnapshotLayout.EXTRA_DATA_SIZE, at) + 8;
        }
        int extra = (int) image.get(SnapshotLayout.EXTRA_DATA_SIZE, at);
        int texts = (int) (image.get(SnapshotLayout.ID_SIZE, at) + image.get(SnapshotLayout.NAME_SIZE, at));
        int behind = (int) at + SnapshotLayout.ENTRY.size();
        image.put(behind, Arrays.copyOfRange(image.bytes(), behind + extra, behind + extra + texts));
        image.set(SnapshotLayout.EXTRA_DATA_SIZE, at, 0);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-SNAP-07 QC-MNT-04 QC-MNT-13: an entry without sizes is of use in version 3 too, and a repair completes it")
    void withoutSizes(DiskDriver driver) throws Exception {
        RuleImage image = withSnapshots(driver, "one");
        removeExtraData(image);
        assertThat(image.audit().corruptions()).isEqualTo(1);
        byte[] incomplete = image.bytes();
        try (VirtualDisk disk = image.open()) {
            assertThat(disk.snapshots()).extracting(SnapshotInfo::diskSize).containsExactly(1L << 20);
            assertThatThrownBy(() -> disk.resize(2 << 20, Preallocation.OFF))
                    .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                            .isEqualTo(MaintenanceClause.QC_MNT_04));
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 9000)).isEqualTo(text(1, 9000));
        }
        image.replace(incomplete);
        MaintenanceDriver maintenance = (MaintenanceDriver) driver;
        OpenOptions options = OpenOptions.readWrite();
        assertThat(maintenance.repair(image.directory(), RuleImage.NAME, RepairMode.LEAKS, options))
                .isEqualTo(new RepairReport(0, 0, 1, 0));
        assertThat(image.bytes()).isEqualTo(incomplete);
        assertThat(maintenance.repair(image.directory(), RuleImage.NAME, RepairMode.ALL, options))
                .isEqualTo(new RepairReport(1, 0, 0, 0));
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            disk.resize(2 << 20, Preallocation.OFF);
            assertThat(disk.snapshots()).extracting(SnapshotInfo::diskSize).containsExactly(1L << 20);
            disk.applySnapshot("1");
            assertThat(read(disk, 0, 9000)).isEqualTo(text(1, 9000));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-07: whoever writes the table of snapshots in version 3 completes its entries")
    void completedByWriters(DiskDriver driver) throws Exception {
        RuleImage image = withSnapshots(driver, "one", "two");
        removeExtraData(image);
        assertThat(image.audit().corruptions()).isEqualTo(1);
        byte[] incomplete = image.bytes();
        try (VirtualDisk disk = image.open()) {
            disk.createSnapshot("three");
        }
        image.mustBeClean();
        assertNames(image, "one", "two", "three");
        image.replace(incomplete);
        try (VirtualDisk disk = image.open()) {
            disk.deleteSnapshot("1");
        }
        image.mustBeClean();
        assertNames(image, "two");
    }
}
