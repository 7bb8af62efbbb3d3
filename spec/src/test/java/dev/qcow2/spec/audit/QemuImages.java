package dev.qcow2.spec.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Images that QEMU makes, each once. */
enum QemuImages {
    VERSION_3(
            "compat=1.1,cluster_size=4k",
            "700k",
            "write 0 200k",
            "write -z 256k 64k",
            "write 300k 64k",
            "write -z 300k 20k"),
    VERSION_2("compat=0.10,cluster_size=4k", "700k", "write 0 200k", "write 600k 30k"),
    SMALLEST_CLUSTERS("cluster_size=512", "300k", "write 0 40k", "write -z 50k 10k", "write 100k 50k"),
    LARGE_CLUSTERS("cluster_size=64k", "3M", "write 0 300k", "write 2M 64k"),
    REFCOUNT_1("cluster_size=512,refcount_bits=1", "300k", "write 0 40k"),
    REFCOUNT_2("cluster_size=1k,refcount_bits=2", "300k", "write 0 40k", "snapshot s", "write 0 20k"),
    REFCOUNT_4("cluster_size=1k,refcount_bits=4", "300k", "write 0 40k"),
    REFCOUNT_8("cluster_size=512,refcount_bits=8", "300k", "write 0 40k", "snapshot s", "write 10k 2k"),
    REFCOUNT_32("cluster_size=512,refcount_bits=32", "300k", "write 0 40k"),
    REFCOUNT_64("cluster_size=512,refcount_bits=64", "300k", "write 0 40k", "write 200k 20k"),
    COMPRESSED(
            "cluster_size=4k",
            "300k",
            "write -c 0 4k",
            "write -c 4k 4k",
            "write -c 8k 4k",
            "write 16k 16k",
            "write -c 32k 4k"),
    SNAPSHOTS(
            "cluster_size=1k", "300k", "write 0 40k", "snapshot one", "write 5k 7k", "snapshot two", "write 150k 20k"),
    SNAPSHOTS_2("compat=0.10,cluster_size=1k", "300k", "write 0 40k", "snapshot one", "write 5k 7k"),
    EXTENDED(
            "cluster_size=16k,extended_l2=on",
            "900k",
            "write 0 40k",
            "write -z 64k 1k",
            "write 100k 3k",
            "write -c 160k 16k"),
    BITMAPS("cluster_size=4k", "900k", "bitmap b0", "write 0 40k", "bitmap b1", "write 100k 8k"),
    DATA_FILE("cluster_size=4k,data_file=@DATA@", "300k", "write 0 40k", "write -z 64k 8k"),
    OVERLAY(
            "cluster_size=4k,backing_fmt=raw,backing_file=@BASE@",
            "700k",
            "write 1k 1k",
            "write -z 8k 8k",
            "write 300k 9k"),
    EMPTY("cluster_size=4k", "0");

    private static final Map<QemuImages, byte[]> MADE = new ConcurrentHashMap<>();

    private final String options;
    private final String size;
    private final List<String> commands;

    QemuImages(String options, String size, String... commands) {
        this.options = options;
        this.size = size;
        this.commands = List.of(commands);
    }

    /** Returns the image's bytes. */
    PatchedImage load(Path directory) throws IOException, InterruptedException {
        byte[] known = MADE.get(this);
        if (known == null) {
            known = make(directory);
            MADE.put(this, known);
        }
        return new PatchedImage(known);
    }

    private byte[] make(Path directory) throws IOException, InterruptedException {
        String file = directory.resolve(name() + ".made").toString();
        // Not in the directory, which goes with its test class: the image keeps the name for the next class.
        Path target = Path.of("target").toAbsolutePath();
        Path base = target.resolve("auditor-test.base");
        Files.write(base, new byte[100_000]);
        String made = options.replace(
                        "@DATA@", target.resolve("auditor-test.data").toString())
                .replace("@BASE@", base.toString());
        QemuTools.run(directory, "qemu-img", "create", "-q", "-f", "qcow2", "-o", made, file, size);
        for (String command : commands) {
            String[] words = command.split(" ", -1);
            List<String> line = new ArrayList<>();
            switch (words[0]) {
                case "snapshot" -> line.addAll(List.of("qemu-img", "snapshot", "-c", words[1], file));
                case "bitmap" -> line.addAll(List.of("qemu-img", "bitmap", "--add", file, words[1]));
                default -> line.addAll(List.of("qemu-io", "-f", "qcow2", "-c", command, file));
            }
            QemuTools.run(directory, line.toArray(String[]::new));
        }
        return Files.readAllBytes(Path.of(file));
    }
}
