package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What an image's header says, read by the layout table, to be shown to people. It refuses nothing but a wrong magic number: whether
 * the image is right is for an implementation to say.
 */
public final class HeaderFacts {

    private static final int MOST_EXTENSIONS = 64;
    private static final int LONGEST_TEXT = 1023;
    private static final long DIRTY = 1;
    private static final long CORRUPT = 1 << 1;
    private static final long DATA_FILE = 1 << 2;
    private static final long EXTENDED_L2 = 1 << 4;
    private static final long LAZY_REFCOUNTS = 1;
    private static final long RAW_DATA_FILE = 1 << 1;

    private final ByteBuffer header;
    private final Map<Long, byte[]> extensions = new LinkedHashMap<>();
    private final Optional<String> backingName;

    private HeaderFacts(HostFile file) throws DiskException {
        header = ByteBuffer.allocate(HeaderLayout.HEADER_V3.size());
        file.readZeroPadded(0, header);
        readExtensions(file);
        long offset = value(HeaderLayout.BACKING_FILE_OFFSET);
        int length = (int) Math.min(LONGEST_TEXT, value(HeaderLayout.BACKING_FILE_SIZE));
        backingName = offset <= 0 || length == 0
                ? Optional.empty()
                : Optional.of(new String(bytes(file, offset, length), StandardCharsets.UTF_8));
    }

    /**
     * Reads a header.
     *
     * @param file any file
     * @return what it says; empty if the file is no qcow2 image
     * @throws DiskException if the host fails
     */
    public static Optional<HeaderFacts> of(HostFile file) throws DiskException {
        ByteBuffer magic = ByteBuffer.allocate(8);
        file.readZeroPadded(0, magic);
        boolean qcow2 =
                HeaderLayout.MAGIC.get(magic, 0) == HeaderLayout.MAGIC_VALUE && HeaderLayout.VERSION.get(magic, 0) >= 2;
        return qcow2 ? Optional.of(new HeaderFacts(file)) : Optional.empty();
    }

    private void readExtensions(HostFile file) throws DiskException {
        long at = version() == 2 ? HeaderLayout.HEADER_V2.size() : value(HeaderLayout.HEADER_LENGTH);
        for (int i = 0; i < MOST_EXTENSIONS; i++) {
            ByteBuffer head = ByteBuffer.wrap(bytes(file, at, ExtensionLayout.HEAD.size()));
            long type = ExtensionLayout.TYPE.get(head, 0);
            long length = ExtensionLayout.LENGTH.get(head, 0);
            if (type == ExtensionLayout.TYPE_END || length > clusterSize()) {
                return;
            }
            byte[] data = bytes(file, at + ExtensionLayout.HEAD.size(), (int) Math.min(length, 1 << 16));
            extensions.putIfAbsent(type, data);
            at += ExtensionLayout.HEAD.size() + (length + 7) / 8 * 8;
        }
    }

    private static byte[] bytes(HostFile file, long offset, int length) throws DiskException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        file.readZeroPadded(offset, buffer);
        return buffer.array();
    }

    /**
     * Returns a field of the header.
     *
     * @param field of {@link HeaderLayout}
     * @return its value; 0 for one that version 2 lacks
     */
    public long value(ByteField field) {
        boolean there = field.offset() < HeaderLayout.HEADER_V2.size()
                || (version() >= 3 && (field.offset() < 104 || field.offset() < value(HeaderLayout.HEADER_LENGTH)));
        return there ? field.get(header, 0) : 0;
    }

    /**
     * Returns the format version.
     *
     * @return 2 or more
     */
    public int version() {
        return (int) HeaderLayout.VERSION.get(header, 0);
    }

    /**
     * Returns the size of a cluster.
     *
     * @return bytes; meaningless if the header is broken there
     */
    public long clusterSize() {
        return 1L << (value(HeaderLayout.CLUSTER_BITS) & 63);
    }

    /**
     * Returns the size of the disk.
     *
     * @return bytes
     */
    public long size() {
        return value(HeaderLayout.SIZE);
    }

    /**
     * Says whether the L1 table is shorter than the disk's size needs.
     *
     * @return false also if the header is broken so that nobody can tell
     */
    public boolean tableEndsEarly() {
        long clusterBits = value(HeaderLayout.CLUSTER_BITS);
        if (clusterBits < 9 || clusterBits > 21 || size() < 0) {
            return false;
        }
        long covered = 2 * clusterBits - (extendedL2() ? 4 : 3);
        long whole = size() >> covered;
        return value(HeaderLayout.L1_SIZE) < whole + (whole << covered == size() ? 0 : 1);
    }

    /**
     * Returns the width of a reference count.
     *
     * @return bits
     */
    public int refcountBits() {
        return version() == 2 ? 16 : 1 << (value(HeaderLayout.REFCOUNT_ORDER) & 31);
    }

    /**
     * Returns the name of the backing file.
     *
     * @return as it stands in the image, if it is not empty
     */
    public Optional<String> backingName() {
        return backingName;
    }

    /**
     * Returns the format of the backing file.
     *
     * @return as it stands in the image, if it does
     */
    public Optional<String> backingFormat() {
        return text(ExtensionLayout.TYPE_BACKING_FORMAT);
    }

    /**
     * Returns the name of the external data file.
     *
     * @return as it stands in the image, if it has one
     */
    public Optional<String> dataFileName() {
        return hasDataFile() ? text(ExtensionLayout.TYPE_DATA_FILE) : Optional.empty();
    }

    /**
     * Returns the content of a header extension.
     *
     * @param type a type of {@link ExtensionLayout}
     * @return the first 64 KiB of the first extension of that type, if there is one
     */
    public Optional<byte[]> extension(long type) {
        return Optional.ofNullable(extensions.get(type)).map(byte[]::clone);
    }

    private Optional<String> text(long type) {
        return extension(type).map(data -> new String(data, StandardCharsets.UTF_8));
    }

    /**
     * Says whether guest clusters are in another file.
     *
     * @return true if the incompatible bit is set
     */
    public boolean hasDataFile() {
        return has(HeaderLayout.INCOMPATIBLE_FEATURES, DATA_FILE);
    }

    /**
     * Says whether the data file is a raw image at all times.
     *
     * @return true if the autoclear bit is set
     */
    public boolean rawDataFile() {
        return has(HeaderLayout.AUTOCLEAR_FEATURES, RAW_DATA_FILE);
    }

    /**
     * Says whether L2 entries have subclusters.
     *
     * @return true if the incompatible bit is set
     */
    public boolean extendedL2() {
        return has(HeaderLayout.INCOMPATIBLE_FEATURES, EXTENDED_L2);
    }

    /**
     * Says whether reference counts may be postponed.
     *
     * @return true if the compatible bit is set
     */
    public boolean lazyRefcounts() {
        return has(HeaderLayout.COMPATIBLE_FEATURES, LAZY_REFCOUNTS);
    }

    /**
     * Says whether the last writer did not finish.
     *
     * @return true if the incompatible bit is set
     */
    public boolean dirty() {
        return has(HeaderLayout.INCOMPATIBLE_FEATURES, DIRTY);
    }

    /**
     * Says whether the image is marked as broken.
     *
     * @return true if the incompatible bit is set
     */
    public boolean corrupt() {
        return has(HeaderLayout.INCOMPATIBLE_FEATURES, CORRUPT);
    }

    /**
     * Returns the name of the compression type.
     *
     * @return {@code zlib} or {@code zstd}
     */
    public String compression() {
        return value(HeaderLayout.COMPRESSION_TYPE) == 1 ? "zstd" : "zlib";
    }

    private boolean has(ByteField field, long bit) {
        return (value(field) & bit) != 0;
    }
}
