package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_15;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_18;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_19;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_20;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;

/** The feature name table (QC-EXT-07): written into new images, and asked for the name of a bit that we don't know. */
final class FeatureNames {

    private static final int ENTRY_BYTES = 48;
    private static final int NAME_BYTES = 46;
    private static final int KNOWN_INCOMPATIBLE = 5;

    private FeatureNames() {}

    private enum Feature {
        DIRTY(0, 0, "dirty bit"),
        CORRUPT(0, 1, "corrupt bit"),
        DATA_FILE(0, 2, "external data file"),
        COMPRESSION(0, 3, "compression type"),
        EXTENDED_L2(0, 4, "extended L2 entries"),
        LAZY(1, 0, "lazy refcounts"),
        BITMAPS(2, 0, "bitmaps"),
        RAW_DATA(2, 1, "raw external data");

        private final int type;
        private final int bit;
        private final String text;

        Feature(int type, int bit, String text) {
            this.type = type;
            this.bit = bit;
            this.text = text;
        }
    }

    /** The table that a new image carries. */
    static byte[] table() {
        ByteBuffer table = ByteBuffer.allocate(Feature.values().length * ENTRY_BYTES);
        for (Feature feature : Feature.values()) {
            int at = table.position();
            table.put((byte) feature.type).put((byte) feature.bit);
            table.put(feature.text.getBytes(StandardCharsets.US_ASCII));
            table.position(at + ENTRY_BYTES);
        }
        return table.array();
    }

    /** Refuses an image for its incompatible bits, by name (QC-HDR-15). */
    static void refuse(HostFile host, int headerLength, long clusterSize, long incompatible) throws DiskException {
        StringJoiner names = new StringJoiner(", ");
        Clause clause = QC_HDR_15;
        for (int bit = 2; bit < 64; bit++) {
            if (((incompatible >>> bit) & 1) != 0) {
                names.add(
                        bit < KNOWN_INCOMPATIBLE ? knownName(bit) : unknownName(host, headerLength, clusterSize, bit));
                clause = names.length() > 0 && bit < KNOWN_INCOMPATIBLE ? clauseOf(bit) : QC_HDR_15;
            }
        }
        throw new UnsupportedFeatureException(host.name(), clause, names.toString());
    }

    private static Clause clauseOf(int bit) {
        return bit == 2 ? QC_HDR_18 : bit == 3 ? QC_HDR_19 : QC_HDR_20;
    }

    private static String knownName(int bit) {
        return Feature.values()[bit].text;
    }

    private static String unknownName(HostFile host, int headerLength, long clusterSize, int bit) throws DiskException {
        ByteBuffer head = ByteBuffer.allocate(8);
        for (long at = headerLength; at <= clusterSize - 8; ) {
            head.clear();
            host.readZeroPadded(at, head);
            long length = Math.min(head.getInt(4) & 0xffff_ffffL, clusterSize - at - 8);
            if (head.getInt(0) == 0) {
                break;
            }
            if (head.getInt(0) == ImageHeader.EXTENSION_FEATURE_NAMES) {
                return "incompatible feature bit " + bit + nameInTable(host, at + 8, length, bit);
            }
            at += 8 + ((length + 7) & ~7L);
        }
        return "incompatible feature bit " + bit;
    }

    private static String nameInTable(HostFile host, long offset, long length, int bit) throws DiskException {
        ByteBuffer entry = ByteBuffer.allocate(ENTRY_BYTES);
        for (long done = 0; done <= length - ENTRY_BYTES; done += ENTRY_BYTES) {
            entry.clear();
            host.readZeroPadded(offset + done, entry);
            if (entry.get(0) == 0 && entry.get(1) == bit) {
                String name = new String(entry.array(), 2, NAME_BYTES, StandardCharsets.UTF_8);
                int end = name.indexOf(0);
                return " \"" + (end < 0 ? name : name.substring(0, end)) + "\"";
            }
        }
        return "";
    }
}
