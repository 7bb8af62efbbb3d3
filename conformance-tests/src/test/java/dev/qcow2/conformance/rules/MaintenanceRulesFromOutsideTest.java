package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.NAME;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is done to images while no guest uses them: amend, commit, rebase. */
class MaintenanceRulesFromOutsideTest {

    private static final OpenOptions OPTIONS = OpenOptions.readWrite().followingBacking();
    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(12);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    /** A request to a driver. */
    private interface Request {
        void send(MaintenanceDriver driver) throws DiskException;
    }

    private static void sendOrSkip(DiskDriver driver, Request request) throws DiskException {
        if (!(driver instanceof MaintenanceDriver maintenance)) {
            abort(driver + " maintains no images");
            return;
        }
        try {
            request.send(maintenance);
        } catch (UnsupportedFeatureException e) {
            abort(driver + " does not have " + e.feature());
        }
    }

    private static void amendOrSkip(DiskDriver driver, RuleImage image, AmendOptions changes) throws DiskException {
        sendOrSkip(driver, maintenance -> maintenance.amend(image.directory(), NAME, changes, OPTIONS));
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
            "QC-MNT-17 QC-MNT-18 QC-MNT-29: from version 2 to 3 and back, with what the guest reads and the backing file's name")
    void versions(DiskDriver driver) throws Exception {
        RuleImage image =
                new RuleImage(driver, SMALL.withVersion(2).withBacking("base", Optional.of(BackingFormat.RAW)));
        image.directory().put("base", MemoryFileContent.of(text(1, 100_000)));
        byte[] expected = Arrays.copyOf(text(1, 100_000), 1 << 20);
        amendOrSkip(driver, image, AmendOptions.NOTHING.withVersion(3));
        assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(3);
        assertReads(image, expected);
        try (VirtualDisk disk = image.open()) {
            // Version 2 has nothing like this: zeros over what the backing file holds.
            disk.writeZeroes(8192, 8192, VirtualDisk.ZeroMode.MAY_UNMAP);
            Arrays.fill(expected, 8192, 16_384, (byte) 0);
        }
        assertReads(image, expected);
        // The zeros become data there, and the rest of a disk without a backing file nothing at all.
        amendOrSkip(driver, image, AmendOptions.NOTHING.withVersion(2));
        assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(2);
        assertReads(image, expected);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-17 QC-L2-08: zero clusters of a disk that stands alone become unallocated in version 2")
    void zeroClustersAlone(DiskDriver driver) throws Exception {
        RuleImage image =
                new RuleImage(driver, CreateOptions.ofSize((1 << 20) - 700).withClusterBits(12));
        byte[] expected = text(1, (1 << 20) - 700);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(expected));
            disk.writeZeroes(8192, 20_000, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(900_000, expected.length - 900_000, VirtualDisk.ZeroMode.MAY_UNMAP);
        }
        Arrays.fill(expected, 8192, 28_192, (byte) 0);
        Arrays.fill(expected, 900_000, expected.length, (byte) 0);
        amendOrSkip(driver, image, AmendOptions.NOTHING.withVersion(2));
        assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(2);
        assertReads(image, expected);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-18 QC-SNAP-07 QC-SNAP-21: snapshots that do not know their size know it in version 3")
    void sizelessSnapshots(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL.withVersion(2));
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 1 << 20)));
            disk.createSnapshot("first");
            disk.createSnapshot("second");
        }
        byte[] bytes = image.bytes();
        int at = (int) image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        bytes = withoutExtraData(bytes, at, 2);
        image.replace(bytes);
        amendOrSkip(driver, image, AmendOptions.NOTHING.withVersion(3));
        assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(3);
        assertReads(image, text(1, 1 << 20));
        try (VirtualDisk disk = image.open()) {
            assertThat(disk.snapshots())
                    .extracting(SnapshotInfo::name, SnapshotInfo::diskSize)
                    .containsExactly(tuple("first", 1L << 20), tuple("second", 1L << 20));
        }
    }

    /** Takes the extra data out of the entries of a snapshot table, as old writers left it out. */
    private static byte[] withoutExtraData(byte[] image, int tableAt, int entries) {
        ByteBuffer old = ByteBuffer.wrap(image.clone());
        ByteBuffer bare = ByteBuffer.wrap(image);
        int from = tableAt;
        int to = tableAt;
        for (int i = 0; i < entries; i++) {
            int extra = old.getInt(from + 36);
            int names = old.getShort(from + 12) + old.getShort(from + 14);
            bare.put(to, old, from, 40).putInt(to + 36, 0).put(to + 40, old, from + 40 + extra, names);
            from += (40 + extra + names + 7) & ~7;
            to += (40 + names + 7) & ~7;
        }
        Arrays.fill(image, to, from, (byte) 0);
        return image;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-26 QC-MNT-28 QC-MNT-29: an amend names another backing file, alone and together with another version")
    void backingFile(DiskDriver driver) throws Exception {
        RuleImage image =
                new RuleImage(driver, SMALL.withVersion(2).withBacking("base", Optional.of(BackingFormat.RAW)));
        image.directory().put("base", MemoryFileContent.of(text(1, 1 << 20)));
        image.directory().put("another name", MemoryFileContent.of(text(2, 1 << 20)));
        Backing other = new Backing("another name", Optional.of(BackingFormat.RAW));
        amendOrSkip(driver, image, AmendOptions.NOTHING.withVersion(3).withBacking(Optional.of(other)));
        assertThat(image.header(HeaderLayout.VERSION)).isEqualTo(3);
        assertReads(image, text(2, 1 << 20));
        byte[] before = image.bytes();
        Backing tooLong = new Backing("n".repeat(4000), Optional.empty());
        assertThatThrownBy(() -> amendOrSkip(
                        driver, image, AmendOptions.NOTHING.withRefcountOrder(5).withBacking(Optional.of(tooLong))))
                .isInstanceOf(DiskException.class);
        assertThat(image.bytes()).isEqualTo(before);
        amendOrSkip(driver, image, AmendOptions.NOTHING.withBacking(Optional.empty()));
        assertReads(image, new byte[1 << 20]);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-HDR-30: an image with a raw data file gets no backing file, neither by amend nor by rebase")
    void rawDataFileHasNoBackingFile(DiskDriver driver) throws Exception {
        OpenOptions options = OPTIONS.followingDataFile();
        RuleImage image = new RuleImage(driver, SMALL.withFeatures(FormatFeatures.PLAIN.withDataFile("data", true)));
        image.directory().put("base", MemoryFileContent.of(text(1, 1 << 20)));
        Optional<Backing> base = Optional.of(new Backing("base", Optional.of(BackingFormat.RAW)));
        byte[] before = image.bytes();
        assertThatThrownBy(() -> sendOrSkip(
                        driver,
                        maintenance -> maintenance.amend(
                                image.directory(), NAME, AmendOptions.NOTHING.withBacking(base), options)))
                .isInstanceOf(RequestRefusedException.class);
        assertThatThrownBy(() -> sendOrSkip(
                        driver,
                        maintenance -> maintenance.rebase(image.directory(), NAME, base, RebaseMode.UNSAFE, options)))
                .isInstanceOf(RequestRefusedException.class);
        assertThat(image.bytes()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-19 QC-MNT-28: another width of counts, unless one does not fit; an amend of nothing writes nothing")
    void widths(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 1 << 20)));
            disk.createSnapshot("one");
        }
        for (int order : new int[] {1, 6, 3, 5, 2, 4}) {
            amendOrSkip(driver, image, AmendOptions.NOTHING.withRefcountOrder(order));
            assertThat(image.header(HeaderLayout.REFCOUNT_ORDER)).isEqualTo(order);
            assertReads(image, text(1, 1 << 20));
        }
        byte[] before = image.bytes();
        // A snapshot's clusters have the count 2, which one bit can't hold.
        assertThatThrownBy(() -> amendOrSkip(driver, image, AmendOptions.NOTHING.withRefcountOrder(0)))
                .isInstanceOf(DiskException.class);
        assertThat(image.header(HeaderLayout.REFCOUNT_ORDER)).isEqualTo(4);
        assertReads(image, text(1, 1 << 20));
        image.replace(before);
        amendOrSkip(driver, image, AmendOptions.NOTHING.withRefcountOrder(4).withVersion(3));
        assertThat(image.bytes()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-20: the lazy-refcounts bit comes and goes, and leaves a clean image")
    void lazyRefcounts(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        for (boolean lazy : new boolean[] {true, false}) {
            amendOrSkip(driver, image, AmendOptions.NOTHING.withLazyRefcounts(lazy));
            long features = image.header(HeaderLayout.COMPATIBLE_FEATURES);
            assertThat(HeaderLayout.LAZY_REFCOUNTS.isSet(features)).isEqualTo(lazy);
            try (VirtualDisk disk = image.open()) {
                disk.write(0, ByteBuffer.wrap(text(1, 50_000)));
            }
            assertThat(HeaderLayout.DIRTY.isSet(image.header(HeaderLayout.INCOMPATIBLE_FEATURES)))
                    .isFalse();
            image.mustBeClean();
        }
    }

    private static RuleImage overlay(DiskDriver driver, int baseSize) throws DiskException {
        RuleImage image = new RuleImage(driver, SMALL.withBacking("base", Optional.of(BackingFormat.QCOW2)));
        driver.create(image.directory(), "base", CreateOptions.ofSize(baseSize));
        try (VirtualDisk base = driver.open(image.directory(), "base", OpenOptions.readWrite())) {
            base.write(0, ByteBuffer.wrap(text(1, baseSize)));
        }
        return image;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-MNT-21 QC-MNT-22 QC-MNT-23: after a commit the backing file reads as the overlay did, which is empty")
    void commit(DiskDriver driver) throws Exception {
        RuleImage image = overlay(driver, 100_000);
        byte[] expected = Arrays.copyOf(text(1, 100_000), 1 << 20);
        try (VirtualDisk disk = image.open()) {
            disk.write(5_000, ByteBuffer.wrap(text(2, 9_000)));
            System.arraycopy(text(2, 9_000), 0, expected, 5_000, 9_000);
            disk.writeZeroes(40_960, 8192, VirtualDisk.ZeroMode.MAY_UNMAP);
            Arrays.fill(expected, 40_960, 49_152, (byte) 0);
            disk.write(500_000, ByteBuffer.wrap(text(3, 100)));
            System.arraycopy(text(3, 100), 0, expected, 500_000, 100);
        }
        sendOrSkip(driver, maintenance -> maintenance.commit(image.directory(), NAME, OPTIONS));
        assertReads(image, expected);
        assertThat(image.audit().clusters().allocated()).isZero();
        try (VirtualDisk base = driver.open(image.directory(), "base", OpenOptions.readOnly())) {
            assertThat(base.size()).isEqualTo(1 << 20);
            assertThat(read(base, 0, 1 << 20)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-24: an overlay with snapshots is not emptied")
    void commitWithSnapshots(DiskDriver driver) throws Exception {
        RuleImage image = overlay(driver, 100_000);
        sendOrSkip(driver, maintenance -> maintenance.commit(image.directory(), NAME, OPTIONS));
        try (VirtualDisk disk = image.open()) {
            disk.write(5_000, ByteBuffer.wrap(text(2, 9_000)));
            disk.createSnapshot("one");
        }
        assertThatThrownBy(
                        () -> sendOrSkip(driver, maintenance -> maintenance.commit(image.directory(), NAME, OPTIONS)))
                .isInstanceOf(DiskException.class);
        try (VirtualDisk disk = image.open()) {
            disk.applySnapshot("1");
            assertThat(read(disk, 5_000, 9_000)).isEqualTo(text(2, 9_000));
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-25 QC-MNT-26: a safe rebase keeps what the guest reads, an unsafe one changes the name alone")
    void rebase(DiskDriver driver) throws Exception {
        for (RebaseMode mode : RebaseMode.values()) {
            RuleImage image = overlay(driver, 100_000);
            image.directory().put("other", MemoryFileContent.of(text(7, 200_000)));
            try (VirtualDisk disk = image.open()) {
                disk.write(5_000, ByteBuffer.wrap(text(2, 100)));
            }
            byte[] expected = Arrays.copyOf(
                    text(mode == RebaseMode.SAFE ? 1 : 7, mode == RebaseMode.SAFE ? 100_000 : 200_000), 1 << 20);
            if (mode == RebaseMode.UNSAFE) {
                // What the overlay holds of its own is the whole cluster that was written to.
                System.arraycopy(text(1, 100_000), 4096, expected, 4096, 4096);
            }
            System.arraycopy(text(2, 100), 0, expected, 5_000, 100);
            Optional<Backing> other = Optional.of(new Backing("other", Optional.of(BackingFormat.RAW)));
            sendOrSkip(driver, maintenance -> maintenance.rebase(image.directory(), NAME, other, mode, OPTIONS));
            assertThat(image.header(HeaderLayout.BACKING_FILE_SIZE)).isEqualTo(5);
            assertReads(image, expected);
        }
    }

    static Stream<Arguments> driversAndVersions() {
        return drivers().flatMap(driver -> Stream.of(Arguments.of(driver, 2), Arguments.of(driver, 3)));
    }

    @ParameterizedTest
    @MethodSource("driversAndVersions")
    @DisplayName("QC-MNT-25 QC-L2-08: what read as zero without a backing file is not shown from the first one")
    void rebaseOfZeros(DiskDriver driver, int version) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL.withVersion(version));
        byte[] expected = new byte[1 << 20];
        System.arraycopy(text(2, 3000), 0, expected, 70_000, 3000);
        try (VirtualDisk disk = image.open()) {
            disk.write(70_000, ByteBuffer.wrap(text(2, 3000)));
            // What was there and is given up is no different from what never was.
            disk.write(200_000, ByteBuffer.wrap(text(3, 50_000)));
            disk.discard(200_000, 50_000);
            disk.writeZeroes(200_000, 50_000, VirtualDisk.ZeroMode.MAY_UNMAP);
        }
        image.directory().put("base", MemoryFileContent.of(text(1, 600_000)));
        Optional<Backing> base = Optional.of(new Backing("base", Optional.of(BackingFormat.RAW)));
        sendOrSkip(driver, maintenance -> maintenance.rebase(image.directory(), NAME, base, RebaseMode.SAFE, OPTIONS));
        assertReads(image, expected);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-MNT-25 QC-MNT-21 QC-LIM-19: the length that a disk claims costs no time where nothing is")
    void hugeDisks(DiskDriver driver) throws Exception {
        // Cluster by cluster it would take hours.
        long size = 1L << 44;
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(size).withBacking("one", Optional.empty()));
        writeAt(driver, image, "one", size, 3, size / 2 + 5);
        writeAt(driver, image, "two", size, 3, size / 2 + 100_000, size - 20);
        Optional<Backing> two = Optional.of(new Backing("two", Optional.of(BackingFormat.QCOW2)));
        for (Optional<Backing> other : List.of(two, Optional.<Backing>empty())) {
            sendOrSkip(driver, m -> m.rebase(image.directory(), NAME, other, RebaseMode.SAFE, OPTIONS));
            assertHuge(image, size);
        }
        sendOrSkip(driver, m -> m.rebase(image.directory(), NAME, two, RebaseMode.UNSAFE, OPTIONS));
        sendOrSkip(driver, m -> m.commit(image.directory(), NAME, OPTIONS));
        assertHuge(image, size);
    }

    private static void writeAt(DiskDriver driver, RuleImage image, String name, long size, long... places)
            throws DiskException {
        driver.create(image.directory(), name, CreateOptions.ofSize(size));
        try (VirtualDisk disk = driver.open(image.directory(), name, OPTIONS)) {
            for (long place : places) {
                disk.write(place, ByteBuffer.wrap(text(place, 10)));
            }
        }
    }

    private static void assertHuge(RuleImage image, long size) throws DiskException {
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 3, 10)).isEqualTo(text(3, 10));
            assertThat(read(disk, size / 2 + 5, 10)).isEqualTo(text(size / 2 + 5, 10));
            assertThat(read(disk, size / 2 + 100_000, 10)).isEqualTo(new byte[10]);
            assertThat(read(disk, size - 20, 10)).isEqualTo(new byte[10]);
        }
        image.mustBeClean();
    }
}
