package dev.qcow2.conformance.trace;

import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Writes each trace into a file of its own, such as {@code 12-optimized.trace}. */
public final class TraceFolder implements TraceStore {

    private final Path folder;
    private final AtomicInteger number = new AtomicInteger();

    /**
     * Makes a store.
     *
     * @param folder is made when the first trace comes
     */
    public TraceFolder(Path folder) {
        this.folder = folder;
    }

    @Override
    public void keep(String subject, List<TraceEvent> events) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(number.incrementAndGet() + "-" + subject + ".trace");
        Files.writeString(file, TraceText.write(events));
    }
}
