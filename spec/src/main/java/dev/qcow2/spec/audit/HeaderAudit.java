package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;

/** Reads the header; refuses what leaves nothing to audit. */
final class HeaderAudit {

    /** Bytes of the file that are read at once; nearly every header with its extensions is shorter. */
    static final int HEAD_BYTES = 1024;

    private static final int LARGEST_CLUSTER_BITS = 21;
    private static final int LONGEST_NAME = 1023;
    private static final long LUKS = 2;
    private static final long LARGEST_L1 = 32L << 20;
    private static final long LARGEST_REFCOUNT_TABLE = 8L << 20;

    private final MetadataReader reader;
    private final Findings findings;
    private final byte[] bytes = new byte[HEAD_BYTES];
    private final ByteBuffer head = ByteBuffer.wrap(bytes);

    HeaderAudit(MetadataReader reader, Findings findings) {
        this.reader = reader;
        this.findings = findings;
    }

    ImageFacts read() throws DiskException, LimitReachedException {
        reader.read(0, bytes, HEAD_BYTES);
        require(HeaderLayout.MAGIC, value(HeaderLayout.MAGIC) == HeaderLayout.MAGIC_VALUE, "514649fb");
        long version = value(HeaderLayout.VERSION);
        require(HeaderLayout.VERSION, version == 2 || version == 3, "2 or 3");
        long clusterBits = value(HeaderLayout.CLUSTER_BITS);
        require(HeaderLayout.CLUSTER_BITS, clusterBits >= 9, "9 or more");
        // QC-LIM-01
        require(
                HeaderLayout.CLUSTER_BITS,
                LimitClause.QC_LIM_01,
                clusterBits <= LARGEST_CLUSTER_BITS,
                "up to " + LARGEST_CLUSTER_BITS);
        boolean three = version == 3;
        long headerLength = three ? checkVersion3((int) clusterBits) : HeaderLayout.HEADER_V2.size();
        long features = three ? value(HeaderLayout.INCOMPATIBLE_FEATURES) : 0;
        ImageFacts facts = new ImageFacts(
                (int) version,
                (int) clusterBits,
                // QC-HDR-13
                three ? (int) value(HeaderLayout.REFCOUNT_ORDER) : 4,
                value(HeaderLayout.SIZE),
                HeaderLayout.EXTERNAL_DATA_FILE.isSet(features),
                HeaderLayout.EXTENDED_L2.isSet(features),
                new Table(value(HeaderLayout.L1_TABLE_OFFSET), 8 * value(HeaderLayout.L1_SIZE)),
                new Table(
                        value(HeaderLayout.REFCOUNT_TABLE_OFFSET),
                        value(HeaderLayout.REFCOUNT_TABLE_CLUSTERS) << clusterBits),
                new Table(value(HeaderLayout.SNAPSHOTS_OFFSET), value(HeaderLayout.NB_SNAPSHOTS)),
                Table.NONE,
                0,
                Table.NONE);
        checkTables(facts);
        long extensionsEnd = checkBackingName(facts);
        boolean luks = value(HeaderLayout.CRYPT_METHOD) == LUKS;
        return new ExtensionAudit(reader, findings, bytes)
                .read(facts, headerLength, extensionsEnd, autoclear(three), luks);
    }

    private long autoclear(boolean three) {
        return three ? value(HeaderLayout.AUTOCLEAR_FEATURES) : 0;
    }

    private long checkVersion3(int clusterBits) throws DiskException {
        long length = value(HeaderLayout.HEADER_LENGTH);
        // QC-HDR-14
        require(HeaderLayout.HEADER_LENGTH, length >= 104, "104 or more");
        require(HeaderLayout.HEADER_LENGTH, length <= 1L << clusterBits, "up to the cluster's size");
        // QC-HDR-24
        require(HeaderLayout.REFCOUNT_ORDER, value(HeaderLayout.REFCOUNT_ORDER) <= 6, "0 to 6");
        checkFeatures(length, clusterBits);
        breachIf((length & 7) != 0, HeaderLayout.HEADER_LENGTH, "header length " + length + " is no multiple of 8");
        boolean padded = length >= HeaderLayout.HEADER_V3.size();
        // QC-HDR-27
        breachIf(padded && paddingInUse(), HeaderLayout.PADDING, "the header's padding is not zero");
        return length;
    }

    private boolean paddingInUse() {
        for (int at = HeaderLayout.PADDING.offset(); at < HeaderLayout.PADDING.end(); at++) {
            if (bytes[at] != 0) {
                return true;
            }
        }
        return false;
    }

    private void checkFeatures(long headerLength, int clusterBits) throws DiskException {
        long features = value(HeaderLayout.INCOMPATIBLE_FEATURES);
        long unknown = HeaderLayout.INCOMPATIBLE_UNKNOWN.inPlace(features);
        if (unknown != 0) {
            throw new UnsupportedFeatureException(
                    reader.fileName(),
                    HeaderClause.QC_HDR_15,
                    "incompatible feature bit " + Long.numberOfTrailingZeros(unknown));
        }
        boolean present = headerLength > HeaderLayout.COMPRESSION_TYPE.offset();
        long compression = present ? value(HeaderLayout.COMPRESSION_TYPE) : 0;
        require(HeaderLayout.COMPRESSION_TYPE, compression <= 1, "0 or 1");
        // QC-HDR-19
        require(
                HeaderLayout.COMPRESSION_TYPE,
                HeaderClause.QC_HDR_19,
                HeaderLayout.COMPRESSION.isSet(features) == (compression != 0),
                "not 0 exactly with the compression-type bit");
        // QC-HDR-29
        require(
                HeaderLayout.CLUSTER_BITS,
                HeaderClause.QC_HDR_29,
                !HeaderLayout.EXTENDED_L2.isSet(features) || clusterBits >= 14,
                "14 or more with extended L2 entries");
        long autoclear = value(HeaderLayout.AUTOCLEAR_FEATURES);
        breachIf(
                HeaderLayout.RAW_EXTERNAL_DATA.isSet(autoclear) && !HeaderLayout.EXTERNAL_DATA_FILE.isSet(features),
                HeaderLayout.RAW_EXTERNAL_DATA,
                "the raw-external-data bit is set without an external data file");
        breachIf(
                HeaderLayout.RAW_EXTERNAL_DATA.isSet(autoclear) && value(HeaderLayout.BACKING_FILE_OFFSET) != 0,
                HeaderLayout.RAW_EXTERNAL_DATA,
                "the raw-external-data bit is set together with a backing file");
        warnIf(HeaderLayout.DIRTY, features, "the dirty bit is set: refcounts may be wrong");
        warnIf(HeaderLayout.CORRUPT, features, "the corrupt bit is set");
    }

    private void checkTables(ImageFacts facts) throws DiskException {
        require(HeaderLayout.CRYPT_METHOD, value(HeaderLayout.CRYPT_METHOD) <= 2, "0, 1 or 2");
        // QC-LIM-06
        require(HeaderLayout.SIZE, LimitClause.QC_LIM_06, facts.diskSize() >= 0, "less than two to the power 63");
        require(HeaderLayout.L1_SIZE, LimitClause.QC_LIM_02, facts.l1().length() <= LARGEST_L1, "up to 4194304");
        require(
                HeaderLayout.REFCOUNT_TABLE_CLUSTERS,
                LimitClause.QC_LIM_03,
                facts.refcountTable().length() <= LARGEST_REFCOUNT_TABLE,
                "up to 8 MiB");
        requirePlace(facts, HeaderLayout.L1_TABLE_OFFSET, facts.l1());
        requirePlace(facts, HeaderLayout.REFCOUNT_TABLE_OFFSET, facts.refcountTable());
        requirePlace(facts, HeaderLayout.SNAPSHOTS_OFFSET, facts.snapshots());
        if (l1TooShort(facts)) {
            // QC-L1-06: QEMU refuses such an image; the format only says that the rest is unallocated.
            findings.add(
                    Kind.WARNING,
                    1,
                    HeaderLayout.L1_SIZE.offset(),
                    -1,
                    MappingClause.QC_L1_06,
                    () -> "the L1 table is too short for the disk; QEMU refuses that");
        }
    }

    private static boolean l1TooShort(ImageFacts facts) {
        int bitsPerTable = facts.clusterBits() + facts.entriesPerTableBits();
        long needed =
                (facts.diskSize() >>> bitsPerTable) + ((facts.diskSize() & ((1L << bitsPerTable) - 1)) == 0 ? 0 : 1);
        return facts.l1().length() / 8 < needed;
    }

    private void requirePlace(ImageFacts facts, ByteField field, Table table) throws DiskException {
        long offset = table.hostOffset();
        require(field, LimitClause.QC_LIM_06, offset >= 0 && offset <= Long.MAX_VALUE - (64L << 20), "below 2^63");
        require(field, !facts.misaligned(offset), "a multiple of the cluster size");
    }

    /** Returns where the extensions have to end. */
    private long checkBackingName(ImageFacts facts) throws DiskException {
        long offset = value(HeaderLayout.BACKING_FILE_OFFSET);
        if (offset == 0) {
            return facts.clusterSize();
        }
        // QC-EXT-08
        require(
                HeaderLayout.BACKING_FILE_OFFSET,
                offset > 0 && offset <= facts.clusterSize(),
                "inside the first cluster");
        long longest = Math.min(LONGEST_NAME, facts.clusterSize() - offset);
        require(HeaderLayout.BACKING_FILE_SIZE, value(HeaderLayout.BACKING_FILE_SIZE) <= longest, "up to " + longest);
        return offset;
    }

    private long value(ByteField field) {
        return field.get(head, 0);
    }

    private void require(ByteField field, boolean condition, String allowed) throws MalformedImageException {
        require(field, field.clause(), condition, allowed);
    }

    private void require(ByteField field, Clause clause, boolean condition, String allowed)
            throws MalformedImageException {
        if (!condition) {
            String found = field.name() + " " + Long.toUnsignedString(value(field));
            throw new MalformedImageException(reader.fileName(), clause, field.offset(), found, allowed);
        }
    }

    private void breachIf(boolean condition, ByteField field, String message) {
        findings.add(Kind.BREACH, condition ? 1 : 0, field.offset(), -1, field.clause(), () -> message);
    }

    private void breachIf(boolean condition, BitField bit, String message) {
        int offset = HeaderLayout.AUTOCLEAR_FEATURES.offset();
        findings.add(Kind.BREACH, condition ? 1 : 0, offset, -1, bit.clause(), () -> message);
    }

    private void warnIf(BitField bit, long features, String message) {
        int offset = HeaderLayout.INCOMPATIBLE_FEATURES.offset();
        findings.add(Kind.WARNING, bit.isSet(features) ? 1 : 0, offset, -1, bit.clause(), () -> message);
    }
}
