package dev.qcow2.spec.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
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
    EMPTY("cluster_size=4k", "0"),
    PREALLOCATED("cluster_size=4k,preallocation=metadata", "300k", "write 4k 8k"),
    COMPRESSED_ZSTD(
            "cluster_size=4k,compression_type=zstd",
            "300k",
            "write -c 0 4k",
            "write -c 8k 4k",
            "write 8k 1k",
            "write -c 32k 4k"),
    /** The length of a descriptor has one bit only. */
    COMPRESSED_SMALL("cluster_size=512", "100k", "convert"),
    COMPRESSED_LARGE("cluster_size=64k", "1M", "convert"),
    COMPRESSED_WHOLE("cluster_size=4k", "300k", "convert"),
    COMPRESSED_SNAPSHOT(
            "cluster_size=4k", "300k", "convert", "snapshot s", "write 10k 9k", "discard 40k 8k", "write -c 40k 4k"),
    COMPRESSED_COUNT_2("cluster_size=1k,refcount_bits=8", "100k", "convert", "write 3k 2k", "discard 8k 4k"),
    EXTENDED_OVERLAY(
            "cluster_size=16k,extended_l2=on,backing_fmt=raw,backing_file=@BASE@",
            "900k",
            "write 1k 1k",
            "write -z 8k 8k",
            "write -z -u 20k 2k",
            "write 300k 9k",
            "discard 300k 16k"),
    EXTENDED_COMPRESSED(
            "cluster_size=16k,extended_l2=on", "600k", "convert", "write 20k 1k", "snapshot s", "write 33k 1k"),
    EXTENDED_DATA_FILE(
            "cluster_size=16k,extended_l2=on,data_file=@DATA@",
            "900k",
            "write 0 40k",
            "write -z 64k 8k",
            "write 100k 1k"),
    DATA_FILE_RAW("cluster_size=4k,data_file=@DATA@,data_file_raw=on", "300k", "write 0 40k", "write -z 64k 8k"),
    DATA_FILE_EMPTY("cluster_size=4k,data_file=@DATA@", "300k", "write 100k 4k"),
    LUKS(
            "cluster_size=4k,encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
            "700k",
            "write 0 90k",
            "snapshot s"),
    LUKS_EXTENDED(
            "cluster_size=16k,extended_l2=on,encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
            "700k",
            "write 1k 3k"),
    AES("cluster_size=4k,encrypt.format=aes,encrypt.key-secret=s", "700k", "write 0 90k"),
    /** Bits and tables of several clusters, and a bitmap that is not enabled. */
    BITMAPS_LARGE(
            "cluster_size=512",
            "9M",
            "bitmap b0 -g 512",
            "bitmap b1 -g 64k --disable",
            "write 0 4k",
            "write 5M 4k",
            "merge b0 b1"),
    BITMAPS_IN_USE("cluster_size=4k", "900k", "bitmap b0", "write 0 40k", "bitmap b1", "abort 100k 8k"),
    VM_STATE("cluster_size=4k", "700k", "write 0 40k", "write -b 0 20k", "snapshot s", "write 8k 8k"),
    RESIZED(
            "cluster_size=1k",
            "300k",
            "write 0 40k",
            "snapshot s",
            "resize 500k",
            "write 400k 9k",
            "snapshot t",
            "resize 100k"),
    DIRTY("cluster_size=4k,lazy_refcounts=on", "700k", "write 0 40k", "abort 100k 20k"),
    DIRTY_EXTENDED("cluster_size=16k,lazy_refcounts=on,extended_l2=on", "700k", "write 0 4k", "abort 100k 20k");

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
        Path file = directory.resolve(name() + ".made");
        // Not in the directory, which goes with its test class: the image keeps the name for the next class.
        Path target = Path.of("target").toAbsolutePath();
        Path base = target.resolve("auditor-test.base");
        Files.write(base, new byte[100_000]);
        String made = options.replace(
                        "@DATA@",
                        target.resolve("auditor-test-" + name() + ".data").toString())
                .replace("@BASE@", base.toString());
        if (commands.contains("convert")) {
            Path source = directory.resolve(name() + ".source");
            Files.write(source, compressible());
            QemuTools.run(
                    directory,
                    "qemu-img convert -q -c -f raw -O qcow2 -o".split(" ", -1),
                    made,
                    source.toString(),
                    file.toString());
        } else {
            QemuTools.create(directory, file, made, size);
        }
        for (String command : commands) {
            perform(directory, file, command.split(" ", -1), command);
        }
        return Files.readAllBytes(file);
    }

    private static void perform(Path directory, Path file, String[] words, String command)
            throws IOException, InterruptedException {
        switch (words[0]) {
            case "convert" -> {}
            case "snapshot" -> QemuTools.run(directory, file, "qemu-img", "snapshot", "-c", words[1]);
            case "resize" -> QemuTools.run(directory, file, "qemu-img", "resize", "-q", "--shrink", words[1]);
            case "bitmap" -> QemuTools.addBitmap(directory, file, List.of(words).subList(1, words.length));
            case "merge" -> QemuTools.mergeBitmap(directory, file, words[1], words[2]);
            case "abort" -> QemuTools.writeAndDie(directory, file, "write " + words[1] + " " + words[2]);
            default -> QemuTools.io(directory, file, command);
        }
    }

    /** Clusters that pack well, clusters that pack badly, and some that do not pack at all. */
    private byte[] compressible() {
        int length =
                switch (size) {
                    case "100k" -> 100 << 10;
                    case "300k" -> 300 << 10;
                    case "600k" -> 600 << 10;
                    default -> 1 << 20;
                };
        byte[] bytes = new byte[length];
        SplittableRandom random = new SplittableRandom(3);
        for (int at = 0; at < length; ) {
            int run = Math.min(length - at, 1 + random.nextInt(9000));
            int alphabet = 1 + random.nextInt(256);
            for (int end = at + run; at < end; at++) {
                bytes[at] = (byte) random.nextInt(alphabet);
            }
        }
        return bytes;
    }
}
