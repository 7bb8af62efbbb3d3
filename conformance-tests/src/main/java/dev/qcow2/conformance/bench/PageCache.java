package dev.qcow2.conformance.bench;

import dev.qcow2.conformance.program.HostProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The host's page cache, as far as a user without privileges can steer it. */
final class PageCache {

    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private PageCache() {}

    /** Drops a file's clean pages, after they have been written to the device. */
    static void drop(Path file) throws IOException {
        HostProgram.run(List.of("sync", file.toString()), "", PATIENCE).orThrow();
        // dd that copies nothing but promises not to need the cache: POSIX_FADV_DONTNEED on the whole file.
        List<String> forget =
                List.of("dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
        HostProgram.run(forget, "", PATIENCE).orThrow();
    }
}
