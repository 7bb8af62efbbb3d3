package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.image.ImageBuilder;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** QC-EXT-04: the extension that nobody knows is still in the header, byte for byte. */
final class KeptExtension {

    /** A feature name table, which other writers add, fits in as well. */
    private static final int LARGEST_HEADER = 4096;

    private static final int VERSION_2_LENGTH = 72;

    private KeptExtension() {}

    static void check(Subject subject) throws Objection, DiskException {
        ByteBuffer header = ByteBuffer.allocate(LARGEST_HEADER);
        try (HostFile file = subject.openBytes()) {
            file.readZeroPadded(0, header);
        }
        int at = header.getInt(4) == 2 ? VERSION_2_LENGTH : header.getInt(100);
        while (at >= 0 && at + 8 <= LARGEST_HEADER && header.getInt(at) != 0) {
            int length = header.getInt(at + 4);
            if (header.getInt(at) == ImageBuilder.UNKNOWN_EXTENSION && isWhole(header, at + 8, length)) {
                return;
            }
            at = at + 8 + ((length + 7) & -8);
        }
        throw new Objection(
                Kind.AUDIT, subject.name(), "the header has lost an unknown extension, or bytes of it [QC-EXT-04]");
    }

    private static boolean isWhole(ByteBuffer header, int start, int length) {
        ByteBuffer expected = ByteBuffer.wrap(ImageBuilder.unknownExtensionData());
        return length == expected.remaining()
                && start + length <= LARGEST_HEADER
                && header.slice(start, length).equals(expected);
    }
}
