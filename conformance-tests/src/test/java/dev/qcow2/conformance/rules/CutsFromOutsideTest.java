package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.NAME;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ends each request that is more than a write after each of its steps, as a power cut or a host that fails from then on
 * does. The image must be as it was or as it shall be, and no snapshot may be lost by what the guest does next.
 */
class CutsFromOutsideTest {

    private static final int CLUSTER_BITS = 9;
    private static final int CLUSTER = 1 << CLUSTER_BITS;
    private static final int SIZE = 70 * CLUSTER + 300;
    private static final OpenOptions OPTIONS =
            OpenOptions.readWrite().repairingDirty().followingBacking();

    /** What is cut. */
    private enum Request {
        SNAPSHOT_CREATE(3),
        SNAPSHOT_APPLY(3),
        SNAPSHOT_DELETE(3),
        GROW(3),
        GROW_PREALLOCATED(3),
        SHRINK(3),
        WIDTH(3),
        TO_VERSION_3(2),
        TO_VERSION_2(3),
        TO_VERSION_2_BACKED(3),
        REPAIR(3);

        private final int version;

        Request(int version) {
            this.version = version;
        }

        void run(MaintenanceDriver driver, HostDirectory directory) throws DiskException {
            switch (this) {
                case WIDTH -> driver.amend(directory, NAME, AmendOptions.NOTHING.withRefcountOrder(6), OPTIONS);
                case TO_VERSION_3 -> driver.amend(directory, NAME, AmendOptions.NOTHING.withVersion(3), OPTIONS);
                case TO_VERSION_2, TO_VERSION_2_BACKED ->
                    driver.amend(directory, NAME, AmendOptions.NOTHING.withVersion(2), OPTIONS);
                case REPAIR ->
                    assertThat(driver.repair(directory, NAME, RepairMode.ALL, OPTIONS)
                                    .clean())
                            .isTrue();
                case SNAPSHOT_CREATE, SNAPSHOT_APPLY, SNAPSHOT_DELETE, GROW, GROW_PREALLOCATED, SHRINK -> {
                    try (VirtualDisk disk = driver.open(directory, NAME, OPTIONS)) {
                        change(disk);
                    }
                }
            }
        }

        private void change(VirtualDisk disk) throws DiskException {
            switch (this) {
                case SNAPSHOT_CREATE -> disk.createSnapshot("new");
                case SNAPSHOT_APPLY -> disk.applySnapshot("1");
                case SNAPSHOT_DELETE -> disk.deleteSnapshot("1");
                case GROW -> disk.resize(4L * SIZE, Preallocation.OFF);
                case GROW_PREALLOCATED -> disk.resize(2L * SIZE, Preallocation.METADATA);
                case SHRINK -> disk.resize(7 * CLUSTER + 5, Preallocation.OFF);
                case WIDTH, TO_VERSION_3, TO_VERSION_2, TO_VERSION_2_BACKED, REPAIR ->
                    throw new IllegalStateException("not of a disk");
            }
        }
    }

    /** What the guest and its snapshots hold. */
    @SuppressWarnings("ArrayRecordComponent") // compared by its parts
    private record Content(byte[] disk, Map<String, byte[]> snapshots) {

        static Content of(DiskDriver driver, MemoryHostDirectory directory) throws DiskException {
            MemoryHostDirectory copy = directory.copy();
            Map<String, byte[]> snapshots = new TreeMap<>();
            try (VirtualDisk disk = driver.open(copy, NAME, OPTIONS)) {
                byte[] bytes = read(disk, 0, (int) disk.size());
                for (SnapshotInfo snapshot : disk.snapshots()) {
                    disk.applySnapshot(snapshot.id());
                    snapshots.put(snapshot.name(), read(disk, 0, (int) disk.size()));
                }
                return new Content(bytes, snapshots);
            }
        }

        boolean reads(Content other) {
            return Arrays.equals(disk, other.disk)
                    && snapshots.keySet().equals(other.snapshots.keySet())
                    && snapshots.entrySet().stream()
                            .allMatch(entry -> Arrays.equals(entry.getValue(), other.snapshots.get(entry.getKey())));
        }
    }

    static Stream<Arguments> requests() {
        return RuleImage.drivers()
                .flatMap(driver -> Arrays.stream(Request.values()).map(request -> Arguments.of(driver, request)));
    }

    /**
     * Data, compressed data, zeros of both kinds, and two snapshots that share some of it. The first L2 table of the disk is
     * its own, the second is shared by all, and of the zeros that keep a host cluster one keeps what a snapshot shows.
     */
    private static MemoryHostDirectory image(DiskDriver driver, Request request) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        CreateOptions options =
                CreateOptions.ofSize(SIZE).withVersion(request.version).withClusterBits(CLUSTER_BITS);
        if (request == Request.TO_VERSION_2_BACKED) {
            directory.put("base", MemoryFileContent.of(text(8, SIZE)));
            options = options.withBacking("base", Optional.of(BackingFormat.RAW));
        }
        driver.create(directory, NAME, options);
        try (VirtualDisk disk = driver.open(directory, NAME, OPTIONS)) {
            disk.write(0, ByteBuffer.wrap(text(1, SIZE)));
            disk.writeCompressed(4 * CLUSTER, ByteBuffer.wrap(text(2, 5 * CLUSTER)));
            disk.writeZeroes(10 * CLUSTER, 2 * CLUSTER, ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(12 * CLUSTER, 2 * CLUSTER, ZeroMode.MAY_UNMAP);
            disk.writeZeroes(66 * CLUSTER, CLUSTER, ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(67 * CLUSTER, CLUSTER, ZeroMode.MAY_UNMAP);
            disk.createSnapshot("first");
            disk.write(6 * CLUSTER + 9, ByteBuffer.wrap(text(3, 4 * CLUSTER)));
            disk.writeZeroes(14 * CLUSTER, CLUSTER, ZeroMode.MAY_UNMAP);
            disk.createSnapshot("second");
            disk.write(20 * CLUSTER, ByteBuffer.wrap(text(4, 3 * CLUSTER)));
            disk.writeZeroes(22 * CLUSTER, 2 * CLUSTER, ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(25 * CLUSTER, 2 * CLUSTER, ZeroMode.MAY_UNMAP);
        }
        if (request.version == 3) {
            hide(directory, HeaderLayout.L1_TABLE_OFFSET.offset(), 2);
            hide(directory, latestSnapshot(directory), 7);
        }
        if (request == Request.REPAIR) {
            damage(directory);
        }
        return directory;
    }

    /** Where the entry of the second snapshot begins, and so the offset of its L1 table stands. */
    private static long latestSnapshot(MemoryHostDirectory directory) throws DiskException {
        ByteBuffer file = ByteBuffer.wrap(directory.content(NAME).toByteArray());
        int first = (int) HeaderLayout.SNAPSHOTS_OFFSET.get(file, 0);
        long length = SnapshotLayout.ENTRY.size()
                + SnapshotLayout.EXTRA_DATA_SIZE.get(file, first)
                + SnapshotLayout.ID_SIZE.get(file, first)
                + SnapshotLayout.NAME_SIZE.get(file, first);
        return first + ((length + 7) & ~7L);
    }

    /** Sets the zero flag of an entry and leaves the rest of it, as QEMU does also where a snapshot shows the cluster. */
    private static void hide(MemoryHostDirectory directory, long l1Field, int guestCluster) throws DiskException {
        try (HostFile file = directory.open(NAME, Access.READ_WRITE)) {
            ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
            file.read(l1Field, number);
            file.read(number.getLong(0), number.clear());
            long at = MappingLayout.L1_OFFSET.inPlace(number.getLong(0)) + (long) guestCluster * Long.BYTES;
            file.read(at, number.clear());
            assertThat(MappingLayout.L2_OFFSET.isSet(number.getLong(0))).isTrue();
            number.putLong(0, number.getLong(0) | MappingLayout.L2_ZERO.mask());
            file.write(at, number.rewind());
        }
    }

    /** Counts of the first clusters behind the header become wrong in both directions. */
    private static void damage(MemoryHostDirectory directory) throws DiskException {
        try (HostFile file = directory.open(NAME, Access.READ_WRITE)) {
            ByteBuffer table = ByteBuffer.allocate(8);
            ByteBuffer header = ByteBuffer.allocate(104);
            file.read(0, header);
            file.read(header.getLong(48), table);
            ByteBuffer counts = ByteBuffer.allocate(2 * 12);
            for (int i = 0; i < 12; i++) {
                counts.putShort(2 * i, (short) (i % 4));
            }
            file.write(table.getLong(0) + 2, counts);
        }
    }

    @ParameterizedTest
    @MethodSource("requests")
    @DisplayName("QC-MNT-27 QC-MNT-03 QC-SNAP-10 QC-REF-14: ended after any step, it was not begun or is done")
    void everyStep(DiskDriver driver, Request request) throws Exception {
        MemoryHostDirectory before = image(driver, request);
        MemoryHostDirectory done = before.copy();
        WrappingHostDirectory<RecordingHostFile> recording = new WrappingHostDirectory<>(done, RecordingHostFile::new);
        request.run((MaintenanceDriver) driver, recording);
        List<HostEvent> events = new ArrayList<>();
        recording.files().forEach(file -> events.addAll(file.events()));
        assertThat(events).hasSizeGreaterThan(1);
        List<Content> allowed = new ArrayList<>(List.of(Content.of(driver, done)));
        if (request != Request.REPAIR) {
            allowed.add(Content.of(driver, before));
        }
        SplittableRandom random = new SplittableRandom(events.size());
        int flushed = 0;
        for (int cut = 0; cut <= events.size(); cut++) {
            flushed = cut > 0 && events.get(cut - 1).kind() == HostEvent.Kind.FLUSH ? cut : flushed;
            for (boolean lossy : new boolean[] {false, true}) {
                MemoryHostDirectory after = before.copy();
                try (HostFile file = after.open(NAME, Access.READ_WRITE)) {
                    for (int i = 0; i < cut; i++) {
                        if (i < flushed || !lossy || random.nextBoolean()) {
                            events.get(i).applyTo(file);
                        }
                    }
                }
                String when = driver.name() + ", " + request + " cut after " + cut + " of " + events.size()
                        + (lossy ? ", with losses" : "");
                check((MaintenanceDriver) driver, after, request, allowed, when);
            }
        }
    }

    private static AuditReport audit(MemoryHostDirectory directory) throws DiskException {
        try (HostFile file = directory.open(NAME, Access.READ_ONLY)) {
            return new Auditor().audit(file);
        }
    }

    /** A cut leaves leaks, and flags that could be set and are not: they cost a copy. */
    private static void requireNoLoss(MemoryHostDirectory after, Request request, String when) throws DiskException {
        if (request == Request.SNAPSHOT_CREATE) {
            // Counts may rise before flags go: what looks shared then is not yet.
            return;
        }
        ZeroClusterImage.requireNoLoss(audit(after), when);
    }

    private static void check(
            MaintenanceDriver driver, MemoryHostDirectory after, Request request, List<Content> allowed, String when)
            throws DiskException {
        if (request == Request.REPAIR) {
            // Only another repair promises anything of an image that was broken.
            assertThat(driver.repair(after, NAME, RepairMode.ALL, OPTIONS).clean())
                    .as(when)
                    .isTrue();
        }
        requireNoLoss(after, request, when);
        Content found = Content.of(driver, after);
        assertThat(allowed.stream().anyMatch(found::reads)).as(when).isTrue();
        // Whatever flags and counts say now, a write must not go through to a snapshot.
        MemoryHostDirectory used = after.copy();
        byte[] fresh = text(9, found.disk().length);
        try (VirtualDisk disk = driver.open(used, NAME, OPTIONS)) {
            disk.write(0, ByteBuffer.wrap(fresh));
        }
        assertThat(Content.of(driver, used).reads(new Content(fresh, found.snapshots())))
                .as(when + ", written")
                .isTrue();
        if (request == Request.TO_VERSION_2 || request == Request.TO_VERSION_2_BACKED) {
            MemoryHostDirectory again = after.copy();
            request.run(driver, again);
            assertThat(Content.of(driver, again).reads(found))
                    .as(when + ", again")
                    .isTrue();
            // What the first one allocated and did not come to name is left for a repair.
            assertThat(audit(again).sound())
                    .as(when + ", again: " + audit(again).toText())
                    .isTrue();
        }
        driver.repair(after, NAME, RepairMode.ALL, OPTIONS);
        assertThat(audit(after).clean())
                .as(when + ", repaired: " + audit(after).toText())
                .isTrue();
        assertThat(Content.of(driver, after).reads(found))
                .as(when + ", repaired")
                .isTrue();
    }
}
