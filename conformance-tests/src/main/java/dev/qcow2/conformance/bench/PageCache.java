package dev.qcow2.conformance.bench;

import java.io.IOException;
import java.nio.file.Path;

/** The host's page cache, as far as a user without privileges can steer it. */
final class PageCache {

    private PageCache() {}

    /** Drops a file's clean pages, after they have been written to the device. */
    static void drop(Path file) throws IOException {
        Tool.run("sync", file.toString());
        // dd that copies nothing but promises not to need the cache: POSIX_FADV_DONTNEED on the whole file.
        Tool.run("dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
    }
}
