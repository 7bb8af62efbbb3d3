package dev.qcow2.conformance.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.optimized.OptimizedOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.trace.EntryState;
import dev.qcow2.spec.trace.ImageObserver;
import dev.qcow2.spec.trace.Place;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceOracle;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The events that the optimized implementation tells of itself: they are a behaviour of the models on both levels, and who
 * follows them knows at each flush what the file holds, entry by entry and count by count.
 */
class OptimizedEventsTest {

    private static final String NAME = "disk.qcow2";
    private static final String BASE = "base.raw";
    private static final int STEPS = 120;
    private static final int MOST_SNAPSHOTS = 2;
    private static final long DISK_BYTES = 1 << 20;
    private static final int PIECE_BYTES = 1 << 16;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final TraceOracle oracle = new TraceOracle();
    private final Told told = new Told();

    /** What somebody knows of an image who hears of it only. */
    private static final class Told {

        private final Map<Place, EntryState> entries = new TreeMap<>();
        private final Map<Long, Long> counts = new TreeMap<>();
        private final Map<String, Integer> heard = new HashMap<>();

        void event(TraceEvent event) {
            heard.merge(event.getClass().getSimpleName(), 1, Integer::sum);
            if (event instanceof TraceEvent.Image) {
                entries.clear();
                counts.clear();
            } else if (event instanceof TraceEvent.Holds holds) {
                put(holds.place(), holds.state());
            } else if (event instanceof TraceEvent.Counted counted) {
                put(counted.host(), counted.value());
            } else if (event instanceof TraceEvent.Entry entry) {
                assertThat(entries.getOrDefault(entry.place(), EntryState.NONE)).isEqualTo(entry.before());
                put(entry.place(), entry.after());
            } else if (event instanceof TraceEvent.Count count) {
                heard.merge(count.after() > count.before() ? "raised" : "lowered", 1, Integer::sum);
                assertThat(counts.getOrDefault(count.host(), 0L)).isEqualTo(count.before());
                put(count.host(), count.after());
            }
        }

        private void put(Place place, EntryState state) {
            entries.put(place, state);
            entries.remove(place, EntryState.NONE);
        }

        private void put(long host, long count) {
            counts.put(host, count);
            counts.remove(host, 0L);
        }
    }

    private OptimizedDriver driver(OptimizedOptions options) {
        return OptimizedDriver.tracing(options, (where, name) -> event -> {
            told.event(event);
            oracle.event(event);
        });
    }

    /** All switches off, all on, and a sample of what is between. */
    private static OptimizedOptions options(long seed, SplittableRandom random) {
        return switch ((int) seed % 4) {
            case 0 -> OptimizedOptions.allOff();
            case 1 -> OptimizedOptions.allOn();
            default -> OptimizedOptions.of(random.nextInt(1 << OptimizedOptions.SWITCHES));
        };
    }

    private CreateOptions image(SplittableRandom random) throws DiskException {
        int version = 2 + random.nextInt(2);
        boolean extended = version == 3 && random.nextInt(3) == 0;
        int clusterBits = extended ? 14 : 9 + random.nextInt(5);
        long size = (20L + random.nextInt(30)) << clusterBits;
        Optional<Backing> backing = Optional.empty();
        if (random.nextInt(3) == 0) {
            try (HostFile base = directory.create(BASE)) {
                base.write(0, ByteBuffer.allocate((int) size / 2));
            }
            backing = Optional.of(new Backing(BASE, Optional.of(BackingFormat.RAW)));
        }
        FormatFeatures features = new FormatFeatures(
                Compression.ZLIB,
                extended,
                version == 3 && random.nextInt(3) == 0,
                Optional.empty(),
                Optional.empty(),
                Preallocation.OFF);
        return new CreateOptions(size, version, clusterBits, 4, backing, features);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24})
    @DisplayName("QC-REF-13 QC-REF-14 QC-L2-13 Traces: what optimized tells is right, and is what the image shows")
    void tellsWhatItDoes(long seed) throws DiskException {
        SplittableRandom random = new SplittableRandom(seed);
        OptimizedDriver driver = driver(options(seed, random));
        CreateOptions image = image(random);
        driver.create(directory, NAME, image);
        try (VirtualDisk disk =
                driver.open(directory, NAME, OpenOptions.readWrite().followingBacking())) {
            for (int i = 0; i < STEPS; i++) {
                change(disk, random, image.clusterBits());
                assertThat(oracle.refusal()).as("step %d", i).isEmpty();
                if (random.nextInt(4) == 0) {
                    disk.flush();
                    assertThat(oracle.refusal()).as("flush after step %d", i).isEmpty();
                    // Postponed counts come when the disk is closed.
                    assertIsInFile("step " + i, !image.features().lazyRefcounts());
                }
            }
        }
        assertThat(oracle.refusal()).as("closed").isEmpty();
        assertIsInFile("closed", true);
        assertThat(told.heard).containsKeys("Request", "Entry", "raised", "lowered", "Done", "Settled", "Host", "Put");
    }

    private void assertIsInFile(String when, boolean countsToo) throws DiskException {
        Told seen = new Told();
        try (HostFile file = directory.open(NAME, Access.READ_ONLY)) {
            ImageObserver.description(file).forEach(seen::event);
        }
        assertThat(told.entries).as(when).isEqualTo(seen.entries);
        if (countsToo) {
            assertThat(told.counts).as(when).isEqualTo(seen.counts);
        }
    }

    private static void change(VirtualDisk disk, SplittableRandom random, int clusterBits) throws DiskException {
        long size = disk.size();
        long offset = random.nextLong(size);
        int length = (int) Math.min(size - offset, 1 + random.nextInt(3 << clusterBits));
        long cluster = offset >>> clusterBits << clusterBits;
        int whole = (int) Math.min(size - cluster, (1L + random.nextInt(3)) << clusterBits);
        switch (random.nextInt(24)) {
            case 0, 1, 2, 3, 4, 5 -> disk.write(offset, ByteBuffer.allocate(length));
            case 6, 7, 8 -> disk.write(cluster, ByteBuffer.allocate(whole));
            case 9, 10, 11 -> disk.writeZeroes(cluster, whole, ZeroMode.KEEP_ALLOCATION);
            case 12, 13, 14 -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
            case 15, 16 -> disk.discard(cluster, whole);
            case 17, 18 -> disk.discard(offset, length);
            case 19, 20, 21 -> disk.writeCompressed(cluster, ByteBuffer.allocate(whole));
            case 22 -> disk.writeVmState(offset, ByteBuffer.allocate(length));
            default -> rebuild(disk, random, clusterBits);
        }
    }

    /** What is described as a whole afterwards. */
    private static void rebuild(VirtualDisk disk, SplittableRandom random, int clusterBits) throws DiskException {
        if (disk.snapshots().size() < MOST_SNAPSHOTS) {
            disk.createSnapshot("s");
            return;
        }
        String id = disk.snapshots().get(random.nextInt(MOST_SNAPSHOTS)).id();
        switch (random.nextInt(3)) {
            case 0 -> disk.applySnapshot(id);
            case 1 -> disk.deleteSnapshot(id);
            default -> {
                disk.deleteSnapshot(id);
                disk.deleteSnapshot(disk.snapshots().get(0).id());
                disk.resize(disk.size() + ((1L + random.nextInt(8)) << clusterBits), Preallocation.OFF);
            }
        }
    }

    @Test
    @DisplayName("Traces: growing refcount tables and their blocks are no events, for no entry names them")
    void leavesOutWhatTheFileNeedsForItself() throws DiskException {
        OptimizedDriver driver = driver(OptimizedOptions.allOn());
        driver.create(directory, NAME, new CreateOptions(DISK_BYTES, 3, 9, 6, Optional.empty(), FormatFeatures.PLAIN));
        Set<Long> named = new HashSet<>();
        try (VirtualDisk disk = driver.open(directory, NAME, OpenOptions.readWrite())) {
            for (long at = 0; at < DISK_BYTES; at += PIECE_BYTES) {
                disk.write(at, ByteBuffer.allocate(PIECE_BYTES));
            }
            disk.flush();
            told.entries.values().forEach(state -> named.add(state.host()));
            assertThat(told.counts.keySet()).isEqualTo(named);
            assertIsInFile("full", true);
        }
        assertThat(oracle.refusal()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    @DisplayName("Traces: zeros for a part of a cluster are one step, whether they are written, or bits, or both")
    void tellsPartsOfClustersAsOneStep(int switches) throws DiskException {
        int clusterBits = 14;
        int cluster = 1 << clusterBits;
        int subcluster = cluster / 32;
        try (HostFile base = directory.create(BASE)) {
            base.write(0, ByteBuffer.allocate(2 * cluster));
        }
        OptimizedDriver driver = driver(OptimizedOptions.allOn()
                .withMetadataCache((switches & 1) == 0)
                .withSkipCopyOnWrite((switches & 2) == 0));
        FormatFeatures features = new FormatFeatures(
                Compression.ZLIB, true, false, Optional.empty(), Optional.empty(), Preallocation.OFF);
        Optional<Backing> backing = Optional.of(new Backing(BASE, Optional.of(BackingFormat.RAW)));
        driver.create(directory, NAME, new CreateOptions(4L * cluster, 3, clusterBits, 4, backing, features));
        try (VirtualDisk disk =
                driver.open(directory, NAME, OpenOptions.readWrite().followingBacking())) {
            disk.writeZeroes(subcluster + 1, 3L * subcluster, ZeroMode.MAY_UNMAP);
            disk.writeZeroes(2L * cluster - 3L * subcluster - 1, cluster, ZeroMode.KEEP_ALLOCATION);
            disk.flush();
            assertIsInFile("flushed", true);
        }
        assertThat(oracle.refusal()).isEmpty();
    }

    @Test
    @DisplayName("Traces: a request that is refused is over, too")
    void tellsTheEndOfWhatIsRefused() throws DiskException {
        OptimizedDriver driver = driver(OptimizedOptions.allOn());
        driver.create(directory, NAME, CreateOptions.ofSize(DISK_BYTES));
        try (VirtualDisk disk = driver.open(directory, NAME, OpenOptions.readWrite())) {
            assertThatThrownBy(() -> disk.write(DISK_BYTES, ByteBuffer.allocate(1)))
                    .isInstanceOf(DiskException.class);
            assertThatThrownBy(() -> disk.applySnapshot("none")).isInstanceOf(DiskException.class);
            assertThat(told.heard.get("Done")).isEqualTo(told.heard.get("Request"));
            assertThat(told.heard.get("Ready")).isEqualTo(2);
            disk.write(0, ByteBuffer.allocate(1));
            disk.flush();
            assertIsInFile("flushed", true);
        }
        assertThat(oracle.refusal()).isEmpty();
    }
}
