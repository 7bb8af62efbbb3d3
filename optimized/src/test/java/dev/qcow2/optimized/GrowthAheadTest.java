package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The host file grows before it is written: seldom, never over data, and not for ever. */
class GrowthAheadTest {

    private static final int CLUSTER = 65536;
    private static final int CLUSTERS = 400;

    /** Watches that nothing which was written is cut off or zeroed. */
    private static final class WatchedFile extends ForwardingHostFile {
        private final boolean refuses;
        private long writtenEnd;
        private int longerWrites;
        private int lengthened;
        private int reserved;

        WatchedFile(HostFile target, boolean refuses) {
            super(target);
            this.refuses = refuses;
        }

        @Override
        public synchronized void write(long hostOffset, ByteBuffer from) throws DiskException {
            long end = hostOffset + from.remaining();
            longerWrites += end > size() ? 1 : 0;
            writtenEnd = Math.max(writtenEnd, end);
            super.write(hostOffset, from);
        }

        @Override
        public synchronized boolean zero(long hostOffset, long length) throws DiskException {
            if (length <= CLUSTER) {
                // A metadata cluster.
                return super.zero(hostOffset, length);
            }
            assertThat(hostOffset).isGreaterThanOrEqualTo(writtenEnd);
            reserved++;
            refuse("zero");
            return super.zero(hostOffset, length);
        }

        @Override
        public synchronized void truncate(long size) throws DiskException {
            assertThat(size).isGreaterThanOrEqualTo(writtenEnd);
            lengthened++;
            refuse("truncate");
            super.truncate(size);
        }

        private void refuse(String what) throws DiskException {
            if (refuses) {
                throw new NoSpaceException(name(), what);
            }
        }
    }

    /** Writes part of each cluster, or all of it, and returns what the host saw before the disk was closed. */
    private static WatchedFile write(MemoryHostDirectory directory, int length, boolean refuses, boolean on)
            throws IOException {
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.allOn().withGrowAhead(on));
        driver.create(directory, "disk", CreateOptions.ofSize((long) CLUSTER * CLUSTERS));
        List<WatchedFile> files = new ArrayList<>();
        try (VirtualDisk disk = driver.open(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new WatchedFile(file, refuses));
                    return files.get(0);
                }),
                "disk",
                Images.WRITE)) {
            disk.writeZeroes(0, disk.size(), ZeroMode.MAY_UNMAP);
            for (int cluster = 0; cluster < CLUSTERS; cluster++) {
                disk.write((long) cluster * CLUSTER, ByteBuffer.wrap(Images.filled(length, cluster)));
            }
            disk.flush();
            Images.assertClean(directory, "disk");
            byte[] all = Images.readAll(disk);
            for (int cluster = 0; cluster < CLUSTERS; cluster++) {
                assertThat(all[cluster * CLUSTER + length - 1]).isEqualTo((byte) cluster);
                assertThat(all[(cluster + 1) * CLUSTER - 1]).isEqualTo(length == CLUSTER ? (byte) cluster : 0);
            }
        }
        Images.assertClean(directory, "disk");
        return files.get(0);
    }

    private static long length(MemoryHostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("disk", Images.WRITE.access())) {
            return file.size();
        }
    }

    @Test
    @DisplayName("QC-GUEST-11: where writes leave holes, the file gets longer in few steps, and no space is reserved")
    void holes() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        WatchedFile file = write(directory, 4096, false, true);
        assertThat(file.longerWrites).isZero();
        assertThat(file.reserved).isZero();
        assertThat(file.lengthened).isBetween(2, 12);
    }

    @Test
    @DisplayName("QC-GUEST-11: where whole clusters are written, space is reserved, and only where nobody has written")
    void wholeClusters() throws IOException {
        WatchedFile file = write(new MemoryHostDirectory(), CLUSTER, false, true);
        assertThat(file.longerWrites).isZero();
        assertThat(file.reserved).isBetween(1, 12);
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, CLUSTER})
    @DisplayName("QC-REF-01: a closed file ends where its clusters end, as it does without the optimisation")
    void trimmed(int length) throws IOException {
        MemoryHostDirectory ahead = new MemoryHostDirectory();
        write(ahead, length, false, true);
        MemoryHostDirectory plain = new MemoryHostDirectory();
        WatchedFile file = write(plain, length, false, false);
        assertThat(file.longerWrites).isPositive();
        assertThat(file.lengthened + file.reserved).isZero();
        long clusters = (length(plain) + CLUSTER - 1) / CLUSTER;
        assertThat(length(ahead)).isEqualTo(clusters * CLUSTER);
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, CLUSTER})
    @DisplayName("QC-GUEST-10: a host that refuses is asked once or twice, and no request fails for it")
    void refused(int length) throws IOException {
        WatchedFile file = write(new MemoryHostDirectory(), length, true, true);
        assertThat(file.lengthened).isBetween(1, 2);
        assertThat(file.longerWrites).isPositive();
    }

    @Test
    @DisplayName("QC-GUEST-12: while many threads write new clusters nothing that was written is lost")
    void concurrent() throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", CreateOptions.ofSize(512L * 4096).withClusterBits(9));
        List<WatchedFile> files = new ArrayList<>();
        try (VirtualDisk disk = driver.open(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new WatchedFile(file, false));
                    return files.get(0);
                }),
                "disk",
                Images.WRITE)) {
            List<Thread> threads = new ArrayList<>();
            for (int first = 0; first < 8; first++) {
                int number = first;
                Thread thread = new Thread(() -> writeEveryEighth(disk, number));
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            byte[] all = Images.readAll(disk);
            for (int cluster = 0; cluster < 4096; cluster++) {
                assertThat(all[cluster * 512 + 511]).isEqualTo((byte) (cluster | 1));
            }
        }
        Images.assertClean(directory, "disk");
    }

    private static void writeEveryEighth(VirtualDisk disk, int first) {
        try {
            for (int cluster = first; cluster < 4096; cluster += 8) {
                disk.write(cluster * 512L, ByteBuffer.wrap(Images.filled(512, cluster | 1)));
            }
        } catch (DiskException e) {
            throw new IllegalStateException(e);
        }
    }
}
