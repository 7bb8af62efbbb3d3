package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many bytes of heap a request takes in the steady state. No time is measured; what the caches take when they meet a
 * table for the first time counts too, and is a few bytes per request.
 */
class AllocationTest {

    private static final int REQUESTS = 4096;
    private static final int CLUSTER = 4096;
    private static final int BLOCK = 512;
    private static final double FEW_BYTES = 32;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path top;

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BLOCK);

    /** What is done again and again. */
    private interface Work {
        void on(VirtualDisk disk, long offset) throws IOException;
    }

    @BeforeEach
    void canMeasure() {
        assumeTrue(
                ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads
                        && threads.isThreadAllocatedMemorySupported(),
                "this Java can't tell how many bytes a thread has allocated");
    }

    private void write(VirtualDisk disk, long offset) throws IOException {
        disk.write(offset, buffer.clear());
    }

    private void read(VirtualDisk disk, long offset) throws IOException {
        disk.read(offset, buffer.clear());
    }

    /** Bytes per request; each cluster is met once. */
    private double bytesPerRequest(Work before, Work work, Optional<String> backing) throws IOException {
        RealHostDirectory directory = new RealHostDirectory(top, Durability.NONE);
        OptimizedDriver driver = new OptimizedDriver();
        CreateOptions options = CreateOptions.ofSize((long) REQUESTS * CLUSTER).withClusterBits(12);
        driver.create(directory, "base", options);
        try (VirtualDisk base = driver.open(directory, "base", Images.WRITE)) {
            fill(base, 0);
        }
        driver.create(
                directory,
                "disk",
                backing.map(name -> options.withBacking(name, Optional.of(BackingFormat.QCOW2)))
                        .orElse(options));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            before.on(disk, 0);
        }
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            // Classes are loaded, buffers and requests are made by the first ones.
            for (long i = 0; i < REQUESTS / 8; i++) {
                work.on(disk, i * CLUSTER);
            }
            long start = allocated();
            for (long i = REQUESTS / 8; i < REQUESTS; i++) {
                work.on(disk, i * CLUSTER);
            }
            return (allocated() - start) / (REQUESTS * 7 / 8.0);
        }
    }

    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    private static void fill(VirtualDisk disk, long from) throws IOException {
        ByteBuffer data = ByteBuffer.wrap(Images.filled(1 << 20, 0x5a));
        for (long at = from; at < disk.size(); at += data.capacity()) {
            disk.write(at, data.clear());
        }
    }

    @Test
    @DisplayName("QC-GUEST-03: a rewrite in place, and a read, make no objects")
    void inPlace() throws IOException {
        assertThat(bytesPerRequest(AllocationTest::fill, this::write, Optional.empty()))
                .isLessThan(FEW_BYTES);
        assertThat(bytesPerRequest(AllocationTest::fill, this::read, Optional.empty()))
                .isLessThan(FEW_BYTES);
    }

    @Test
    @DisplayName("QC-L2-11: a write into a zero cluster makes no objects")
    void zeroClusters() throws IOException {
        Work zero = (disk, offset) -> disk.writeZeroes(0, disk.size(), ZeroMode.MAY_UNMAP);
        assertThat(bytesPerRequest(zero, this::write, Optional.empty())).isLessThan(FEW_BYTES);
    }

    @Test
    @DisplayName("QC-L2-11: a write that owes a copy makes no objects, nor does a read of what lies below")
    void dataBelow() throws IOException {
        Work nothing = (disk, offset) -> {};
        assertThat(bytesPerRequest(nothing, this::write, Optional.of("base"))).isLessThan(FEW_BYTES);
        assertThat(bytesPerRequest(nothing, this::read, Optional.of("base"))).isLessThan(FEW_BYTES);
    }
}
