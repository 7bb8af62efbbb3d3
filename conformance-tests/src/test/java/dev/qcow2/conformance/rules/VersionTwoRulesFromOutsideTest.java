package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.NAME;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes version 2, and what can't. */
class VersionTwoRulesFromOutsideTest {

    private static final OpenOptions OPTIONS =
            OpenOptions.readWrite().followingBacking().followingDataFile();
    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(12);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static void amend(DiskDriver driver, RuleImage image, AmendOptions changes) throws DiskException {
        ((MaintenanceDriver) driver).amend(image.directory(), NAME, changes, OPTIONS);
    }

    private static void assertReads(RuleImage image, byte[] expected) throws DiskException {
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, expected.length)).isEqualTo(expected);
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-31: what a zero cluster hides stays hidden when version 2 and another backing file, or none, come at once")
    void versionTwoWithBackingFile(DiskDriver driver) throws Exception {
        Backing base = new Backing("base", Optional.of(BackingFormat.RAW));
        for (boolean added : new boolean[] {true, false}) {
            RuleImage image =
                    new RuleImage(driver, added ? SMALL : SMALL.withBacking("base", Optional.of(BackingFormat.RAW)));
            image.directory().put("base", MemoryFileContent.of(text(1, 1 << 20)));
            try (VirtualDisk disk = image.open()) {
                disk.write(0, ByteBuffer.wrap(text(2, 16_384)));
                disk.writeZeroes(0, 4096, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
                disk.writeZeroes(8192, 4096, VirtualDisk.ZeroMode.MAY_UNMAP);
                disk.createSnapshot("one");
            }
            byte[] expected = added ? text(1, 1 << 20) : new byte[1 << 20];
            System.arraycopy(text(2, 16_384), 0, expected, 0, 16_384);
            Arrays.fill(expected, 0, 4096, (byte) 0);
            Arrays.fill(expected, 8192, 12_288, (byte) 0);
            Optional<Backing> later = added ? Optional.of(base) : Optional.empty();
            amend(driver, image, AmendOptions.NOTHING.withVersion(2).withBacking(later));
            assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(2);
            assertReads(image, expected);
            try (VirtualDisk disk = image.open()) {
                disk.applySnapshot("1");
            }
            assertReads(image, expected);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-17 QC-MNT-28: a snapshot of another size, or with 4 GiB of machine state, keeps version 3, and so do narrow counts")
    void snapshotsThatNeedVersion3(DiskDriver driver) throws Exception {
        AmendOptions old = AmendOptions.NOTHING.withVersion(2);
        requireRefused(driver, snapshotImage(driver, 4, 0), old, false);
        requireRefused(driver, snapshotImage(driver, 4, 1L << 32), old, true);
        for (int order : new int[] {1, 3, 6}) {
            requireRefused(driver, snapshotImage(driver, order, 0), old, true);
            requireRefused(driver, snapshotImage(driver, order, 0), old.withRefcountOrder(3), true);
        }
        requireRefused(driver, snapshotImage(driver, 4, 0), old.withLazyRefcounts(true), true);
        // What just fits the field of old is no hindrance.
        RuleImage image = snapshotImage(driver, 4, (1L << 32) - 1);
        amend(driver, image, old);
        assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(2);
        try (VirtualDisk disk = image.open()) {
            assertThat(disk.snapshots()).extracting(SnapshotInfo::vmStateSize).containsExactly((1L << 32) - 1);
        }
        image.mustBeClean();
    }

    private static RuleImage snapshotImage(DiskDriver driver, int order, long vmStateSize) throws DiskException {
        RuleImage image = new RuleImage(driver, new CreateOptions(1 << 20, 3, 16, order, Optional.empty()));
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(2, 200_000)));
            disk.writeZeroes(0, 65_536, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(500_000, 100_000, VirtualDisk.ZeroMode.MAY_UNMAP);
            disk.createSnapshot("one", vmStateSize);
        }
        return image;
    }

    private static void requireRefused(DiskDriver driver, RuleImage image, AmendOptions changes, boolean sameSize)
            throws DiskException {
        if (!sameSize) {
            try (VirtualDisk disk = image.open()) {
                disk.resize(disk.size() - 512, Preallocation.OFF);
            }
        }
        byte[] before = image.bytes();
        assertThatThrownBy(() -> amend(driver, image, changes))
                .as(changes.toString())
                .isInstanceOf(RequestRefusedException.class);
        assertThat(image.bytes()).isEqualTo(before);
    }

    static Stream<Arguments> newerFeatures() {
        List<FormatFeatures> features = List.of(
                FormatFeatures.PLAIN.withExtendedL2(),
                FormatFeatures.PLAIN.withDataFile("data", false),
                FormatFeatures.PLAIN.withDataFile("data", true),
                FormatFeatures.PLAIN.withCompression(Compression.ZSTD));
        return drivers().flatMap(driver -> features.stream().map(feature -> Arguments.of(driver, feature)));
    }

    @ParameterizedTest
    @MethodSource("newerFeatures")
    @DisplayName(
            "QC-MNT-17 QC-MNT-28: what only version 3 has is refused by name, and nothing is written by the refusal")
    void needsVersion3(DiskDriver driver, FormatFeatures features) throws Exception {
        RuleImage image = new RuleImage(
                driver, CreateOptions.ofSize(1 << 20).withClusterBits(16).withFeatures(features));
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 70_000)));
            disk.writeZeroes(0, 65_536, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
        }
        byte[] before = image.bytes();
        assertThatThrownBy(() -> amend(driver, image, AmendOptions.NOTHING.withVersion(2)))
                .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                        .isEqualTo(MaintenanceClause.QC_MNT_17));
        assertThat(image.bytes()).isEqualTo(before);
    }

    /** A table, by where it is in a version 3 image with a snapshot. */
    private enum Victim {
        L1_TABLE,
        L2_TABLE,
        REFCOUNT_TABLE,
        REFCOUNT_BLOCK,
        SNAPSHOT_TABLE,
        SNAPSHOT_L1_TABLE,
        SNAPSHOT_L2_TABLE;

        long offset(RuleImage image) throws DiskException {
            long snapshots = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
            return switch (this) {
                case L1_TABLE -> image.header(HeaderLayout.L1_TABLE_OFFSET);
                case L2_TABLE -> image.entryAt(0);
                case REFCOUNT_TABLE -> image.header(HeaderLayout.REFCOUNT_TABLE_OFFSET);
                case REFCOUNT_BLOCK -> image.longAt(image.header(HeaderLayout.REFCOUNT_TABLE_OFFSET));
                case SNAPSHOT_TABLE -> snapshots;
                case SNAPSHOT_L1_TABLE -> image.longAt(snapshots);
                case SNAPSHOT_L2_TABLE -> MappingLayout.L1_OFFSET.inPlace(image.longAt(image.longAt(snapshots)));
            };
        }
    }

    static Stream<Arguments> victims() {
        return drivers().flatMap(driver -> Stream.of(Victim.values())
                .flatMap(victim -> Stream.of(true, false).map(backed -> Arguments.of(driver, victim, backed))));
    }

    @ParameterizedTest
    @MethodSource("victims")
    @DisplayName("QC-REF-16 QC-MNT-31: a zero cluster that keeps a table's cluster is told before anything changes")
    void keptTable(DiskDriver driver, Victim victim, boolean backed) throws Exception {
        RuleImage image =
                new RuleImage(driver, backed ? SMALL.withBacking("base", Optional.of(BackingFormat.RAW)) : SMALL);
        image.directory().put("base", MemoryFileContent.of(text(1, 1 << 20)));
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(2, 16_384)));
            disk.createSnapshot("one");
            disk.write(0, ByteBuffer.wrap(text(3, 4096)));
        }
        image.putLong(image.entryAt(9), victim.offset(image) | MappingLayout.L2_ZERO.mask());
        requireCorrupt(driver, image);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-REF-03 QC-MNT-31: a count below the number of zero clusters' references is told before anything changes")
    void lowCounts(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(2, 16_384)));
            disk.writeZeroes(0, 8192, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
            disk.createSnapshot("one");
        }
        byte[] sound = image.bytes();
        for (long low : new long[] {image.host(1), image.entryAt(0)}) {
            image.replace(sound);
            image.count(low, 1);
            requireCorrupt(driver, image);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-17 QC-MNT-28: an L2 table that maps two parts of the disk is refused, and nothing is written")
    void tableInTwoPlaces(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(3 << 20).withClusterBits(12));
        try (VirtualDisk disk = image.open()) {
            disk.writeZeroes(0, 8192, VirtualDisk.ZeroMode.MAY_UNMAP);
        }
        long table = image.entryAt(0);
        image.putLong(image.header(HeaderLayout.L1_TABLE_OFFSET), table);
        image.putLong(image.header(HeaderLayout.L1_TABLE_OFFSET) + 8, table);
        image.count(table, 2);
        image.mustBeClean();
        requireRefused(driver, image, AmendOptions.NOTHING.withVersion(2), true);
    }

    private static void requireCorrupt(DiskDriver driver, RuleImage image) throws DiskException {
        byte[] before = image.bytes();
        assertThatThrownBy(() -> amend(driver, image, AmendOptions.NOTHING.withVersion(2)))
                .isInstanceOf(CorruptImageException.class);
        byte[] after = image.bytes();
        // QC-HDR-17: the mark of a broken image is all that may change.
        int features = HeaderLayout.INCOMPATIBLE_FEATURES.offset() + Long.BYTES - 1;
        after[features] = before[features];
        assertThat(after).isEqualTo(before);
    }
}
