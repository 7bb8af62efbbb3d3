package dev.qcow2.optimized;

import dev.qcow2.optimized.CopyOnWriteDecision.Action;
import dev.qcow2.optimized.CopyOnWriteDecision.HostCluster;
import dev.qcow2.optimized.CopyOnWriteDecision.Surroundings;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * How long the inner decisions of a request take, in nanoseconds each. No host call is among them: the file is in memory
 * and its metadata is cached. {@code PERFORMANCE.md} names the command that runs them; tests never do.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class InnerBenchmark {

    private static final int INPUTS = 1024;

    /** What the pure functions look at: random, so that no branch is guessed right each time. */
    @State(Scope.Thread)
    public static class Inputs {

        final Surroundings[] sides = new Surroundings[INPUTS];
        final HostCluster[] clusters = new HostCluster[INPUTS];
        final long[] entries = new long[INPUTS];
        int next;

        /** Draws the inputs. */
        @Setup
        public void draw() {
            SplittableRandom random = new SplittableRandom(1);
            List<Surroundings> allSides = List.of(Surroundings.values());
            List<HostCluster> allClusters = List.of(HostCluster.values());
            for (int i = 0; i < INPUTS; i++) {
                sides[i] = allSides.get(random.nextInt(allSides.size()));
                clusters[i] = allClusters.get(random.nextInt(allClusters.size()));
                long offset = random.nextInt(4) == 0 ? 0 : (1L + random.nextInt(1 << 20)) << 16;
                entries[i] = offset
                        | (random.nextBoolean() ? EntryBits.COPIED : 0)
                        | (random.nextInt(4) == 0 ? EntryBits.ZERO : 0);
            }
        }

        int advance() {
            next = (next + 1) & (INPUTS - 1);
            return next;
        }
    }

    /** An image of 4 GiB in memory, with data in every L2 slice and everything cached. */
    @State(Scope.Thread)
    public static class Tables {

        static final int CLUSTERS = 1 << 16;

        @SuppressWarnings("NullAway.Init") // JMH calls the setup before anything else
        Image image;

        final long[] clusters = new long[INPUTS];

        /** Makes the image. */
        @Setup
        public void open() throws DiskException {
            MemoryHostDirectory directory = new MemoryHostDirectory();
            OptimizedDriver driver = new OptimizedDriver();
            driver.create(directory, "image", CreateOptions.ofSize((long) CLUSTERS << 16));
            try (VirtualDisk disk = driver.open(directory, "image", Images.WRITE)) {
                for (long at = 0; at < disk.size(); at += 512L << 16) {
                    disk.write(at, ByteBuffer.allocate(512));
                }
            }
            var host = directory.open("image", Access.READ_WRITE);
            image = new Image(
                    host,
                    null,
                    HeaderReader.read(host),
                    null,
                    null,
                    OptimizedOptions.allOn(),
                    CacheBudget.atDepth(0),
                    null);
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < INPUTS; i++) {
                clusters[i] = random.nextInt(CLUSTERS);
            }
        }
    }

    /** Requests that are under way while one more comes and goes. */
    @State(Scope.Thread)
    public static class Others {

        /** How many. */
        @Param({"0", "31"})
        public int inFlight;

        final ReentrantLock metadata = new ReentrantLock();
        final InFlightRequests requests = new InFlightRequests(metadata);

        /** Lets the others in. */
        @Setup
        public void claim() {
            metadata.lock();
            try {
                for (int i = 0; i < inFlight; i++) {
                    requests.claim((i + 1L) << 16, (i + 2L) << 16, true);
                }
            } finally {
                metadata.unlock();
            }
        }
    }

    /** The decision for one side of a payload, with the answers that follow from it. */
    @Benchmark
    public boolean copyOnWriteDecision(Inputs inputs, Blackhole hole) {
        int i = inputs.advance();
        Action action = CopyOnWriteDecision.decide(inputs.sides[i], true);
        hole.consume(action);
        return CopyOnWriteDecision.mustZeroFirst(action, inputs.clusters[i]);
    }

    /** What an L2 entry says: the kind of its cluster. */
    @Benchmark
    public ClusterKind entryKind(Inputs inputs) {
        return EntryBits.kind(inputs.entries[inputs.advance()]);
    }

    /** Whether an L2 entry may be written in place. */
    @Benchmark
    public boolean entryWritableInPlace(Inputs inputs) {
        return EntryBits.writableInPlace(inputs.entries[inputs.advance()]);
    }

    /** From a guest cluster to its entry, checked: L1 table, cached slice, entry. */
    @Benchmark
    public long sliceLookUp(Tables tables, Inputs inputs) throws DiskException {
        MappingTables mapping = tables.image.mapping();
        long cluster = tables.clusters[inputs.advance()];
        return mapping.entry(mapping.find(cluster), cluster);
    }

    /** A request comes and goes, under the lock as in real life. */
    @Benchmark
    public Request claimAndLeave(Others others) {
        Request request;
        others.metadata.lock();
        try {
            others.requests.awaitFree(0, 1 << 16, true);
            request = others.requests.claim(0, 1 << 16, true);
        } finally {
            others.metadata.unlock();
        }
        others.requests.leave(request);
        return request;
    }

    /** A cluster is taken and given back. */
    @Benchmark
    public long allocateAndRelease(Tables tables) throws DiskException {
        ClusterAllocator allocator = tables.image.allocator();
        long cluster = allocator.allocate(1);
        allocator.release(cluster, allocator.runLength());
        return cluster;
    }
}
