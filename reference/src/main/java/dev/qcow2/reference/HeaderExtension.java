package dev.qcow2.reference;

import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A header extension, found but not read: unknown ones are never touched (QC-EXT-04).
 *
 * <pre>
 * offset size field    allowed                                          clause
 *      0    4 type     0 ends the area                                  QC-EXT-02
 *      4    4 length   up to the end of the area                        QC-EXT-03
 *      8    n data     padded with any bytes to a multiple of 8         QC-EXT-01, QC-EXT-09
 * </pre>
 *
 * @param type what kind it is
 * @param dataOffset host offset of its data
 * @param length bytes of data
 */
record HeaderExtension(int type, long dataOffset, int length) {

    static final int END = 0;
    static final int BACKING_FORMAT = 0xe2792aca;
    static final int DATA_FILE = 0x44415441;
    static final int FEATURE_NAMES = 0x6803f857;
    static final int CRYPTO_HEADER = 0x0537be77;

    private static final int PREFIX = 8;

    /** Lists the extensions of an image in the order of the file. */
    static List<HeaderExtension> list(HostFile file, Header header) throws DiskException {
        // QC-EXT-08: the area ends where the backing file's name begins, or with the first cluster.
        long end = header.backingNameOffset() != 0 ? header.backingNameOffset() : 1L << header.clusterBits();
        List<HeaderExtension> found = new ArrayList<>();
        long at = header.length();
        while (at + PREFIX <= end) {
            ByteBuffer prefix = ByteBuffer.allocate(PREFIX);
            file.readZeroPadded(at, prefix);
            int type = prefix.getInt(0);
            if (type == END) {
                break;
            }
            long length = Integer.toUnsignedLong(prefix.getInt(4));
            if (length > end - at - PREFIX) {
                throw new MalformedImageException(
                        file.name(), ExtensionClause.QC_EXT_03, at + 4, Long.toString(length), "up to byte " + end);
            }
            found.add(new HeaderExtension(type, at + PREFIX, (int) length));
            at += PREFIX + (length + 7) / 8 * 8;
        }
        return found;
    }

    /** Finds the one extension of a type that is known here (QC-EXT-05). */
    static Optional<HeaderExtension> find(String fileName, List<HeaderExtension> extensions, int type)
            throws MalformedImageException {
        List<HeaderExtension> matches =
                extensions.stream().filter(e -> e.type == type).toList();
        if (matches.size() > 1) {
            throw new MalformedImageException(
                    fileName,
                    ExtensionClause.QC_EXT_05,
                    matches.get(1).dataOffset - PREFIX,
                    "a second extension of type 0x" + Integer.toHexString(type),
                    "one");
        }
        return matches.stream().findFirst();
    }

    /** Reads the data; its length was bounded by the cluster when it was found. */
    ByteBuffer data(HostFile file) throws DiskException {
        ByteBuffer data = ByteBuffer.allocate(length);
        file.readZeroPadded(dataOffset, data);
        return data.flip();
    }

    /** Encodes an extension with its padding. */
    static ByteBuffer encode(int type, byte[] data) {
        ByteBuffer bytes = ByteBuffer.allocate(PREFIX + (data.length + 7) / 8 * 8);
        return bytes.putInt(type).putInt(data.length).put(data).clear();
    }

    /** Decodes a string extension (QC-EXT-06): no terminating zero, the padding does not count. */
    static String text(ByteBuffer data) {
        return StandardCharsets.UTF_8.decode(data.duplicate()).toString();
    }
}
