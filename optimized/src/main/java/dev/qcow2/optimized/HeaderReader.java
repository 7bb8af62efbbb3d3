package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CryptClause.QC_CRY_04;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_05;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_03;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_05;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_08;
import static dev.qcow2.spec.clause.ExtensionClause.QC_EXT_10;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_01;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_02;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_05;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_06;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_08;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_09;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_10;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_11;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_12;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_14;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_19;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_24;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_28;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_29;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_01;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_02;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_03;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_05;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_06;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_07;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_08;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_14;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_16;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Reads the header and its extensions, and refuses what does not hold together. Every size is checked before use. */
final class HeaderReader {

    private static final int FIXED_BYTES = 112;

    private static final long KNOWN_INCOMPATIBLE = ImageHeader.DIRTY
            | ImageHeader.CORRUPT
            | ImageHeader.DATA_FILE
            | ImageHeader.COMPRESSION
            | ImageHeader.EXTENDED_L2;

    private final HostFile host;
    private final boolean mending;
    private final long fileSize;
    private final ByteBuffer fields;
    private final int version;
    private final int headerLength;
    private final long clusterSize;
    private Optional<String> backingFormat = Optional.empty();
    private EncryptionArea encryption = new EncryptionArea(EncryptionArea.NONE, 0, 0);
    private Optional<String> dataFileName = Optional.empty();

    private HeaderReader(HostFile host, boolean mending) throws DiskException {
        this.host = host;
        this.mending = mending;
        this.fileSize = host.size();
        this.fields = ByteBuffer.allocate(FIXED_BYTES);
        host.readZeroPadded(0, fields);
        require(
                fields.getInt(0) == ImageHeader.MAGIC,
                QC_HDR_01,
                0,
                hex(fields.getInt(0) & 0xffff_ffffL),
                "0x514649fb");
        version = fields.getInt(4);
        require(version == 2 || version == 3, QC_HDR_02, 4, Integer.toUnsignedString(version), "2 or 3");
        int clusterBits = fields.getInt(20);
        require(clusterBits >= 9, QC_HDR_06, 20, Integer.toString(clusterBits), "9 to 21");
        require(clusterBits <= 21, QC_LIM_01, 20, Integer.toString(clusterBits), "9 to 21");
        clusterSize = 1L << clusterBits;
        headerLength = version == 2 ? ImageHeader.V2_LENGTH : fields.getInt(100);
        require(
                version == 2
                        || (headerLength >= ImageHeader.V3_LENGTH
                                && headerLength % 8 == 0
                                && headerLength <= clusterSize),
                QC_HDR_14,
                100,
                Integer.toUnsignedString(headerLength),
                "a multiple of 8 from 104 to the cluster size");
        require(
                fileSize >= headerLength,
                version == 2 ? QC_HDR_01 : QC_HDR_14,
                0,
                "a file of " + fileSize + " bytes",
                "the whole header");
    }

    /**
     * Reads and checks a header.
     *
     * @throws DiskException with the clause that the file breaks, or the feature that it needs
     */
    static ImageHeader read(HostFile host) throws DiskException {
        return new HeaderReader(host, false).header();
    }

    /**
     * As {@link #read}, for a repair: if the refcount table can't be where the header says, there is none.
     *
     * @throws DiskException with the clause that the rest of the header breaks, or the feature that it needs
     */
    static ImageHeader readForRepair(HostFile host) throws DiskException {
        return new HeaderReader(host, true).header();
    }

    private ImageHeader header() throws DiskException {
        long incompatible = version == 2 ? 0 : fields.getLong(72);
        if ((incompatible & ~KNOWN_INCOMPATIBLE) != 0) {
            FeatureNames.refuse(host, headerLength, clusterSize, incompatible);
        }
        Compression compression = compression(incompatible);
        int refcountOrder = version == 2 ? 4 : fields.getInt(96);
        require(
                refcountOrder >= 0 && refcountOrder <= 6,
                QC_HDR_24,
                96,
                Integer.toUnsignedString(refcountOrder),
                "0 to 6");
        requireTables();
        long size = fields.getLong(24);
        int clusterBits = fields.getInt(20);
        require(size >= 0, QC_LIM_06, 24, Long.toUnsignedString(size), "less than 2^63");
        boolean extendedL2 = (incompatible & ImageHeader.EXTENDED_L2) != 0;
        require(!extendedL2 || clusterBits >= 14, QC_HDR_29, 20, Integer.toString(clusterBits), "14 to 21");
        require(
                ImageHeader.l1EntriesFor(size, clusterBits, extendedL2) <= ImageHeader.MAX_L1_BYTES / 8,
                QC_LIM_02,
                24,
                "a disk of " + size + " bytes",
                "what an L1 table of 32 MiB can map");
        Optional<String> backingName = backingName();
        int method = encryptionMethod();
        encryption = new EncryptionArea(method, 0, 0);
        readExtensions();
        requireEncryption(method != EncryptionArea.LUKS || encryption.length() > 0, "2", "2 with a LUKS header");
        return new ImageHeader(
                version,
                clusterBits,
                size,
                refcountOrder,
                fields.getInt(36),
                fields.getLong(40),
                fields.getLong(48),
                mending && !refcountTableFits() ? 0 : fields.getInt(56),
                fields.getInt(60),
                fields.getLong(64),
                incompatible,
                version == 2 ? 0 : fields.getLong(ImageHeader.COMPATIBLE_AT),
                version == 2 ? 0 : fields.getLong(88),
                compression,
                backingName,
                backingFormat,
                encryption,
                dataFileName);
    }

    private int encryptionMethod() throws DiskException {
        int method = fields.getInt(EncryptionArea.METHOD_AT);
        require(
                method >= 0 && method <= 2,
                QC_HDR_08,
                EncryptionArea.METHOD_AT,
                Integer.toUnsignedString(method),
                "0, 1 or 2");
        return method;
    }

    private void requireEncryption(boolean right, String found, String allowed) throws DiskException {
        require(right, QC_EXT_10, EncryptionArea.METHOD_AT, found, allowed);
    }

    private void readEncryption(long at, long bytes) throws DiskException {
        int method = fields.getInt(EncryptionArea.METHOD_AT);
        requireEncryption(method == EncryptionArea.LUKS, method + " with a LUKS header", "2");
        require(bytes == EncryptionArea.EXTENSION_BYTES, QC_CRY_04, at + 4, bytes + " bytes", "16");
        ByteBuffer data = ByteBuffer.allocate(EncryptionArea.EXTENSION_BYTES);
        host.readZeroPadded(at + 8, data);
        long offset = data.getLong(0);
        long length = data.getLong(8);
        require((offset & (clusterSize - 1)) == 0, QC_CRY_04, at + 8, hex(offset), "a multiple of the cluster size");
        require(offset >= clusterSize || offset < 0, QC_LIM_08, at + 8, hex(offset), "behind the header's cluster");
        require(length >= LuksHeader.BYTES, QC_CRY_05, at + 16, hex(length), "at least 592 bytes");
        require(length <= EncryptionArea.MAX_BYTES, QC_LIM_16, at + 16, length + " bytes", "at most 64 MiB");
        require(
                offset > 0 && offset <= fileSize - length,
                QC_CRY_04,
                at + 8,
                length + " bytes at " + hex(offset),
                "inside the file of " + fileSize + " bytes");
        requireApart(at + 8, offset, length, fields.getLong(40), 8 * (fields.getInt(36) & 0xffff_ffffL));
        requireApart(at + 8, offset, length, fields.getLong(48), refcountTableBytes());
        encryption = new EncryptionArea(method, offset, length);
    }

    private Compression compression(long incompatible) throws DiskException {
        int at = ImageHeader.COMPRESSION_AT;
        // QC-HDR-26: a field beyond the header's length counts as zero.
        int type = headerLength > at && version == 3 ? fields.get(at) & 0xff : 0;
        require(type <= 1, QC_HDR_28, at, Integer.toString(type), "0 or 1");
        boolean flag = (incompatible & ImageHeader.COMPRESSION) != 0;
        require(flag == (type != 0), QC_HDR_19, at, Integer.toString(type), flag ? "not 0" : "0");
        return type == 0 ? Compression.ZLIB : Compression.ZSTD;
    }

    private void requireTables() throws DiskException {
        long l1Size = fields.getInt(36) & 0xffff_ffffL;
        long l1Offset = fields.getLong(40);
        require(l1Size * 8 <= ImageHeader.MAX_L1_BYTES, QC_LIM_02, 36, l1Size + " entries", "at most 32 MiB");
        requireTable(QC_HDR_09, 40, l1Offset, l1Size * 8);
        if (!mending) {
            requireRefcountTable(l1Offset, l1Size * 8);
        }
        long snapshots = fields.getInt(60) & 0xffff_ffffL;
        require(snapshots <= ImageHeader.MAX_SNAPSHOTS, QC_LIM_05, 60, snapshots + " snapshots", "at most 65536");
        // How long the snapshot table is shows only when it is read.
        long snapshotsLength = snapshots == 0 ? 0 : 1;
        requireTable(QC_HDR_12, 64, fields.getLong(64), snapshotsLength);
        requireApart(64, fields.getLong(64), snapshotsLength, l1Offset, l1Size * 8);
        if (!mending) {
            requireApart(64, fields.getLong(64), snapshotsLength, fields.getLong(48), refcountTableBytes());
        }
    }

    private long refcountTableBytes() {
        return (fields.getInt(56) & 0xffff_ffffL) * clusterSize;
    }

    private void requireRefcountTable(long l1Offset, long l1Bytes) throws DiskException {
        long bytes = refcountTableBytes();
        require(bytes > 0, QC_HDR_11, 56, "no cluster", "at least 1");
        require(
                bytes <= ImageHeader.MAX_REFCOUNT_TABLE_BYTES,
                QC_LIM_03,
                56,
                bytes / clusterSize + " clusters",
                "at most 8 MiB");
        requireTable(QC_HDR_10, 48, fields.getLong(48), bytes);
        requireApart(40, l1Offset, l1Bytes, fields.getLong(48), bytes);
    }

    private boolean refcountTableFits() {
        try {
            requireRefcountTable(fields.getLong(40), 8 * (fields.getInt(36) & 0xffff_ffffL));
            return true;
        } catch (DiskException e) {
            return false;
        }
    }

    private void requireTable(Clause alignment, int fieldAt, long offset, long length) throws DiskException {
        if (length == 0) {
            return;
        }
        require((offset & (clusterSize - 1)) == 0, alignment, fieldAt, hex(offset), "a multiple of the cluster size");
        require(offset >= clusterSize || offset < 0, QC_LIM_08, fieldAt, hex(offset), "behind the header's cluster");
        require(
                offset > 0 && offset <= fileSize - length,
                QC_LIM_07,
                fieldAt,
                length + " bytes at " + hex(offset),
                "inside the file of " + fileSize + " bytes");
    }

    private void requireApart(long fieldAt, long first, long firstLength, long second, long secondLength)
            throws DiskException {
        require(
                firstLength == 0 || first + firstLength <= second || second + secondLength <= first,
                QC_LIM_08,
                fieldAt,
                hex(first),
                "not inside the table at " + hex(second));
    }

    private Optional<String> backingName() throws DiskException {
        long offset = fields.getLong(8);
        int length = fields.getInt(16);
        // QC-HDR-04
        if (offset == 0) {
            return Optional.empty();
        }
        require(
                length >= 0 && length <= ImageHeader.MAX_BACKING_NAME,
                QC_HDR_05,
                16,
                Integer.toUnsignedString(length),
                "at most 1023");
        require(
                offset >= headerLength && offset <= clusterSize - length,
                QC_EXT_08,
                8,
                hex(offset),
                "behind the header, inside the first cluster");
        if (length == 0) {
            return Optional.empty();
        }
        return Optional.of(text(offset, length));
    }

    private boolean needsDataFile() {
        return version == 3 && (fields.getLong(ImageHeader.INCOMPATIBLE_AT) & ImageHeader.DATA_FILE) != 0;
    }

    private void readExtensions() throws DiskException {
        long end = fields.getLong(8) == 0 ? clusterSize : fields.getLong(8);
        ByteBuffer head = ByteBuffer.allocate(8);
        Set<Integer> seen = new HashSet<>();
        long at = headerLength;
        while (at <= end - 8) {
            head.clear();
            host.readZeroPadded(at, head);
            int type = head.getInt(0);
            long length = head.getInt(4) & 0xffff_ffffL;
            // QC-EXT-02
            if (type == 0) {
                return;
            }
            require(length <= end - at - 8, QC_EXT_03, at + 4, length + " bytes", "at most " + (end - at - 8));
            // Of those that matter: which of two counts nobody can tell.
            boolean first = !matters(type) || seen.add(type);
            require(first, QC_EXT_05, at, "a second extension of type " + hex(type & 0xffff_ffffL), "one");
            if (type == ImageHeader.EXTENSION_BACKING_FORMAT) {
                // An empty name says as little as none.
                backingFormat = length == 0 ? Optional.empty() : Optional.of(text(at + 8, (int) length));
            }
            if (type == EncryptionArea.EXTENSION) {
                readEncryption(at, length);
            }
            // QC-DATA-12: without the bit the extension names nothing.
            if (type == ImageHeader.EXTENSION_DATA_FILE && needsDataFile()) {
                require(length <= ImageHeader.MAX_DATA_FILE_NAME, QC_LIM_14, at + 4, length + " bytes", "at most 1023");
                dataFileName = length == 0 ? Optional.empty() : Optional.of(text(at + 8, (int) length));
            }
            // QC-EXT-01, QC-EXT-09
            at += 8 + ((length + 7) & ~7L);
        }
    }

    private boolean matters(int type) {
        return switch (type) {
            case ImageHeader.EXTENSION_BACKING_FORMAT -> fields.getLong(8) != 0;
            case ImageHeader.EXTENSION_DATA_FILE -> needsDataFile();
            default -> type == EncryptionArea.EXTENSION;
        };
    }

    private String text(long offset, int length) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        host.readZeroPadded(offset, bytes);
        return new String(bytes.array(), StandardCharsets.UTF_8);
    }

    private void require(boolean holds, Clause clause, long at, String found, String allowed) throws DiskException {
        if (!holds) {
            throw new MalformedImageException(host.name(), clause, at, found, allowed);
        }
    }

    private static String hex(long value) {
        return RefcountStore.hex(value);
    }
}
