package dev.qcow2.conformance.concurrent;

import dev.qcow2.conformance.language.Operation;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Who does what at the same time.
 *
 * @param options the image
 * @param backing true if a backing file with data in every second cluster lies behind it
 * @param efficientZeroing false if the host refuses to zero efficiently
 * @param before changes that are done one after the other, before the others begin
 * @param threads for each thread what it does, in its order
 */
public record ConcurrentScenario(
        CreateOptions options,
        boolean backing,
        boolean efficientZeroing,
        List<Operation> before,
        List<List<Operation>> threads) {

    private static final int MOST_THREADS = 32;

    /**
     * Makes a scenario in which threads meet often: a small disk, few clusters, few tables.
     *
     * @param seed the same seed gives the same scenario; what the threads make of it is up to the machine
     * @return a scenario with 2 to 32 threads
     */
    public static ConcurrentScenario generate(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int clusterBits = 9 + random.nextInt(random.nextInt(8) == 0 ? 8 : 4);
        int cluster = 1 << clusterBits;
        // 64 entries fill the L2 table of a 512-byte cluster: small clusters reach several tables.
        int clusters = 4 + random.nextInt(clusterBits == 9 ? 200 : 40);
        long size = (long) clusters * cluster - random.nextInt(cluster);
        int version = random.nextInt(5) == 0 ? 2 : 3;
        int refcountOrder = version == 2 ? 4 : random.nextInt(7);
        CreateOptions options = new CreateOptions(size, version, clusterBits, refcountOrder, Optional.empty());
        Source source = new Source(random, size, cluster);
        List<Operation> before = source.list(random.nextInt(12), false);
        int threads = 2 + random.nextInt(random.nextInt(4) == 0 ? MOST_THREADS - 1 : 6);
        int each = Math.max(2, 96 / threads);
        List<List<Operation>> lists = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            lists.add(source.list(each, true));
        }
        return new ConcurrentScenario(options, random.nextBoolean(), random.nextInt(4) > 0, before, lists);
    }

    /** Makes requests; each write has a pattern of its own. */
    private static final class Source {
        private final SplittableRandom random;
        private final long size;
        private final int cluster;
        private int nextFill = 1;

        Source(SplittableRandom random, long size, int cluster) {
            this.random = random;
            this.size = size;
            this.cluster = cluster;
        }

        List<Operation> list(int count, boolean withReads) {
            List<Operation> list = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                list.add(next(withReads));
            }
            return list;
        }

        private Operation next(boolean withReads) {
            long offset = offset();
            long length = Math.min(length(), size - offset);
            int kind = random.nextInt(withReads ? 16 : 12);
            return switch (kind) {
                case 0 -> new Operation.WriteZeroes(offset, length, ZeroMode.KEEP_ALLOCATION);
                case 1 -> new Operation.WriteZeroes(offset, length, ZeroMode.MAY_UNMAP);
                case 2, 3 -> new Operation.Discard(offset, length);
                case 12, 13 -> new Operation.Read(offset, length);
                case 14 -> new Operation.Flush();
                default -> new Operation.Write(offset, (int) length, nextFill++);
            };
        }

        private long offset() {
            // Half of the requests meet in the first clusters.
            long range = random.nextBoolean() ? Math.min(size, 4L * cluster) : size;
            long offset = random.nextLong(range);
            return random.nextInt(3) == 0 ? offset / cluster * cluster : offset;
        }

        private long length() {
            return switch (random.nextInt(4)) {
                case 0 -> cluster;
                case 1 -> 1 + random.nextInt(3 * cluster);
                default -> 1 + random.nextInt(cluster);
            };
        }
    }
}
