package dev.qcow2.conformance.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** An image in memory, whose numbers can be read and changed by their names while nobody has it open. */
final class RuleImage {

    static final String NAME = "disk";

    private final DiskDriver driver;
    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    /** Makes an image; skips the test if the driver can't make one with these features. */
    RuleImage(DiskDriver driver, CreateOptions options) throws DiskException {
        this.driver = driver;
        try {
            driver.create(directory, NAME, options);
        } catch (UnsupportedFeatureException e) {
            abort(driver + " does not have " + e.feature());
        }
        long incompatible = options.version() == 2 ? 0 : header(HeaderLayout.INCOMPATIBLE_FEATURES);
        boolean asAsked = HeaderLayout.EXTENDED_L2.isSet(incompatible)
                        == options.features().extendedL2()
                && HeaderLayout.EXTERNAL_DATA_FILE.isSet(incompatible)
                        == options.features().dataFile().isPresent()
                && (header(HeaderLayout.CRYPT_METHOD) != 0)
                        == options.features().encryption().isPresent();
        if (!asAsked) {
            abort(driver + " does not make images with " + options.features());
        }
    }

    static Stream<DiskDriver> drivers() {
        return Stream.of(new ReferenceDriver(), new OptimizedDriver());
    }

    MemoryHostDirectory directory() {
        return directory;
    }

    /** Opens it for writing; skips the test if that needs a feature which the driver does not have. */
    VirtualDisk open() throws DiskException {
        return open(OpenOptions.readWrite());
    }

    VirtualDisk open(OpenOptions options) throws DiskException {
        try {
            return driver.open(directory, NAME, options.followingBacking().followingDataFile());
        } catch (UnsupportedFeatureException e) {
            return abort(driver + " does not have " + e.feature());
        }
    }

    byte[] bytes() throws DiskException {
        return directory.content(NAME).toByteArray();
    }

    void replace(byte[] bytes) {
        directory.put(NAME, MemoryFileContent.of(bytes));
    }

    long header(ByteField field) throws DiskException {
        return get(field, 0);
    }

    long get(ByteField field, long base) throws DiskException {
        return field.get(ByteBuffer.wrap(bytes()), Math.toIntExact(base));
    }

    void set(ByteField field, long base, long value) throws DiskException {
        byte[] bytes = bytes();
        field.set(ByteBuffer.wrap(bytes), Math.toIntExact(base), value);
        replace(bytes);
    }

    long longAt(long offset) throws DiskException {
        return ByteBuffer.wrap(bytes()).getLong(Math.toIntExact(offset));
    }

    void putLong(long offset, long value) throws DiskException {
        put(offset, ByteBuffer.allocate(8).putLong(0, value).array());
    }

    void put(long offset, byte[] what) throws DiskException {
        byte[] bytes = bytes();
        System.arraycopy(what, 0, bytes, Math.toIntExact(offset), what.length);
        replace(bytes);
    }

    int clusterBits() throws DiskException {
        return (int) header(HeaderLayout.CLUSTER_BITS);
    }

    private boolean extended() throws DiskException {
        return header(HeaderLayout.VERSION) == 3
                && HeaderLayout.EXTENDED_L2.isSet(header(HeaderLayout.INCOMPATIBLE_FEATURES));
    }

    /** Returns where the active tables keep the entry of a guest cluster. */
    long entryAt(long guestCluster) throws DiskException {
        int entryBits = extended() ? 4 : 3;
        int perTableBits = clusterBits() - entryBits;
        long l1 = header(HeaderLayout.L1_TABLE_OFFSET) + 8 * (guestCluster >>> perTableBits);
        long table = MappingLayout.L1_OFFSET.inPlace(longAt(l1));
        assertThat(table).as("an L2 table of cluster %d", guestCluster).isPositive();
        return table + ((guestCluster & ((1L << perTableBits) - 1)) << entryBits);
    }

    long entry(long guestCluster) throws DiskException {
        return longAt(entryAt(guestCluster));
    }

    /** Returns the host offset that a standard entry names. */
    long host(long guestCluster) throws DiskException {
        return MappingLayout.L2_OFFSET.inPlace(entry(guestCluster));
    }

    /** Returns the stored count of the cluster at a host offset. */
    long count(long hostOffset) throws DiskException {
        long cluster = hostOffset >>> clusterBits();
        return RefcountLayout.get(ByteBuffer.wrap(bytes()), blockOf(cluster), inBlock(cluster), order());
    }

    void count(long hostOffset, long count) throws DiskException {
        long cluster = hostOffset >>> clusterBits();
        byte[] bytes = bytes();
        RefcountLayout.set(ByteBuffer.wrap(bytes), blockOf(cluster), inBlock(cluster), order(), count);
        replace(bytes);
    }

    private int order() throws DiskException {
        return header(HeaderLayout.VERSION) == 3 ? (int) header(HeaderLayout.REFCOUNT_ORDER) : 4;
    }

    private int inBlock(long cluster) throws DiskException {
        return (int) (cluster & ((1L << (clusterBits() + 3 - order())) - 1));
    }

    private int blockOf(long cluster) throws DiskException {
        long index = cluster >>> (clusterBits() + 3 - order());
        return Math.toIntExact(
                RefcountLayout.BLOCK_OFFSET.inPlace(longAt(header(HeaderLayout.REFCOUNT_TABLE_OFFSET) + 8 * index)));
    }

    AuditReport audit() throws DiskException {
        try (HostFile file = directory.open(NAME, Access.READ_ONLY)) {
            return new Auditor().audit(file);
        }
    }

    void mustBeClean() throws DiskException {
        AuditReport report = audit();
        assertThat(report.clean()).as(report.toText()).isTrue();
    }

    static byte[] read(VirtualDisk disk, long offset, int length) throws DiskException {
        byte[] bytes = new byte[length];
        disk.read(offset, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** Bytes that differ from each other and from those of other seeds, and that can be packed well. */
    static byte[] text(long seed, int length) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; at++) {
            bytes[at] = (byte) ('a' + (at / 7 + seed * 5 + at / 100) % 26);
        }
        return bytes;
    }

    /** Bytes that can't be packed. */
    static byte[] noise(long seed, int length) {
        byte[] bytes = new byte[length];
        SplittableRandom random = new SplittableRandom(seed);
        for (int at = 0; at < length; at++) {
            bytes[at] = (byte) random.nextInt();
        }
        return bytes;
    }
}
