package dev.qcow2.conformance.campaign;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A directory of the real host that goes away with what is in it. */
final class Scratch implements AutoCloseable {

    private final Path path;

    private Scratch(Path path) {
        this.path = path;
    }

    static Scratch in(Path parent) throws IOException {
        return new Scratch(Files.createTempDirectory(parent, "sequence"));
    }

    Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        List<Path> files;
        try (Stream<Path> listing = Files.list(path)) {
            files = listing.toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
        Files.delete(path);
    }
}
