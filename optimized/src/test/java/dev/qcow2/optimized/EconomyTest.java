package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the optimisations save, in host calls and host bytes, which no noise can move. */
class EconomyTest {

    private static final int CLUSTER = 65536;
    private static final int CLUSTERS = 64;
    private static final int BLOCK = 4096;

    private static final class CountingFile extends ForwardingHostFile {
        private long writes;
        private long bytes;
        private long zeroCalls;
        private long reads;

        CountingFile(HostFile target) {
            super(target);
        }

        @Override
        public int read(long hostOffset, ByteBuffer into) throws DiskException {
            reads++;
            return super.read(hostOffset, into);
        }

        @Override
        public void readZeroPadded(long hostOffset, ByteBuffer into) throws DiskException {
            reads++;
            target().readZeroPadded(hostOffset, into);
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            writes++;
            bytes += from.remaining();
            super.write(hostOffset, from);
        }

        @Override
        public boolean zero(long hostOffset, long length) throws DiskException {
            zeroCalls++;
            return super.zero(hostOffset, length);
        }

        void reset() {
            writes = 0;
            bytes = 0;
            zeroCalls = 0;
            reads = 0;
        }
    }

    /** What is done to the disk before and while the calls are counted. */
    private interface Work {
        void on(VirtualDisk disk) throws IOException;
    }

    private static CountingFile count(OptimizedOptions options, boolean zeroing, Work before, Work counted)
            throws IOException {
        return count(options, FormatFeatures.PLAIN, zeroing, before, counted);
    }

    private static CountingFile count(
            OptimizedOptions options, FormatFeatures features, boolean zeroing, Work before, Work counted)
            throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory(zeroing);
        OptimizedDriver driver = new OptimizedDriver(options);
        directory.create("base").write(0, ByteBuffer.wrap(Images.filled(CLUSTER * CLUSTERS, 7)));
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize((long) CLUSTER * CLUSTERS)
                        .withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW))
                        .withFeatures(features));
        List<CountingFile> files = new ArrayList<>();
        try (VirtualDisk disk = driver.open(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new CountingFile(file));
                    return files.get(0);
                }),
                "disk",
                Images.WRITE)) {
            before.on(disk);
            disk.flush();
            CountingFile file = files.get(0);
            // The first write loads the tables.
            disk.write(0, ByteBuffer.allocate(BLOCK));
            file.reset();
            counted.on(disk);
            CountingFile result = new CountingFile(file);
            result.writes = file.writes;
            result.bytes = file.bytes;
            result.zeroCalls = file.zeroCalls;
            result.reads = file.reads;
            return result;
        }
    }

    private static void zeroAll(VirtualDisk disk) throws IOException {
        disk.writeZeroes(0, disk.size(), VirtualDisk.ZeroMode.MAY_UNMAP);
    }

    private static void writeBlocks(VirtualDisk disk) throws IOException {
        for (int cluster = 1; cluster < CLUSTERS; cluster++) {
            disk.write((long) cluster * CLUSTER + 2 * BLOCK, ByteBuffer.wrap(Images.filled(BLOCK, cluster)));
        }
    }

    @Test
    @DisplayName("QC-L2-11: on zero clusters the payload is all that is written, in one call, without a read")
    void zeroClusters() throws IOException {
        CountingFile file = count(OptimizedOptions.allOn(), true, EconomyTest::zeroAll, EconomyTest::writeBlocks);
        assertThat(file.writes).isEqualTo(CLUSTERS - 1);
        assertThat(file.bytes).isEqualTo((CLUSTERS - 1L) * BLOCK);
        assertThat(file.reads).isZero();
        assertThat(file.zeroCalls).isZero();
    }

    @Test
    @DisplayName("QC-GUEST-11: a kept host cluster costs one call to zero it; a host that refuses gets the copy")
    void zeroAllocated() throws IOException {
        Work keep = disk -> {
            disk.write(0, ByteBuffer.wrap(Images.filled(CLUSTER * CLUSTERS, 9)));
            disk.writeZeroes(0, disk.size(), VirtualDisk.ZeroMode.KEEP_ALLOCATION);
        };
        CountingFile efficient = count(OptimizedOptions.allOn(), true, keep, EconomyTest::writeBlocks);
        assertThat(efficient.bytes).isEqualTo((CLUSTERS - 1L) * BLOCK);
        assertThat(efficient.zeroCalls).isEqualTo(CLUSTERS - 1);
        CountingFile refused = count(OptimizedOptions.allOn(), false, keep, EconomyTest::writeBlocks);
        assertThat(refused.bytes).isEqualTo((CLUSTERS - 1L) * CLUSTER);
        assertThat(refused.writes).isEqualTo(CLUSTERS - 1);
    }

    @Test
    @DisplayName("QC-L2-11: where a copy is owed it goes into one write with the payload; apart it is three")
    void dataBelow() throws IOException {
        CountingFile merged = count(OptimizedOptions.allOn(), true, disk -> {}, EconomyTest::writeBlocks);
        assertThat(merged.writes).isEqualTo(CLUSTERS - 1);
        assertThat(merged.bytes).isEqualTo((CLUSTERS - 1L) * CLUSTER);
        CountingFile apart = count(
                OptimizedOptions.allOn().withMergeCopyWithPayload(false), true, disk -> {}, EconomyTest::writeBlocks);
        assertThat(apart.writes).isEqualTo(3 * (CLUSTERS - 1));
        assertThat(apart.bytes).isEqualTo((CLUSTERS - 1L) * CLUSTER);
    }

    @Test
    @DisplayName("QC-GUEST-01: a large write is one host write, a large read one host read")
    void runs() throws IOException {
        Work large = disk -> disk.write(CLUSTER, ByteBuffer.allocate(16 * CLUSTER));
        CountingFile written = count(OptimizedOptions.allOn(), true, EconomyTest::zeroAll, large);
        assertThat(written.writes).isEqualTo(1);
        CountingFile read = count(
                OptimizedOptions.allOn(), true, large, disk -> disk.read(CLUSTER, ByteBuffer.allocate(16 * CLUSTER)));
        assertThat(read.reads).isEqualTo(1);
        CountingFile single = count(
                OptimizedOptions.allOn().withRunReads(false),
                true,
                large,
                disk -> disk.read(CLUSTER, ByteBuffer.allocate(16 * CLUSTER)));
        assertThat(single.reads).isEqualTo(16);
        CountingFile alone =
                count(OptimizedOptions.allOn().withRunAllocation(false), true, EconomyTest::zeroAll, large);
        assertThat(alone.writes).isEqualTo(16);
    }

    @Test
    @DisplayName("QC-GUEST-06: with all switches off each write costs a whole cluster and its metadata")
    void plain() throws IOException {
        CountingFile file = count(OptimizedOptions.allOff(), true, EconomyTest::zeroAll, EconomyTest::writeBlocks);
        assertThat(file.bytes).isGreaterThan((CLUSTERS - 1L) * CLUSTER);
        assertThat(file.writes).isGreaterThan(3 * (CLUSTERS - 1));
    }

    @Test
    @DisplayName(
            "QC-CMP-07: sixteen compressed clusters are one host write; sixteen small reads of one are one host read")
    void compressed() throws IOException {
        Work pack = disk -> disk.writeCompressed(CLUSTER, ByteBuffer.wrap(Images.filled(16 * CLUSTER, 3)));
        CountingFile written = count(OptimizedOptions.allOn(), true, EconomyTest::zeroAll, pack);
        assertThat(written.writes).isEqualTo(1);
        assertThat(written.bytes).isLessThan(CLUSTER);
        Work readBack = disk -> {
            for (int i = 0; i < 16; i++) {
                disk.read(3 * CLUSTER + i * BLOCK, ByteBuffer.allocate(BLOCK));
            }
        };
        assertThat(count(OptimizedOptions.allOn(), true, pack, readBack).reads).isEqualTo(1);
        OptimizedOptions without = OptimizedOptions.allOn().withCacheDecompressed(false);
        assertThat(count(without, true, pack, readBack).reads).isEqualTo(16);
    }

    @Test
    @DisplayName(
            "QC-SUB-11, QC-L2-11: with subclusters of 2 KiB an aligned block over data below is all that is written")
    void subclusters() throws IOException {
        FormatFeatures features = FormatFeatures.PLAIN.withExtendedL2();
        CountingFile aligned = count(OptimizedOptions.allOn(), features, true, disk -> {}, EconomyTest::writeBlocks);
        assertThat(aligned.writes).isEqualTo(CLUSTERS - 1);
        assertThat(aligned.bytes).isEqualTo((CLUSTERS - 1L) * BLOCK);
        assertThat(aligned.reads + aligned.zeroCalls).isZero();
        // Half a subcluster on each side is owed, and goes into the same write.
        Work odd = disk -> disk.write(CLUSTER + 1024, ByteBuffer.allocate(BLOCK));
        CountingFile unaligned = count(OptimizedOptions.allOn(), features, true, disk -> {}, odd);
        assertThat(unaligned.writes).isEqualTo(1);
        assertThat(unaligned.bytes).isEqualTo(BLOCK + 2048);
        Work second = disk -> disk.write(3 * BLOCK, ByteBuffer.allocate(BLOCK));
        assertThat(count(OptimizedOptions.allOn(), features, true, disk -> {}, second).bytes)
                .isEqualTo(BLOCK);
        OptimizedOptions without = OptimizedOptions.allOn().withSubclusterWrites(false);
        assertThat(count(without, features, true, disk -> {}, EconomyTest::writeBlocks).bytes)
                .isEqualTo((CLUSTERS - 1L) * CLUSTER);
        Work zeroes = disk -> disk.writeZeroes(2048, CLUSTER - 4096, VirtualDisk.ZeroMode.MAY_UNMAP);
        assertThat(count(OptimizedOptions.allOn(), features, true, disk -> {}, zeroes).bytes)
                .isZero();
    }
}
