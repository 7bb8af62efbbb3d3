package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.EncryptionLayout;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.Structure;
import java.nio.ByteBuffer;

/** Walks the header extensions; takes from them where further clusters are in use. */
final class ExtensionAudit {

    private static final long LONGEST_NAME = 1023;
    private static final long LONGEST_FORMAT = 15;
    private static final long MOST_BITMAPS = 65535;
    private static final long LARGEST_DIRECTORY = 64L << 20;

    private final MetadataReader reader;
    private final Findings findings;
    private final byte[] head;
    private int seen;
    private Table bitmaps = Table.NONE;
    private int bitmapCount;
    private Table encryption = Table.NONE;

    ExtensionAudit(MetadataReader reader, Findings findings, byte[] head) {
        this.reader = reader;
        this.findings = findings;
        this.head = head;
    }

    /** Reads the extensions; {@code encrypted} says that the crypt method needs one. */
    ImageFacts read(ImageFacts facts, long from, long end, long autoclear, boolean encrypted)
            throws DiskException, LimitReachedException {
        for (long at = from; at < end; ) {
            ByteBuffer extension = bytes(at, ExtensionLayout.HEAD.size());
            long type = ExtensionLayout.TYPE.get(extension, 0);
            long length = ExtensionLayout.LENGTH.get(extension, 0);
            long data = at + ExtensionLayout.HEAD.size();
            // QC-EXT-03
            require(ExtensionClause.QC_EXT_03, at, data <= end && length <= end - data, "length " + length);
            if (type == ExtensionLayout.TYPE_END) {
                break;
            }
            repeated(type, at);
            accept(facts, type, data, length, autoclear);
            at = data + ((length + 7) & ~7L);
        }
        boolean hasEncryption = (seen & bit(ExtensionLayout.TYPE_ENCRYPTION)) != 0;
        require(ExtensionClause.QC_EXT_10, from, hasEncryption == encrypted, hasEncryption ? "one" : "none");
        if (facts.dataFile() && (seen & bit(ExtensionLayout.TYPE_DATA_FILE)) == 0) {
            String message = "the data file has no name: the user has to give it";
            findings.add(Kind.WARNING, 1, from, -1, DataFileClause.QC_DATA_07, () -> message);
        }
        if (HeaderLayout.BITMAPS.isSet(autoclear) && (seen & bit(ExtensionLayout.TYPE_BITMAPS)) == 0) {
            breach(ExtensionClause.QC_EXT_11, from, "the bitmaps bit is set, but there is no bitmaps extension");
        }
        return facts.withExtensions(bitmaps, bitmapCount, encryption);
    }

    private void accept(ImageFacts facts, long type, long data, long length, long autoclear)
            throws DiskException, LimitReachedException {
        if (type == ExtensionLayout.TYPE_ENCRYPTION) {
            Structure<ByteField> structure = ExtensionLayout.ENCRYPTION;
            require(CryptClause.QC_CRY_04, data, length == structure.size(), "length " + length);
            ByteBuffer bytes = bytes(data, structure.size());
            encryption = new Table(
                    ExtensionLayout.ENCRYPTION_OFFSET.get(bytes, 0), ExtensionLayout.ENCRYPTION_LENGTH.get(bytes, 0));
            requirePlace(facts, CryptClause.QC_CRY_04, data, encryption);
            boolean fits = encryption.length() >= EncryptionLayout.BYTES;
            require(CryptClause.QC_CRY_04, data, fits, "length " + encryption.length());
        } else if (type == ExtensionLayout.TYPE_BITMAPS && HeaderLayout.BITMAPS.isSet(autoclear)) {
            // QC-EXT-11, QC-BM-25: without the bit the data is stale, and what it names is not in use.
            acceptBitmaps(facts, data, length);
        } else if (type == ExtensionLayout.TYPE_BACKING_FORMAT && length > LONGEST_FORMAT) {
            String message = "a backing format's name of " + length + " bytes; QEMU refuses that";
            findings.add(Kind.WARNING, 1, data, -1, ExtensionClause.QC_EXT_06, () -> message);
        } else if (type == ExtensionLayout.TYPE_DATA_FILE && (length == 0 || length > LONGEST_NAME)) {
            breach(LimitClause.QC_LIM_14, data, "a data file's name of " + length + " bytes");
        }
    }

    private void acceptBitmaps(ImageFacts facts, long data, long length) throws DiskException, LimitReachedException {
        Structure<ByteField> structure = ExtensionLayout.BITMAPS;
        require(BitmapClause.QC_BM_01, data, length == structure.size(), "length " + length);
        ByteBuffer bytes = bytes(data, structure.size());
        long count = ExtensionLayout.NB_BITMAPS.get(bytes, 0);
        require(BitmapClause.QC_BM_01, data, count >= 1, count + " bitmaps");
        require(LimitClause.QC_LIM_11, data, count <= MOST_BITMAPS, count + " bitmaps");
        boolean reserved = ExtensionLayout.BITMAPS_RESERVED.get(bytes, 0) != 0;
        require(BitmapClause.QC_BM_01, data, !reserved, "reserved bytes");
        bitmapCount = (int) count;
        bitmaps = new Table(
                ExtensionLayout.BITMAP_DIRECTORY_OFFSET.get(bytes, 0),
                ExtensionLayout.BITMAP_DIRECTORY_SIZE.get(bytes, 0));
        requirePlace(facts, BitmapClause.QC_BM_02, data, bitmaps);
        require(
                LimitClause.QC_LIM_11,
                data,
                bitmaps.length() <= LARGEST_DIRECTORY,
                "directory of " + bitmaps.length() + " bytes");
    }

    private void requirePlace(ImageFacts facts, Clause clause, long at, Table table) throws DiskException {
        boolean fits = table.hostOffset() >= 0
                && table.length() >= 0
                && table.hostOffset() <= Long.MAX_VALUE - (64L << 20) - table.length()
                && !facts.misaligned(table.hostOffset());
        require(clause, at, fits, "offset " + table.hostOffset() + ", length " + table.length());
    }

    private void repeated(long type, long at) {
        int bit = bit(type);
        if ((seen & bit) != 0) {
            breach(ExtensionClause.QC_EXT_05, at, "a second extension of type 0x" + Long.toHexString(type));
        }
        seen |= bit;
    }

    private static int bit(long type) {
        return type == ExtensionLayout.TYPE_BITMAPS
                ? 1
                : type == ExtensionLayout.TYPE_ENCRYPTION
                        ? 2
                        : type == ExtensionLayout.TYPE_BACKING_FORMAT
                                ? 4
                                : type == ExtensionLayout.TYPE_FEATURE_NAMES
                                        ? 8
                                        : type == ExtensionLayout.TYPE_DATA_FILE ? 16 : 0;
    }

    private ByteBuffer bytes(long at, int length) throws DiskException, LimitReachedException {
        if (at + length <= head.length) {
            return ByteBuffer.wrap(head, (int) at, length).slice();
        }
        byte[] bytes = new byte[length];
        reader.read(at, bytes, length);
        return ByteBuffer.wrap(bytes);
    }

    private void breach(Clause clause, long at, String message) {
        findings.add(Kind.BREACH, 1, at, -1, clause, () -> message);
    }

    private void require(Clause clause, long at, boolean condition, String found) throws DiskException {
        if (!condition) {
            throw new MalformedImageException(reader.fileName(), clause, at, found, clause.paraphrase());
        }
    }
}
