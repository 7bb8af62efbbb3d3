package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Extended L2 entries: what each subcluster is, and which bitmaps are broken. */
class SubclusterTest {

    private static final int CLUSTER = 1 << 16;
    private static final int SUB = CLUSTER / 32;
    private static final OpenOptions FOLLOW = OpenOptions.readWrite().followingBacking();

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final ReferenceDriver driver = new ReferenceDriver();

    private VirtualDisk disk(CreateOptions options) throws DiskException {
        driver.create(directory, "image", options.withFeatures(FormatFeatures.PLAIN.withExtendedL2()));
        return driver.open(directory, "image", FOLLOW);
    }

    private VirtualDisk overBacking() throws DiskException {
        byte[] base = new byte[2 * CLUSTER];
        Arrays.fill(base, (byte) 'b');
        try (HostFile file = directory.create("base")) {
            file.write(0, ByteBuffer.wrap(base));
        }
        return disk(CreateOptions.ofSize(2 * CLUSTER).withBacking("base", Optional.of(BackingFormat.RAW)));
    }

    private void requireClean() throws DiskException {
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            assertThat(report.clean()).as(report.toText()).isTrue();
        }
    }

    private static BlockStatus status(int from, int to, Content content, int depth) {
        return new BlockStatus((long) from * SUB, (long) (to - from) * SUB, content, true, depth);
    }

    @Test
    @DisplayName(
            "QC-HDR-20 QC-L2-11 a write makes the subclusters normal that it touches, and copies what is around it")
    void writeTouchesSubclusters() throws DiskException {
        try (VirtualDisk disk = overBacking()) {
            disk.write(2 * SUB + 100, ByteBuffer.allocate(SUB));
            assertThat(disk.status(0, CLUSTER))
                    .containsExactly(
                            status(0, 2, Content.DATA, 1),
                            status(2, 4, Content.DATA, 0),
                            status(4, 32, Content.DATA, 1));
            ByteBuffer seen = ByteBuffer.allocate(CLUSTER);
            disk.read(0, seen);
            for (int i = 0; i < CLUSTER; i++) {
                boolean written = i >= 2 * SUB + 100 && i < 3 * SUB + 100;
                assertThat(seen.get(i)).as("byte %d", i).isEqualTo(written ? 0 : (byte) 'b');
            }
        }
        requireClean();
    }

    @Test
    @DisplayName("QC-HDR-20 QC-GUEST-03 zeroes set the bits of whole subclusters, and write zeros into parts")
    void zeroesBySubcluster() throws DiskException {
        try (VirtualDisk disk = overBacking()) {
            disk.writeZeroes(4 * SUB, 3 * SUB, ZeroMode.KEEP_ALLOCATION);
            assertThat(directory.content("image").toByteArray().length).isLessThanOrEqualTo(5 * CLUSTER);
            disk.writeZeroes(10 * SUB - 1, 2 * SUB + 1, ZeroMode.MAY_UNMAP);
            assertThat(disk.status(0, CLUSTER))
                    .containsExactly(
                            status(0, 4, Content.DATA, 1),
                            status(4, 7, Content.ZERO, 0),
                            status(7, 9, Content.DATA, 1),
                            status(9, 10, Content.DATA, 0),
                            status(10, 12, Content.ZERO, 0),
                            status(12, 32, Content.DATA, 1));
            requireClean();
            String id = disk.createSnapshot("s").id();
            requireClean();
            disk.writeZeroes(0, 31 * SUB, ZeroMode.KEEP_ALLOCATION);
            requireClean();
            disk.write(5 * SUB, ByteBuffer.wrap(new byte[] {1}));
            requireClean();
            disk.applySnapshot(id);
            assertThat(disk.status(0, 7 * SUB))
                    .containsExactly(status(0, 4, Content.DATA, 1), status(4, 7, Content.ZERO, 0));
            disk.discard(0, CLUSTER);
            disk.deleteSnapshot(id);
            assertThat(disk.status(0, CLUSTER)).containsExactly(status(0, 32, Content.ZERO, 0));
        }
        requireClean();
    }

    @Test
    @DisplayName("QC-HDR-20 compressed data has no subclusters: zeroing a part of it unpacks it")
    void besideCompressed() throws DiskException {
        byte[] packable = new byte[CLUSTER];
        Arrays.fill(packable, (byte) 'c');
        try (VirtualDisk disk = disk(CreateOptions.ofSize(2 * CLUSTER))) {
            disk.writeCompressed(0, ByteBuffer.wrap(packable));
            disk.write(CLUSTER + 5, ByteBuffer.wrap(new byte[] {1}));
            requireClean();
            disk.writeZeroes(SUB, SUB, ZeroMode.MAY_UNMAP);
            assertThat(disk.status(0, 2 * CLUSTER))
                    .containsExactly(
                            status(0, 33, Content.DATA, 0),
                            new BlockStatus(33 * SUB, 31 * SUB, Content.ZERO, false, 0));
        }
        requireClean();
    }

    @ParameterizedTest(name = "{2}: bitmap {1} beside entry {0}")
    @CsvSource({
        "0, 0x0000000000000001, QC-SUB-07",
        "0, 0x0000000100000001, QC-SUB-06",
        "0x8000000000050000, 0x0000000200000002, QC-SUB-06",
        "0x4000000000050000, 0x0000000100000000, QC-SUB-08",
        "1, 0, QC-L2-08",
        "0x8000000000050001, 0, QC-L2-08",
    })
    void brokenBitmap(String entry, String bitmap, String clause) throws DiskException {
        try (VirtualDisk disk = disk(CreateOptions.ofSize(2 * CLUSTER))) {
            disk.write(0, ByteBuffer.allocate(1));
        }
        try (HostFile file = directory.open("image", Access.READ_WRITE)) {
            Mapping mapping = Image.of(file).locate(new GuestCluster(0));
            ByteBuffer broken = ByteBuffer.allocate(16);
            broken.putLong(
                    0,
                    Long.decode(entry.startsWith("0x8") ? entry.replace("0x8", "0x") : entry)
                            | (entry.startsWith("0x8") ? Long.MIN_VALUE : 0));
            file.write(mapping.l2At(), broken.putLong(8, Long.decode(bitmap)));
        }
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            CorruptImageException read =
                    catchThrowableOfType(CorruptImageException.class, () -> disk.read(0, ByteBuffer.allocate(1)));
            assertThat(read.clause().id()).isEqualTo(clause);
            CorruptImageException write = catchThrowableOfType(
                    CorruptImageException.class, () -> disk.writeZeroes(0, SUB, ZeroMode.MAY_UNMAP));
            // The image is marked as corrupt by then.
            assertThat(write.clause().id()).isIn(clause, "QC-HDR-17");
        }
    }

    @Test
    @DisplayName("QC-HDR-29 clusters that are too small for subclusters are refused")
    void smallClusters() throws DiskException {
        driver.create(directory, "image", CreateOptions.ofSize(CLUSTER).withClusterBits(13));
        try (HostFile file = directory.open("image", Access.READ_WRITE)) {
            file.write(79, ByteBuffer.wrap(new byte[] {16}));
        }
        MalformedImageException refusal =
                catchThrowableOfType(MalformedImageException.class, () -> driver.open(directory, "image", FOLLOW));
        assertThat(refusal.clause().id()).isEqualTo("QC-HDR-29");
        assertThat(refusal.hostOffset()).isEqualTo(20);
    }
}
