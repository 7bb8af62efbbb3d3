package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
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
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Persistent bitmaps follow the guest, and are there again when the image is opened anew. */
class BitmapTest {

    private static final int MOST = 200_000;

    private final OptimizedDriver driver = new OptimizedDriver();
    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    /** What a bitmap must say: a bit for each granule. */
    private static final class Expected {
        final int granularityBits;
        boolean enabled;
        BitSet bits = new BitSet();

        Expected(int granularityBits, boolean enabled) {
            this.granularityBits = granularityBits;
            this.enabled = enabled;
        }

        void mark(long offset, long length) {
            if (enabled && length > 0) {
                bits.set((int) (offset >> granularityBits), (int) ((offset + length - 1) >> granularityBits) + 1);
            }
        }

        void resize(long size) {
            int count = (int) ((size + (1L << granularityBits) - 1) >> granularityBits);
            bits.clear(count, Math.max(count, bits.length()));
        }

        List<Dirty> dirty(long size) {
            List<Dirty> ranges = new ArrayList<>();
            for (int first = bits.nextSetBit(0); first >= 0; first = bits.nextSetBit(bits.nextClearBit(first))) {
                long start = (long) first << granularityBits;
                long end = Math.min(size, (long) bits.nextClearBit(first) << granularityBits);
                ranges.add(new Dirty(start, end - start));
            }
            return ranges;
        }
    }

    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-BM-08, QC-BM-15, QC-BM-17 to 24, QC-BM-26 to 28: as sets of granules, stored and loaded again and again")
    void behaveAsSets(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        long size = random.nextInt(MOST);
        driver.create(directory, "disk", CreateOptions.ofSize(size).withClusterBits(random.nextBoolean() ? 9 : 12));
        Map<String, Expected> expected = new TreeMap<>();
        for (int round = 0; round < 4; round++) {
            try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
                assertSame(disk, expected);
                for (int i = 0; i < 8; i++) {
                    step(disk, expected, random);
                }
                assertSame(disk, expected);
            }
            Images.assertClean(directory, "disk");
        }
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readOnly())) {
            assertSame(disk, expected);
        }
    }

    private static void step(VirtualDisk disk, Map<String, Expected> expected, SplittableRandom random)
            throws IOException {
        String name = "bitmap " + random.nextInt(4);
        Expected known = expected.get(name);
        switch (random.nextInt(8)) {
            case 0 -> {
                if (known == null) {
                    known = new Expected(random.nextInt(9, 14), random.nextInt(4) > 0);
                    disk.bitmaps().add(name, known.granularityBits, known.enabled);
                    expected.put(name, known);
                } else if (random.nextBoolean()) {
                    disk.bitmaps().remove(name);
                    expected.remove(name);
                }
            }
            case 1 -> {
                if (known != null) {
                    disk.bitmaps().clear(name);
                    known.bits.clear();
                }
            }
            case 2 -> {
                if (known != null) {
                    known.enabled = random.nextBoolean();
                    disk.bitmaps().setEnabled(name, known.enabled);
                }
            }
            case 3 -> merge(disk, expected, name, "bitmap " + random.nextInt(4));
            case 4 -> {
                long newSize = random.nextInt(MOST);
                disk.resize(newSize, Preallocation.OFF);
                expected.values().forEach(bitmap -> bitmap.resize(newSize));
            }
            default -> {
                Action action = new Action(
                                Action.Kind.any(random), random.nextInt(MOST), random.nextInt(9000), (byte) 1)
                        .inside((int) disk.size(), 1 << 12);
                action.applyTo(disk);
                if (action.kind() != Action.Kind.FLUSH) {
                    expected.values().forEach(bitmap -> bitmap.mark(action.offset(), action.length()));
                }
            }
        }
    }

    private static void merge(VirtualDisk disk, Map<String, Expected> expected, String into, String from)
            throws IOException {
        Expected target = expected.get(into);
        Expected source = expected.get(from);
        if (target == null || source == null) {
            return;
        }
        disk.bitmaps().merge(into, from);
        boolean enabled = target.enabled;
        target.enabled = true;
        source.dirty(disk.size()).forEach(range -> target.mark(range.guestOffset(), range.length()));
        target.enabled = enabled;
    }

    private static void assertSame(VirtualDisk disk, Map<String, Expected> expected) throws IOException {
        assertThat(disk.bitmaps().list()).hasSize(expected.size());
        for (BitmapInfo info : disk.bitmaps().list()) {
            Expected known = Objects.requireNonNull(expected.get(info.name()));
            assertThat(info).isEqualTo(new BitmapInfo(info.name(), known.granularityBits, known.enabled, false));
            assertThat(disk.bitmaps().dirty(info.name())).isEqualTo(known.dirty(disk.size()));
        }
    }

    @Test
    @DisplayName(
            "QC-BM-07, QC-BM-20, QC-MNT-30: after a power cut an enabled bitmap is in use, and can only be removed")
    void leftInUse() throws IOException {
        driver.create(directory, "disk", CreateOptions.ofSize(100_000));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().add("on", 16, true);
            disk.bitmaps().add("off", 16, false);
        }
        VirtualDisk abandoned = driver.open(directory, "disk", Images.WRITE);
        abandoned.write(0, ByteBuffer.allocate(10));
        MemoryHostDirectory after = directory.copy();
        try (VirtualDisk disk = driver.open(after, "disk", Images.WRITE)) {
            assertThat(disk.bitmaps().list())
                    .containsExactly(new BitmapInfo("on", 16, true, true), new BitmapInfo("off", 16, false, false));
            assertRefused(() -> disk.bitmaps().dirty("on"), BitmapClause.QC_BM_07);
            assertRefused(() -> disk.bitmaps().clear("on"), BitmapClause.QC_BM_07);
            assertRefused(() -> disk.resize(1, Preallocation.OFF), MaintenanceClause.QC_MNT_30);
            disk.bitmaps().remove("on");
            disk.resize(1, Preallocation.OFF);
        }
        Images.assertClean(after, "disk");
        abandoned.close();
        Images.assertClean(directory, "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readOnly())) {
            assertThat(disk.bitmaps().dirty("on")).containsExactly(new Dirty(0, 65536));
        }
    }

    @Property(tries = 40, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-BM-20, QC-BM-26, QC-MNT-27: wherever the power goes, a bitmap that is trusted misses no change")
    void cutAnywhere(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        driver.create(directory, "disk", CreateOptions.ofSize(MOST).withClusterBits(9));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().add("one", 9, true);
            disk.write(0, ByteBuffer.allocate(600));
        }
        MemoryHostDirectory start = directory.copy();
        List<RecordingHostFile> files = new ArrayList<>();
        try (VirtualDisk disk = driver.open(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new RecordingHostFile(file));
                    return files.get(0);
                }),
                "disk",
                Images.WRITE)) {
            disk.write(100_000, ByteBuffer.wrap(Images.filled(5000, 1)));
            disk.bitmaps().add("two", 12, false);
        }
        List<HostEvent> events = files.get(0).events();
        for (int cut = 0; cut <= events.size(); cut++) {
            MemoryHostDirectory after = start.copy();
            try (HostFile file = after.open("disk", Access.READ_WRITE)) {
                RepairTest.replay(events, cut, random, file);
            }
            assertThat(Images.audit(after, "disk").sound()).as("cut at %d", cut).isTrue();
            try (VirtualDisk disk = driver.open(after, "disk", Images.WRITE)) {
                boolean written = Images.readAll(disk)[100_100] == 1;
                for (BitmapInfo info : disk.bitmaps().list()) {
                    if (info.name().equals("one") && !info.inUse() && written) {
                        assertThat(disk.bitmaps().dirty("one")).contains(new Dirty(99_840, 5_632));
                    }
                }
            }
        }
    }

    @Test
    @DisplayName("QC-BM-23: loading a snapshot makes everything dirty")
    void snapshotLoaded() throws IOException {
        driver.create(directory, "disk", CreateOptions.ofSize(100_000));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().add("on", 12, true);
            disk.bitmaps().add("off", 12, false);
            SnapshotInfo snapshot = disk.createSnapshot("one");
            assertThat(disk.bitmaps().dirty("on")).isEmpty();
            disk.applySnapshot(snapshot.id());
            assertThat(disk.bitmaps().dirty("on")).containsExactly(new Dirty(0, 100_000));
            assertThat(disk.bitmaps().dirty("off")).isEmpty();
        }
    }

    @Test
    @DisplayName("QC-BM-03, QC-BM-11, QC-LIM-11 to 13: what can't be is refused")
    void refused() throws IOException {
        driver.create(directory, "disk", CreateOptions.ofSize(1L << 41));
        driver.create(directory, "old", new CreateOptions(1, 2, 9, 4, Optional.empty()));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE);
                VirtualDisk old = driver.open(directory, "old", Images.WRITE)) {
            assertRefused(() -> old.bitmaps().add("a", 16, true), BitmapClause.QC_BM_03);
            assertRefused(() -> disk.bitmaps().add("", 16, true), LimitClause.QC_LIM_13);
            assertRefused(() -> disk.bitmaps().add("a".repeat(1024), 16, true), LimitClause.QC_LIM_13);
            assertRefused(() -> disk.bitmaps().add("a", 8, true), LimitClause.QC_LIM_13);
            assertRefused(() -> disk.bitmaps().add("a", 32, true), LimitClause.QC_LIM_13);
            disk.bitmaps().add("b", 16, true);
            assertRefused(() -> disk.bitmaps().add("b", 16, true), BitmapClause.QC_BM_11);
            assertRefused(() -> disk.bitmaps().clear("c"), BitmapClause.QC_BM_11);
        }
        driver.create(directory, "large", CreateOptions.ofSize(1L << 42));
        try (VirtualDisk disk = driver.open(directory, "large", Images.WRITE)) {
            assertRefused(() -> disk.bitmaps().add("a", 9, true), LimitClause.QC_LIM_12);
        }
    }

    private static void assertRefused(ThrowingCallable action, Clause clause) {
        assertThatThrownBy(action).isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                .isEqualTo(clause));
    }

    @Test
    @DisplayName("QC-BM-19: many writers at the same time lose no bit")
    void concurrent() throws Exception {
        driver.create(directory, "disk", CreateOptions.ofSize(1 << 20).withClusterBits(9));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().add("one", 9, true);
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                int first = thread;
                running.add(threads.submit(() -> {
                    for (int granule = first; granule < 2048; granule += 4) {
                        disk.write(granule * 512L, ByteBuffer.allocate(1));
                    }
                    return first;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
            assertThat(disk.bitmaps().dirty("one")).containsExactly(new Dirty(0, 1 << 20));
        } finally {
            threads.shutdown();
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-BM-01, QC-BM-02, QC-BM-05, QC-BM-06, QC-BM-09, QC-BM-14, QC-BM-16, QC-LIM-18, QC-LIM-19: spoilt bitmaps")
    void spoilt(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        driver.create(directory, "disk", CreateOptions.ofSize(MOST).withClusterBits(9));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.bitmaps().add("one", 9, true);
            disk.bitmaps().add("two", 10, false);
            disk.write(0, ByteBuffer.wrap(Images.filled(60_000, 1)));
        }
        long directoryAt;
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            directoryAt = BitmapDirectory.read(file, HeaderReader.read(file)).offset();
        }
        byte[] bytes = new byte[random.nextInt(1, 9)];
        random.nextBytes(bytes);
        long from = random.nextBoolean() ? directoryAt - 1024 : 104;
        Images.poke(directory, "disk", from + random.nextInt(random.nextBoolean() ? 1200 : 60), bytes);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(1000, ByteBuffer.wrap(Images.filled(3000, 2)));
            for (BitmapInfo info : disk.bitmaps().list()) {
                disk.bitmaps().dirty(info.name());
            }
            assertThat(Images.readAll(disk)).hasSize(MOST);
        } catch (DiskException e) {
            assertThat(e.advice()).isNotEmpty();
        }
    }
}
