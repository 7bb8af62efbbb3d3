package dev.qcow2.conformance.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
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
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceOracle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The events that the reference implementation tells of itself: they are a behaviour of the model, and the same entries
 * change in them as in the bytes of the image.
 */
class ReferenceEventsTest {

    private static final String NAME = "disk.qcow2";
    private static final int STEPS = 80;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final TraceOracle oracle = new TraceOracle();
    private final List<TraceEvent> own = new ArrayList<>();
    private final List<TraceEvent> observed = new ArrayList<>();
    private final ImageObserver observer = new ImageObserver(observed::add);

    private HostFile bytes() throws DiskException {
        return directory.open(NAME, Access.READ_ONLY);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("QC-REF-13 QC-REF-14 QC-L2-13 Traces: what the reference tells is right, and is what the image shows")
    void tellsWhatItDoes(long seed) throws DiskException {
        SplittableRandom random = new SplittableRandom(seed);
        int clusterBits = 9 + random.nextInt(5);
        long size = (20L + random.nextInt(30)) << clusterBits;
        ReferenceDriver driver = ReferenceDriver.tracing((where, name) -> event -> {
            own.add(event);
            oracle.event(event);
        });
        int version = 2 + random.nextInt(2);
        driver.create(
                directory,
                NAME,
                new CreateOptions(size, version, clusterBits, 4, Optional.empty(), FormatFeatures.PLAIN));
        try (VirtualDisk disk = driver.open(directory, NAME, OpenOptions.readWrite())) {
            for (int i = 0; i < STEPS; i++) {
                own.clear();
                observed.clear();
                try (HostFile file = bytes()) {
                    observer.describe(file);
                }
                observed.clear();
                boolean told = change(disk, random, size, clusterBits);
                try (HostFile file = bytes()) {
                    observer.end(file);
                }
                assertThat(oracle.refusal()).as("step %d", i).isEmpty();
                if (told) {
                    assertThat(changes(own)).as("step %d", i).isEqualTo(changes(observed));
                }
            }
        }
    }

    /** Returns whether the change is told step by step. */
    private static boolean change(VirtualDisk disk, SplittableRandom random, long size, int clusterBits)
            throws DiskException {
        long offset = random.nextLong(size);
        int length = (int) Math.min(size - offset, 1 + random.nextInt(3 << clusterBits));
        long cluster = offset >>> clusterBits << clusterBits;
        int whole = (int) Math.min(size - cluster, (1L + random.nextInt(3)) << clusterBits);
        switch (random.nextInt(8)) {
            case 0, 1 -> disk.write(offset, ByteBuffer.allocate(length));
            case 2 -> disk.write(cluster, ByteBuffer.allocate(whole));
            case 3 -> disk.writeZeroes(cluster, whole, ZeroMode.KEEP_ALLOCATION);
            case 4 -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
            case 5 -> disk.discard(cluster, whole);
            case 6 -> disk.writeCompressed(cluster, ByteBuffer.allocate(whole));
            default -> {
                if (disk.snapshots().size() < 2) {
                    disk.createSnapshot("s");
                } else {
                    disk.deleteSnapshot(disk.snapshots().get(0).id());
                }
                return false;
            }
        }
        return true;
    }

    /** What each place was before, and what it is afterwards, if that differs. */
    private static Map<Place, List<EntryState>> changes(List<TraceEvent> events) {
        Map<Place, List<EntryState>> changes = new TreeMap<>();
        for (TraceEvent event : events) {
            if (event instanceof Entry entry) {
                List<EntryState> known = changes.get(entry.place());
                EntryState before = known == null ? entry.before() : known.get(0);
                changes.put(entry.place(), List.of(before, entry.after()));
            }
        }
        changes.values().removeIf(states -> states.get(0).equals(states.get(1)));
        return changes;
    }
}
