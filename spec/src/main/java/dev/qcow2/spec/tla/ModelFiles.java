package dev.qcow2.spec.tla;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The files of the models: read from the class path, laid out in a folder for a run. */
final class ModelFiles {

    /** Every module, since a module may extend any other. */
    private static final List<String> MODULES = List.of(
            "Disk",
            "Mapping",
            "Twins",
            "Tables",
            "PowerCut",
            "CutTwins",
            "Bitmaps",
            "Chain",
            "Growth",
            "MappingTrace",
            "PowerCutTrace");

    private ModelFiles() {}

    /** Reads a file beside the modules. */
    static String text(String file) throws IOException {
        try (InputStream in = ModelFiles.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new FileNotFoundException("the model file " + file + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Puts all modules into a folder. */
    static void layOut(Path folder) throws IOException {
        for (String module : MODULES) {
            Files.writeString(folder.resolve(module + ".tla"), text(module + ".tla"));
        }
    }

    /** Removes a folder and all that is in it; does nothing if it is not there. */
    static void remove(Path folder) throws IOException {
        if (Files.notExists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
