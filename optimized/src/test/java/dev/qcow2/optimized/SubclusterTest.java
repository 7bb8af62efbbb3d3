package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Extended L2 entries: what becomes of the bits, and what broken ones do. */
class SubclusterTest {

    private static final int CLUSTER = 1 << 16;
    private static final int SUB = CLUSTER / 32;
    private static final int SIZE = 8 * CLUSTER;

    /** Header, table, block, L1; then the L2 table of the first write. */
    private static final long L2_AT = 4L * CLUSTER;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final OptimizedDriver driver = new OptimizedDriver();

    private void create(boolean backing) throws DiskException {
        directory.create("base").write(0, ByteBuffer.wrap(Images.filled(SIZE, 7)));
        CreateOptions options = CreateOptions.ofSize(SIZE).withFeatures(FormatFeatures.PLAIN.withExtendedL2());
        driver.create(
                directory,
                "disk",
                backing ? options.withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW)) : options);
    }

    private VirtualDisk open() throws DiskException {
        return driver.open(directory, "disk", Images.WRITE);
    }

    private long word(long offset) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(8);
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            file.readZeroPadded(offset, bytes);
        }
        return bytes.getLong(0);
    }

    private void poke(long offset, long value) throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.write(offset, ByteBuffer.allocate(8).putLong(value).flip());
        }
    }

    @Test
    @DisplayName("QC-SUB-01 to 05, QC-SUB-11, QC-SUB-13: a write makes the subclusters that it touches, and no others")
    void touchesFew() throws IOException {
        create(true);
        try (VirtualDisk disk = open()) {
            disk.write(3 * SUB + 100, ByteBuffer.wrap(Images.filled(SUB, 9)));
            disk.flush();
            assertThat(word(L2_AT + 8)).isEqualTo(0b11000);
            disk.writeZeroes(10 * SUB, 2 * SUB, ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(4 * SUB, SUB, ZeroMode.MAY_UNMAP);
            disk.flush();
            assertThat(word(L2_AT + 8)).isEqualTo(0b1000 | (0b1100_0001_0000L << 32));
            assertThat(disk.status(0, CLUSTER))
                    .containsExactly(
                            new BlockStatus(0, 3 * SUB, Content.DATA, true, 1),
                            new BlockStatus(3 * SUB, SUB, Content.DATA, true, 0),
                            new BlockStatus(4 * SUB, SUB, Content.ZERO, true, 0),
                            new BlockStatus(5 * SUB, 5 * SUB, Content.DATA, true, 1),
                            new BlockStatus(10 * SUB, 2 * SUB, Content.ZERO, true, 0),
                            new BlockStatus(12 * SUB, 20 * SUB, Content.DATA, true, 1));
        }
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName(
            "QC-SUB-10, QC-SUB-12, QC-SUB-14, QC-REF-02: a shared cluster moves with its allocated subclusters, the others stay as they were")
    void movesWhenShared() throws IOException {
        create(true);
        byte[] model = Images.filled(SIZE, 7);
        try (VirtualDisk disk = open()) {
            for (int sub : new int[] {2, 3, 20}) {
                disk.write((long) sub * SUB, ByteBuffer.wrap(Images.filled(SUB, sub)));
                System.arraycopy(Images.filled(SUB, sub), 0, model, sub * SUB, SUB);
            }
            disk.writeZeroes(8 * SUB, SUB, ZeroMode.MAY_UNMAP);
            System.arraycopy(new byte[SUB], 0, model, 8 * SUB, SUB);
            byte[] before = model.clone();
            SnapshotInfo snapshot = disk.createSnapshot("s");
            disk.write(10 * SUB + 5, ByteBuffer.wrap(Images.filled(10, 0x55)));
            System.arraycopy(Images.filled(10, 0x55), 0, model, 10 * SUB + 5, 10);
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
            assertThat(disk.status(4 * SUB, 4 * SUB))
                    .containsExactly(new BlockStatus(4 * SUB, 4 * SUB, Content.DATA, true, 1));
            disk.applySnapshot(snapshot.id());
            assertThat(Arrays.mismatch(Images.readAll(disk), before)).isEqualTo(-1);
            disk.deleteSnapshot(snapshot.id());
        }
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName(
            "QC-CMP-09, QC-SUB-08: compressed clusters stand next to subclusters, and become whole ones when written")
    void compressedNeighbours() throws IOException {
        create(true);
        byte[] model = Images.filled(SIZE, 7);
        try (VirtualDisk disk = open()) {
            disk.writeCompressed(CLUSTER, ByteBuffer.wrap(Images.filled(2 * CLUSTER, 5)));
            System.arraycopy(Images.filled(2 * CLUSTER, 5), 0, model, CLUSTER, 2 * CLUSTER);
            disk.write(CLUSTER - SUB, ByteBuffer.wrap(Images.filled(3 * SUB, 6)));
            System.arraycopy(Images.filled(3 * SUB, 6), 0, model, CLUSTER - SUB, 3 * SUB);
            disk.writeZeroes(2 * CLUSTER + SUB, SUB + 7, ZeroMode.MAY_UNMAP);
            System.arraycopy(new byte[SUB + 7], 0, model, 2 * CLUSTER + SUB, SUB + 7);
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
            disk.flush();
            assertThat(word(L2_AT + 16 + 8)).isEqualTo(0xffff_ffffL);
        }
        Images.assertClean(directory, "disk");
    }

    @ParameterizedTest
    @CsvSource({
        "8, 0000000100000001, QC_SUB_06",
        "24, 0000000000000001, QC_SUB_07",
        "0, 8000000000050001, QC_SUB_09",
        "0, 4000000000050000, QC_SUB_08",
        "0, 8000000000050004, QC_L2_05",
    })
    @DisplayName(
            "QC-SUB-06, QC-SUB-07, QC-SUB-08, QC-SUB-09: what can't be said together is told as corrupt, with the entry's place")
    void contradictions(int offset, String hex, String clause) throws IOException {
        create(false);
        try (VirtualDisk disk = open()) {
            disk.write(0, ByteBuffer.wrap(Images.filled(SUB, 9)));
        }
        poke(L2_AT + offset, Long.parseUnsignedLong(hex, 16));
        try (VirtualDisk disk = open()) {
            for (int attempt = 0; attempt < 2; attempt++) {
                assertThatThrownBy(() -> disk.read(0, ByteBuffer.allocate(2 * CLUSTER)))
                        .isInstanceOfSatisfying(CorruptImageException.class, e -> {
                            assertThat(e.clause().name()).isEqualTo(clause);
                            assertThat(e.hostOffset()).isBetween(L2_AT, L2_AT + 31);
                        });
                assertThatThrownBy(() -> disk.write(0, ByteBuffer.allocate(2 * CLUSTER)))
                        .isInstanceOf(ImageException.class);
                assertThatThrownBy(() -> disk.discard(0, 2 * CLUSTER)).isInstanceOf(ImageException.class);
            }
        }
    }

    @Test
    @DisplayName("QC-HDR-29, QC-HDR-20: whatever bytes of the tables are spoilt, the answer is typed")
    void spoilt() throws IOException {
        create(true);
        try (VirtualDisk disk = open()) {
            Images.change(disk, Images.filled(SIZE, 7), CLUSTER, 1, Action.Kind.values());
            disk.createSnapshot("s");
            Images.change(disk, Images.filled(SIZE, 7), CLUSTER, 2, Action.Kind.values());
        }
        for (int seed = 0; seed < 60; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            MemoryHostDirectory broken = directory.copy();
            try (HostFile file = broken.open("disk", Access.READ_WRITE)) {
                byte[] noise = new byte[random.nextInt(1, 9)];
                random.nextBytes(noise);
                file.write(
                        random.nextInt(3) == 0
                                ? random.nextInt(112)
                                : random.nextInt(12) * CLUSTER + random.nextInt(256),
                        ByteBuffer.wrap(noise));
            }
            try (VirtualDisk disk = driver.open(broken, "disk", Images.WRITE)) {
                Images.change(disk, new byte[(int) Math.min(disk.size(), SIZE)], CLUSTER, seed, Action.Kind.values());
            } catch (DiskException e) {
                assertThat(e.advice()).isNotEmpty();
            }
        }
    }

    @Test
    @DisplayName("Zeroes that end inside a subcluster keep the host cluster that their last part needs (QC-SUB-01)")
    void zeroesKeepTheClusterOfTheirPart() throws DiskException {
        create(true);
        long before;
        try (VirtualDisk disk = open()) {
            disk.write(SUB, ByteBuffer.wrap(Images.filled(SUB, 1)));
            disk.writeZeroes(SUB, SUB, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
            disk.flush();
            before = word(L2_AT);
            disk.writeZeroes(0, 2 * SUB + 100, VirtualDisk.ZeroMode.MAY_UNMAP);
            ByteBuffer bytes = ByteBuffer.allocate(3 * SUB);
            disk.read(0, bytes);
            assertThat(bytes.get(2 * SUB + 99)).isZero();
            assertThat(bytes.get(2 * SUB + 100)).isEqualTo((byte) 7);
        }
        assertThat(before).isNotZero();
        assertThat(word(L2_AT)).isEqualTo(before);
    }
}
