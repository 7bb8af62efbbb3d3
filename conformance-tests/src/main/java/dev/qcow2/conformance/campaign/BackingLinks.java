package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes the relative backing name of a copied image lead to the file beside the original (QC-BACK-03). */
final class BackingLinks {

    private static final int MOST_NAME = 1023;

    private BackingLinks() {}

    /** A link is enough for one level: the backing file's own names are relative to where it really is. */
    static void make(Path original, Path target) throws IOException {
        String name = backingName(original);
        Path reference = Path.of(name);
        boolean inside = reference.getNameCount() == 1;
        if (!name.isEmpty() && !reference.isAbsolute() && inside) {
            Files.createSymbolicLink(
                    target.resolve(reference),
                    original.resolveSibling(reference).toRealPath());
        }
    }

    private static String backingName(Path image) throws DiskException {
        try (HostFile file = RealHostFile.open(image, RealHostFile.Durability.NONE, StandardOpenOption.READ)) {
            ByteBuffer header = ByteBuffer.allocate(20);
            file.readZeroPadded(0, header);
            long offset = header.getLong(8);
            int length = header.getInt(16);
            if (offset == 0 || length <= 0 || length > MOST_NAME) {
                return "";
            }
            ByteBuffer name = ByteBuffer.allocate(length);
            file.readZeroPadded(offset, name);
            return new String(name.array(), StandardCharsets.UTF_8);
        }
    }
}
