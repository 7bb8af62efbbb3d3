package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * The feature bits that this implementation knows, and what it does about each.
 *
 * <pre>
 * field         bit name                    done                             clause
 * incompatible    0 dirty bit               opened read-only, or repaired    QC-HDR-16
 * incompatible    1 corrupt bit             opened read-only                 QC-HDR-17
 * incompatible    2 external data file      see {@link DataFile}             QC-HDR-18
 * incompatible    3 compression type        see {@link Codec}                QC-HDR-19, QC-HDR-28
 * incompatible    4 extended L2 entries     see {@link SubclusterBitmap}     QC-HDR-20, QC-HDR-29
 * incompatible    others                    refused by number and name       QC-HDR-15
 * compatible      0 lazy refcounts          kept; nothing is postponed       QC-HDR-22
 * compatible    others                      kept                             QC-HDR-21
 * autoclear       1 raw external data       kept with a data file            QC-DATA-15, QC-HDR-30
 * autoclear     others                      cleared before the first write   QC-HDR-23
 * </pre>
 *
 * <p>The feature name table (QC-EXT-07) has entries of 48 bytes: field (0, 1, 2), bit, and 46 bytes of name.
 */
final class FeatureBits {

    /** A feature that has a name: the field (0 incompatible, 1 compatible, 2 autoclear), the bit in it, the name. */
    private record Named(int field, int bit, String name) {}

    private static final List<Named> KNOWN = List.of(
            new Named(0, 0, "dirty bit"),
            new Named(0, 1, "corrupt bit"),
            new Named(0, 2, "external data file"),
            new Named(0, 3, "compression type"),
            new Named(0, 4, "extended L2 entries"),
            new Named(1, 0, "lazy refcounts"),
            new Named(2, 0, "bitmaps"),
            new Named(2, 1, "raw external data"));

    /** Incompatible: the last writer did not finish, counts may be wrong. */
    static final long DIRTY = 1;
    /** Incompatible: metadata was found broken. */
    static final long CORRUPT = 2;
    /** Compatible: counts may be postponed under the dirty bit. */
    static final long LAZY_REFCOUNTS = 1;

    private static final int NAME_ENTRY = 48;
    private static final long DIRTY_AND_CORRUPT = 3;
    /** The bit that says that guest clusters are in another file. */
    static final long DATA_FILE = 1 << 2;
    /** The autoclear bit that says that the data file is a raw image. */
    static final long RAW_DATA = 1 << 1;
    /** The bit that says that compression_type is not 0. */
    static final long COMPRESSION_TYPE = 1 << 3;

    /** The bit that says that L2 entries are 128 bits wide. */
    static final long EXTENDED_L2 = 1 << 4;

    private static final long SUPPORTED = DATA_FILE | COMPRESSION_TYPE | EXTENDED_L2;
    private static final int LEAST_CLUSTER_BITS = 14;

    private static final List<Clause> CLAUSE_OF_BIT = List.of(
            HeaderClause.QC_HDR_16,
            HeaderClause.QC_HDR_17,
            HeaderClause.QC_HDR_18,
            HeaderClause.QC_HDR_19,
            HeaderClause.QC_HDR_20);

    private FeatureBits() {}

    /** Refuses an image that needs something that is not here. */
    static void requireSupported(HostFile file, Header header, OpenOptions options) throws DiskException {
        long refused = header.incompatible() & ~SUPPORTED & (options.writable() ? -1L : ~DIRTY_AND_CORRUPT);
        // An unknown bit goes first: it may change the meaning of everything else.
        long unknown = refused & (-1L << CLAUSE_OF_BIT.size());
        if (unknown != 0) {
            throw new UnsupportedFeatureException(
                    file.name(), HeaderClause.QC_HDR_15, described(file, header, unknown));
        }
        requireCompressionType(file.name(), header);
        boolean raw = (header.autoclear() & RAW_DATA) != 0 && (header.incompatible() & DATA_FILE) != 0;
        if (raw && header.backingNameOffset() != 0) {
            throw new MalformedImageException(
                    file.name(),
                    HeaderClause.QC_HDR_30,
                    Header.AUTOCLEAR_FIELD,
                    "a raw data file and a backing file",
                    "one of them");
        }
        if (header.geometry().extendedL2() && header.clusterBits() < LEAST_CLUSTER_BITS) {
            throw new MalformedImageException(
                    file.name(),
                    HeaderClause.QC_HDR_29,
                    Header.CLUSTER_BITS_FIELD,
                    Integer.toString(header.clusterBits()),
                    "14 or more with extended L2 entries");
        }
        if (refused != 0) {
            int bit = Long.numberOfTrailingZeros(refused);
            throw new UnsupportedFeatureException(
                    file.name(),
                    CLAUSE_OF_BIT.get(bit),
                    "incompatible feature bit " + bit + " \"" + KNOWN.get(bit).name() + "\"");
        }
    }

    /** All bits, so that the user hears of them at once. */
    private static String described(HostFile file, Header header, long bits) throws DiskException {
        StringJoiner words = new StringJoiner(", ");
        for (long left = bits; left != 0; left &= left - 1) {
            int bit = Long.numberOfTrailingZeros(left);
            String name = nameOf(file, header, bit).map(n -> " \"" + n + "\"").orElse("");
            words.add("incompatible feature bit " + bit + name);
        }
        return words.toString();
    }

    private static void requireCompressionType(String fileName, Header header) throws DiskException {
        int type = header.compressionType();
        boolean flagged = (header.incompatible() & COMPRESSION_TYPE) != 0;
        if (flagged != (type != 0)) {
            throw new MalformedImageException(
                    fileName,
                    HeaderClause.QC_HDR_19,
                    Header.VERSION_3_LENGTH,
                    Integer.toString(type),
                    flagged ? "not 0 while the compression-type bit is set" : "0 while that bit is clear");
        }
        if (type >= Codec.values().length) {
            throw new UnsupportedFeatureException(fileName, HeaderClause.QC_HDR_28, "compression type " + type);
        }
    }

    /** Looks for the name of an incompatible bit in the image; a broken table has no names. */
    private static Optional<String> nameOf(HostFile file, Header header, int bit) throws DiskException {
        try {
            List<HeaderExtension> extensions = HeaderExtension.list(file, header);
            Optional<HeaderExtension> table =
                    HeaderExtension.find(file.name(), extensions, HeaderExtension.FEATURE_NAMES);
            return table.isEmpty() ? Optional.empty() : nameIn(table.get().data(file), bit);
        } catch (MalformedImageException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> nameIn(ByteBuffer table, int bit) {
        for (int at = 0; at + NAME_ENTRY <= table.limit(); at += NAME_ENTRY) {
            if (table.get(at) == 0 && table.get(at + 1) == bit) {
                byte[] name = new byte[NAME_ENTRY - 2];
                table.get(at + 2, name);
                return Optional.of(new String(name, StandardCharsets.UTF_8).replace("\0", ""));
            }
        }
        return Optional.empty();
    }

    /** Encodes the table of the names that are known here, for new images. */
    static byte[] nameTable() {
        ByteBuffer table = ByteBuffer.allocate(KNOWN.size() * NAME_ENTRY);
        for (int i = 0; i < KNOWN.size(); i++) {
            Named named = KNOWN.get(i);
            byte[] name = named.name().getBytes(StandardCharsets.UTF_8);
            table.position(i * NAME_ENTRY)
                    .put((byte) named.field())
                    .put((byte) named.bit())
                    .put(name);
        }
        return table.array();
    }
}
