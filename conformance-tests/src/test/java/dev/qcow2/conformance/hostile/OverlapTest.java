package dev.qcow2.conformance.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Images in which a cluster with a table of the image looks like something else: like a guest cluster, like another table,
 * or like free space. Whoever writes to such an image must stop, and leave the table as it is.
 */
class OverlapTest {

    private static final int CLUSTER = 4096;
    private static final long TABLE_SPAN = 512L * CLUSTER;
    private static final long SIZE = 4 * TABLE_SPAN;
    private static final long COPIED = 1L << 63;

    /** The guest cluster whose entry is bent; nothing else of its table is used by the requests. */
    private static final long BENT = 3L * CLUSTER;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    /** Which of the latest uses was the first that failed. */
    private int firstToTell;

    /** A table that lies in a cluster which is made to look like something else. */
    private enum Victim {
        L2_TABLE {
            @Override
            long offset(ByteBuffer image) {
                return image.getLong(Math.toIntExact(image.getLong(40)) + 8) & ~COPIED;
            }
        },
        REFCOUNT_BLOCK {
            @Override
            long offset(ByteBuffer image) {
                return image.getLong(Math.toIntExact(image.getLong(48)));
            }
        },
        REFCOUNT_TABLE {
            @Override
            long offset(ByteBuffer image) {
                return image.getLong(48);
            }
        },
        L1_TABLE {
            @Override
            long offset(ByteBuffer image) {
                return image.getLong(40);
            }
        },
        SNAPSHOT_TABLE {
            @Override
            long offset(ByteBuffer image) {
                return image.getLong(64);
            }
        },
        SNAPSHOT_L1_TABLE {
            @Override
            long offset(ByteBuffer image) {
                return image.getLong(Math.toIntExact(image.getLong(64)));
            }
        },
        BITMAP_DIRECTORY {
            @Override
            long offset(ByteBuffer image) {
                int at = image.getInt(100);
                while (image.getInt(at) != 0x23852875) {
                    at += 8 + ((image.getInt(at + 4) + 7) & ~7);
                }
                return image.getLong(at + 24);
            }
        };

        abstract long offset(ByteBuffer image);
    }

    /** What a guest may ask of the bent cluster. */
    private enum Request {
        WRITE_PART {
            @Override
            void on(VirtualDisk disk) throws DiskException {
                disk.write(BENT + 100, bytes(1000));
            }
        },
        WRITE_WHOLE {
            @Override
            void on(VirtualDisk disk) throws DiskException {
                disk.write(BENT - CLUSTER, bytes(3 * CLUSTER));
            }
        },
        WRITE_COMPRESSED {
            @Override
            void on(VirtualDisk disk) throws DiskException {
                disk.writeCompressed(BENT, ByteBuffer.allocate(CLUSTER));
            }
        },
        ZERO_KEEPING {
            @Override
            void on(VirtualDisk disk) throws DiskException {
                disk.writeZeroes(BENT, CLUSTER, ZeroMode.KEEP_ALLOCATION);
                disk.write(BENT + 100, bytes(1000));
            }
        },
        ZERO_UNMAPPING {
            @Override
            void on(VirtualDisk disk) throws DiskException {
                disk.writeZeroes(BENT, CLUSTER, ZeroMode.MAY_UNMAP);
            }
        },
        DISCARD {
            @Override
            void on(VirtualDisk disk) throws DiskException {
                disk.discard(BENT - CLUSTER, 3L * CLUSTER);
            }
        };

        abstract void on(VirtualDisk disk) throws DiskException;
    }

    private static ByteBuffer bytes(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0x77);
        return ByteBuffer.wrap(bytes);
    }

    static Stream<Arguments> requests() {
        return Subjects.drivers().stream()
                .flatMap(driver -> Arrays.stream(Victim.values()).flatMap(victim -> Arrays.stream(Request.values())
                        .map(request -> Arguments.of(driver, victim, request))));
    }

    static Stream<Arguments> victims() {
        return Subjects.drivers().stream()
                .flatMap(driver -> Arrays.stream(Victim.values()).map(victim -> Arguments.of(driver, victim)));
    }

    static List<DiskDriver> drivers() {
        return Subjects.drivers();
    }

    /** Four L2 tables of their own, data in each, a snapshot, and a bitmap. */
    @BeforeEach
    void makeImage() throws IOException {
        DiskDriver driver = Subjects.drivers().get(0);
        driver.create(directory, "disk", CreateOptions.ofSize(SIZE).withClusterBits(12));
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readWrite())) {
            disk.bitmaps().add("changes", 16, true);
            disk.write(5 * CLUSTER, bytes(CLUSTER));
            disk.createSnapshot("before");
            for (long table = 0; table < 4; table++) {
                disk.write(table * TABLE_SPAN + 7 * CLUSTER, bytes(2 * CLUSTER));
            }
        }
        assertThat(findings()).isEmpty();
    }

    private ByteBuffer image() throws IOException {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
            file.read(0, bytes);
            return bytes.clear();
        }
    }

    private void poke(long at, ByteBuffer bytes) throws IOException {
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.write(at, bytes);
        }
    }

    private void pokeLong(long at, long value) throws IOException {
        poke(at, ByteBuffer.allocate(8).putLong(value).flip());
    }

    /** All that is broken, but for leaks and the mark that says so. */
    private Set<String> findings() throws IOException {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            return new Auditor()
                    .audit(file).findings().stream()
                            .filter(finding -> finding.kind() != Finding.Kind.LEAK)
                            .filter(finding -> finding.clause() != HeaderClause.QC_HDR_17)
                            .map(finding -> finding.clause().id() + " at " + finding.hostOffset())
                            .collect(Collectors.toSet());
        }
    }

    private byte[] clusterAt(long offset) throws IOException {
        byte[] cluster = new byte[CLUSTER];
        ByteBuffer image = image();
        image.get(Math.toIntExact(offset), cluster);
        if ((image.getLong(88) & 1) != 0 && offset == Victim.BITMAP_DIRECTORY.offset(image)) {
            // The first change of a disk notes there that the bitmap is in use.
            Arrays.fill(cluster, 12, 16, (byte) 0);
        }
        return cluster;
    }

    /** Uses the disk until it is closed; returns all that it said. */
    private List<DiskException> use(DiskDriver driver, List<ThrowingUse> uses) throws IOException {
        List<DiskException> heard = new ArrayList<>();
        firstToTell = -1;
        VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readWrite());
        try {
            for (ThrowingUse use : uses) {
                try {
                    use.on(disk);
                } catch (DiskException e) {
                    firstToTell = heard.isEmpty() ? uses.indexOf(use) : firstToTell;
                    heard.add(e);
                }
            }
        } finally {
            try {
                disk.close();
            } catch (DiskException e) {
                heard.add(e);
            }
        }
        return heard;
    }

    @FunctionalInterface
    private interface ThrowingUse {
        void on(VirtualDisk disk) throws DiskException;
    }

    private void assertStopped(List<DiskException> heard) throws IOException {
        assertThat(heard).isNotEmpty();
        DiskException first = heard.get(0);
        if (!(first instanceof CorruptImageException corrupt)) {
            fail("not told that the image is corrupt", first);
            return;
        }
        assertThat(corrupt.clause()).isEqualTo(RefcountClause.QC_REF_16);
        assertThat(heard.subList(1, heard.size())).allMatch(e -> e.getMessage().contains("corrupt"));
        // QC-HDR-17: the next one is warned.
        assertThat(image().getLong(72) & 2).isEqualTo(2);
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("requests")
    @DisplayName("QC-REF-16, QC-HDR-17: a guest cluster in a table's cluster is not written to, and not given back")
    void guestCluster(DiskDriver driver, Victim victim, Request request) throws IOException {
        long table = victim.offset(image());
        long l2 = image().getLong(Math.toIntExact(image().getLong(40))) & ~COPIED;
        pokeLong(l2 + BENT / CLUSTER * 8, table | COPIED);
        byte[] before = clusterAt(table);
        Set<String> broken = findings();
        assertThat(broken).isNotEmpty();
        List<DiskException> heard = use(
                driver,
                List.of(request::on, VirtualDisk::flush, disk -> disk.write(TABLE_SPAN, bytes(10)), this::readOthers));
        assertStopped(heard);
        assertThat(firstToTell).as("the request itself is refused").isZero();
        if (victim != Victim.REFCOUNT_BLOCK) {
            assertThat(Arrays.equals(clusterAt(table), before)).isTrue();
        }
        assertThat(findings()).as("no more is broken than before").isSubsetOf(broken);
    }

    private void readOthers(VirtualDisk disk) throws DiskException {
        for (long table = 0; table < 4; table++) {
            ByteBuffer read = ByteBuffer.allocate(2 * CLUSTER);
            disk.read(table * TABLE_SPAN + 7 * CLUSTER, read);
            assertThat(read.flip()).isEqualTo(bytes(2 * CLUSTER));
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("victims")
    @DisplayName("QC-REF-16, QC-REF-03: a table whose count says free is not handed out")
    void countedAsFree(DiskDriver driver, Victim victim) throws IOException {
        long table = victim.offset(image());
        long block = Victim.REFCOUNT_BLOCK.offset(image());
        poke(block + table / CLUSTER * 2, ByteBuffer.allocate(2));
        byte[] before = clusterAt(table);
        Set<String> broken = findings();
        List<DiskException> heard = use(
                driver,
                List.of(disk -> disk.write(2 * TABLE_SPAN + 64 * CLUSTER, bytes(256 * CLUSTER)), this::readOthers));
        assertStopped(heard);
        if (victim != Victim.REFCOUNT_BLOCK) {
            assertThat(Arrays.equals(clusterAt(table), before)).isTrue();
        }
        assertThat(findings()).isSubsetOf(broken);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-REF-16: an L1 entry that names a refcount block does not make it an L2 table")
    void blockAsL2Table(DiskDriver driver) throws IOException {
        long block = Victim.REFCOUNT_BLOCK.offset(image());
        // All counts that the block has are 0 in its second half: as an L2 table it maps nothing there.
        pokeLong(image().getLong(40) + 16, block | COPIED);
        Set<String> broken = findings();
        List<DiskException> heard = use(
                driver,
                List.of(
                        disk -> disk.write(2 * TABLE_SPAN + 400L * CLUSTER, bytes(10)),
                        disk -> disk.writeZeroes(2 * TABLE_SPAN + 400L * CLUSTER, CLUSTER, ZeroMode.MAY_UNMAP)));
        assertStopped(heard);
        assertThat(findings()).isSubsetOf(broken);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-REF-16: two L1 entries that name one L2 table, each as its own, are told when it is changed")
    void tableOfTwo(DiskDriver driver) throws IOException {
        long table = Victim.L2_TABLE.offset(image());
        pokeLong(image().getLong(40) + 16, table | COPIED);
        byte[] before = clusterAt(table);
        assertStopped(use(driver, List.of(disk -> disk.write(2 * TABLE_SPAN + 100, bytes(10)))));
        assertThat(Arrays.equals(clusterAt(table), before)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-REF-16: a refcount table entry that names an L2 table does not make it a refcount block")
    void tableAsBlock(DiskDriver driver) throws IOException {
        // Counts of 64 bits, so that 512 clusters need a second block.
        CreateOptions wide = new CreateOptions(SIZE, 3, 12, 6, Optional.empty(), FormatFeatures.PLAIN);
        driver.create(directory, "disk", wide);
        use(driver, List.of(disk -> disk.write(TABLE_SPAN, bytes(CLUSTER)), disk -> disk.write(0, bytes(CLUSTER))));
        long table = Victim.L2_TABLE.offset(image());
        byte[] before = clusterAt(table);
        pokeLong(image().getLong(48) + 8, table);
        List<DiskException> heard = use(driver, List.of(disk -> disk.write(CLUSTER, bytes(511 * CLUSTER))));
        assertStopped(heard);
        assertThat(Arrays.equals(clusterAt(table), before)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-REF-14: a snapshot that goes does not give back a table that it names as data")
    void deletedSnapshot(DiskDriver driver) throws IOException {
        long table = Victim.L2_TABLE.offset(image());
        ByteBuffer image = image();
        long snapshotL1 = Victim.SNAPSHOT_L1_TABLE.offset(image);
        long l2 = image.getLong(Math.toIntExact(snapshotL1)) & ~COPIED;
        pokeLong(l2 + BENT / CLUSTER * 8, table);
        byte[] before = clusterAt(table);
        List<DiskException> heard = use(driver, List.of(disk -> disk.deleteSnapshot("1"), VirtualDisk::flush));
        assertThat(heard).isNotEmpty();
        assertThat(heard.get(0)).isInstanceOf(CorruptImageException.class);
        assertThat(Arrays.equals(clusterAt(table), before)).isTrue();
    }
}
