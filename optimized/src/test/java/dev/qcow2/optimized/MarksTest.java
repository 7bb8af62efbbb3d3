package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The marks in the header that say what state an image was left in. */
class MarksTest {

    private static final int CLUSTER = 65536;
    private static final long L1_OFFSET = 3 * CLUSTER;
    private static final int DIRTY_AT = 79;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    private void create(boolean lazy, int version) throws DiskException {
        FormatFeatures features = lazy ? FormatFeatures.PLAIN.withLazyRefcounts() : FormatFeatures.PLAIN;
        new OptimizedDriver()
                .create(directory, "disk", new CreateOptions(10 * CLUSTER, version, 16, 4, Optional.empty(), features));
    }

    private int mark() throws DiskException {
        return Images.bytes(directory, "disk", DIRTY_AT, 1)[0];
    }

    @ParameterizedTest
    @ValueSource(ints = {511, 256, 255, 0})
    @DisplayName(
            "QC-HDR-16, QC-HDR-22, QC-MNT-08: the dirty bit is set while counts are postponed, and goes when the disk is closed")
    void dirtyWhilePostponed(int switches) throws IOException {
        create(true, 3);
        Images.poke(directory, "disk", 80, (byte) 0x40);
        boolean postpones = (switches & 256) != 0;
        try (VirtualDisk disk =
                new OptimizedDriver(OptimizedOptions.of(switches)).open(directory, "disk", Images.WRITE)) {
            assertThat(mark()).isZero();
            disk.write(0, ByteBuffer.wrap(Images.filled(100, 1)));
            disk.flush();
            assertThat(mark()).isEqualTo(postpones ? 1 : 0);
            assertThat(Images.audit(directory, "disk").clean()).isEqualTo(!postpones);
        }
        assertThat(mark()).isZero();
        assertThat(Images.bytes(directory, "disk", 80, 8)).containsExactly(0x40, 0, 0, 0, 0, 0, 0, 1);
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName("QC-HDR-22: without the compatible bit no count is postponed")
    void notPermitted() throws IOException {
        create(false, 3);
        try (VirtualDisk disk = new OptimizedDriver().open(directory, "disk", Images.WRITE)) {
            disk.write(0, ByteBuffer.wrap(Images.filled(100, 1)));
            disk.flush();
            assertThat(mark()).isZero();
            Images.assertClean(directory, "disk");
        }
    }

    @Test
    @DisplayName("postponed counts cost no write between flushes")
    void savesWrites() throws IOException {
        assertThat(writes(true)).isLessThan(writes(false));
    }

    private int writes(boolean lazy) throws IOException {
        create(lazy, 3);
        List<RecordingHostFile> files = new ArrayList<>();
        try (VirtualDisk disk = new OptimizedDriver()
                .open(
                        Images.wrapping(directory, "disk", file -> {
                            files.add(new RecordingHostFile(file));
                            return files.get(0);
                        }),
                        "disk",
                        Images.WRITE)) {
            for (int i = 0; i < 10; i++) {
                disk.write((long) i * CLUSTER, ByteBuffer.wrap(Images.filled(100, 1)));
                disk.flush();
            }
        }
        return files.get(0).events().size();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    @DisplayName(
            "QC-HDR-17, QC-MNT-10: broken metadata stops all changes; what was acknowledged before is kept, and can be read")
    void corruptStops(int version) throws IOException {
        create(false, version);
        OptimizedDriver driver = new OptimizedDriver();
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(0, ByteBuffer.wrap(Images.filled(CLUSTER, 1)));
            disk.write(5 * CLUSTER, ByteBuffer.wrap(Images.filled(CLUSTER, 5)));
        }
        long table =
                ByteBuffer.wrap(Images.bytes(directory, "disk", L1_OFFSET, 8)).getLong() & ~EntryBits.COPIED;
        // An entry that names no whole cluster.
        Images.poke(directory, "disk", table + 8 * 5 + 6, (byte) 0x02);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(2 * CLUSTER, ByteBuffer.wrap(Images.filled(CLUSTER, 2)));
            assertThatThrownBy(() -> disk.read(5 * CLUSTER, ByteBuffer.allocate(10)))
                    .isInstanceOf(CorruptImageException.class);
            assertThat(mark()).isEqualTo(version == 3 ? 2 : 0);
            assertStopped(() -> disk.write(0, ByteBuffer.allocate(10)));
            assertStopped(() -> disk.discard(0, CLUSTER));
            assertStopped(() -> disk.createSnapshot("one"));
            assertStopped(disk::flush);
            disk.read(2 * CLUSTER, ByteBuffer.allocate(10));
        }
        if (version == 3) {
            assertStopped(() -> driver.open(directory, "disk", Images.WRITE));
        }
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readOnly())) {
            byte[] bytes = new byte[3 * CLUSTER];
            disk.read(0, ByteBuffer.wrap(bytes));
            assertThat(bytes[0]).isEqualTo((byte) 1);
            assertThat(bytes[2 * CLUSTER]).isEqualTo((byte) 2);
        }
    }

    private static void assertStopped(org.assertj.core.api.ThrowableAssert.ThrowingCallable change) {
        assertThatThrownBy(change)
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("corrupt");
    }

    @Test
    @DisplayName("QC-HDR-17: a broken backing file is no reason to mark the image above it")
    void brokenBelow() throws IOException {
        create(false, 3);
        OptimizedDriver driver = new OptimizedDriver();
        Images.poke(directory, "disk", L1_OFFSET + 6, (byte) 2);
        driver.create(
                directory,
                "top",
                CreateOptions.ofSize(CLUSTER).withBacking("disk", Optional.of(CreateOptions.BackingFormat.QCOW2)));
        try (VirtualDisk disk = driver.open(directory, "top", Images.WRITE)) {
            assertThatThrownBy(() -> disk.read(0, ByteBuffer.allocate(10))).isInstanceOf(CorruptImageException.class);
            disk.writeZeroes(0, CLUSTER, VirtualDisk.ZeroMode.MAY_UNMAP);
        }
        assertThat(mark()).isZero();
        Images.assertClean(directory, "top");
    }
}
