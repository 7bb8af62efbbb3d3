package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Many threads at once; each has sectors of its own in clusters that all of them share. */
@Timeout(60)
class ConcurrencyTest {

    private static final int THREADS = 8;
    private static final int SECTOR = 64;
    private static final int CLUSTERS = 96;

    @ParameterizedTest
    @CsvSource({"2047, 9", "64, 9", "72, 9", "2046, 9", "2043, 9", "2039, 9", "0, 9", "2047, 14", "1023, 14", "2046, 14"
    })
    @DisplayName("QC-GUEST-01, QC-GUEST-05, QC-GUEST-12: no thread's bytes are lost, and the image is clean")
    void ownSectors(int switches, int clusterBits) throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        int size = CLUSTERS * 512;
        driver.create(directory, "disk", options(size, clusterBits));
        byte[] model = new byte[size];
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            List<Callable<Object>> workers = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int number = thread;
                workers.add(() -> work(disk, model, number));
            }
            workers.add(() -> flushOften(disk));
            runAll(workers);
            assertThat(Images.readAll(disk)).isEqualTo(model);
        }
        Images.assertClean(directory, "disk");
    }

    /** Large clusters have subclusters of 512 bytes. */
    private static CreateOptions options(int size, int clusterBits) {
        FormatFeatures features = clusterBits < 14 ? FormatFeatures.PLAIN : FormatFeatures.PLAIN.withExtendedL2();
        return CreateOptions.ofSize(size).withClusterBits(clusterBits).withFeatures(features);
    }

    /** The thread's sectors are every eighth one, so each cluster has one of each thread. */
    private static Object work(VirtualDisk disk, byte[] model, int number) throws Exception {
        SplittableRandom random = new SplittableRandom(number);
        for (int i = 0; i < 400; i++) {
            int offset = (random.nextInt(CLUSTERS) * THREADS + number) * SECTOR;
            byte[] bytes = Images.filled(SECTOR, random.nextInt(1, 256));
            if (random.nextInt(4) == 0) {
                bytes = new byte[SECTOR];
                disk.writeZeroes(offset, SECTOR, VirtualDisk.ZeroMode.MAY_UNMAP);
            } else {
                disk.write(offset, ByteBuffer.wrap(bytes));
            }
            System.arraycopy(bytes, 0, model, offset, SECTOR);
            byte[] read = new byte[SECTOR];
            disk.read(offset, ByteBuffer.wrap(read));
            assertThat(read).isEqualTo(bytes);
        }
        return model;
    }

    private static Object flushOften(VirtualDisk disk) throws Exception {
        for (int i = 0; i < 40; i++) {
            disk.flush();
            disk.deleteSnapshot(disk.createSnapshot("s").id());
        }
        return disk;
    }

    @ParameterizedTest
    @ValueSource(ints = {2047, 2047 - 32, 2047 - 4})
    @DisplayName("QC-GUEST-01, QC-REF-15: clusters come and go; a read sees one write as a whole, or zeros")
    void wholeClusters(int switches) throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        int size = 16 * 512;
        driver.create(directory, "disk", CreateOptions.ofSize(size).withClusterBits(9));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            List<Callable<Object>> workers = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int number = thread;
                workers.add(() -> comeAndGo(disk, number));
            }
            runAll(workers);
        }
        Images.assertClean(directory, "disk");
    }

    private static Object comeAndGo(VirtualDisk disk, int number) throws Exception {
        SplittableRandom random = new SplittableRandom(number);
        for (int i = 0; i < 500; i++) {
            int cluster = random.nextInt(16);
            switch (random.nextInt(6)) {
                case 0 -> disk.discard(cluster * 512L, 512);
                case 1 -> disk.flush();
                // The fill names the cluster, so bytes of another cluster would show.
                case 2 -> disk.write(cluster * 512L, ByteBuffer.wrap(Images.filled(512, cluster * 8 + number + 1)));
                case 3 ->
                    disk.writeCompressed(cluster * 512L, ByteBuffer.wrap(Images.filled(512, cluster * 8 + number + 1)));
                default -> checkWhole(disk, cluster);
            }
        }
        return disk;
    }

    private static void checkWhole(VirtualDisk disk, int cluster) throws Exception {
        byte[] read = Images.filled(512, 0xaa);
        disk.read(cluster * 512L, ByteBuffer.wrap(read));
        assertThat(read).containsOnly(read[0]);
        assertThat(read[0] == 0 || ((read[0] - 1) & 0xff) >> 3 == cluster)
                .as("cluster %d holds %d", cluster, read[0])
                .isTrue();
    }

    private static void runAll(List<Callable<Object>> workers) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(workers.size());
        CountDownLatch start = new CountDownLatch(workers.size());
        try {
            List<Future<Object>> results = new ArrayList<>();
            for (Callable<Object> worker : workers) {
                results.add(pool.submit(() -> {
                    start.countDown();
                    start.await();
                    return worker.call();
                }));
            }
            for (Future<Object> result : results) {
                result.get(50, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }
    }
}
