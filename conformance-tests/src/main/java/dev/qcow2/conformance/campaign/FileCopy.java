package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Copies files and leaves holes where there are only zeros. */
final class FileCopy {

    private static final int CHUNK = 1 << 16;

    private FileCopy() {}

    static void copy(HostFile from, HostFile to) throws DiskException {
        long size = from.size();
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        for (long at = 0; at < size; at += CHUNK) {
            chunk.clear();
            from.read(at, chunk);
            if (!isZero(chunk.flip())) {
                to.write(at, chunk);
            }
        }
        to.truncate(size);
    }

    static void copyToPath(HostFile from, Path target) throws DiskException {
        try (HostFile to = RealHostFile.open(
                target,
                RealHostFile.Durability.NONE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            copy(from, to);
        }
    }

    static void copyFromPath(Path source, HostFile to) throws DiskException {
        try (HostFile from = RealHostFile.open(source, RealHostFile.Durability.NONE, StandardOpenOption.READ)) {
            copy(from, to);
        }
    }

    private static boolean isZero(ByteBuffer bytes) {
        for (int i = bytes.position(); i < bytes.limit(); i++) {
            if (bytes.get(i) != 0) {
                return false;
            }
        }
        return true;
    }
}
