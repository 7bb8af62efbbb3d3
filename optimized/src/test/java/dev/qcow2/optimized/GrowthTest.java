package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables that must become longer while the image is in use. */
class GrowthTest {

    @ParameterizedTest
    @ValueSource(ints = {2047, 0, 2047 - 16, 2047 - 8, 2047 - 256})
    @DisplayName("QC-REF-10, QC-REF-12: the refcount table grows, again and again, and the image stays clean")
    void refcountTable(int switches) throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        int size = 9 << 20;
        driver.create(
                directory, "disk", CreateOptions.ofSize(size).withClusterBits(9).withRefcountOrder(6));
        byte[] model = new byte[size];
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            for (int at = 0; at < size; at += 300_000) {
                int length = Math.min(size - at, 300_000);
                disk.write(at, ByteBuffer.wrap(Images.filled(length, at >> 12)));
                Arrays.fill(model, at, at + length, (byte) (at >> 12));
            }
            assertThat(Images.readAll(disk)).isEqualTo(model);
        }
        assertThat(field(directory, 56)).isGreaterThan(1);
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName("QC-L1-06: a short L1 table reads as unallocated behind its end, and is replaced when it is needed")
    void shortL1() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", CreateOptions.ofSize(3 << 20).withClusterBits(9));
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.write(36, ByteBuffer.allocate(4).putInt(0, 2));
        }
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Images.readAll(disk)).containsOnly(0);
            assertThat(disk.status(0, disk.size())).hasSize(1);
            disk.write(100, ByteBuffer.wrap(Images.filled(100, 1)));
            disk.write(2_500_000, ByteBuffer.wrap(Images.filled(100_000, 2)));
            assertThat(Images.readAll(disk)[2_550_000]).isEqualTo((byte) 2);
        }
        assertThat(field(directory, 36)).isEqualTo(96);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Images.readAll(disk)[150]).isEqualTo((byte) 1);
            assertThat(Images.readAll(disk)[2_550_000]).isEqualTo((byte) 2);
        }
        // The clusters of the old table that its two entries did not count were leaked by the test itself.
        assertThat(Images.audit(directory, "disk").sound()).isTrue();
    }

    @Test
    @DisplayName("QC-REF-11, QC-SNAP-01: a snapshot that a count has no room for is refused, and changes nothing")
    void overflow() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(100_000).withClusterBits(9).withRefcountOrder(1));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(5_000, ByteBuffer.wrap(Images.filled(10_000, 3)));
            disk.createSnapshot("1");
            disk.createSnapshot("2");
            assertThatThrownBy(() -> disk.createSnapshot("3"))
                    .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                            .isEqualTo(RefcountClause.QC_REF_11));
            assertThat(disk.snapshots()).hasSize(2);
            disk.applySnapshot("1");
            disk.deleteSnapshot("2");
            disk.createSnapshot("3");
        }
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName("QC-REF-15: freed clusters are used again after a flush, so the file does not grow for ever")
    void reuse() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", CreateOptions.ofSize(100_000).withClusterBits(9));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            for (int i = 0; i < 50; i++) {
                disk.write(0, ByteBuffer.wrap(Images.filled(50_000, i)));
                disk.discard(0, 50_000);
                disk.flush();
            }
        }
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            assertThat(file.size()).isLessThan(70_000);
        }
    }

    private static int field(MemoryHostDirectory directory, long offset) throws IOException {
        ByteBuffer value = ByteBuffer.allocate(4);
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            file.readZeroPadded(offset, value);
        }
        return value.getInt(0);
    }
}
