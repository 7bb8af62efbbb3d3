package dev.qcow2.conformance.io;

import dev.qcow2.conformance.program.HostProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The images that commands are run on: one folder for each kind, made once by QEMU's tools, copied for each run. */
final class IoImages {

    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final byte[] MAGIC = {'Q', 'F', 'I', (byte) 0xfb};

    private final Path root;

    private IoImages(Path root) {
        this.root = root;
    }

    /** Makes an image of every kind. */
    static IoImages make(Path root) throws IOException {
        IoImages images = new IoImages(root);
        images.plainKinds();
        images.kindsWithFiles();
        images.brokenKinds();
        return images;
    }

    private void plainKinds() throws IOException {
        create("plain", "1M");
        create("none", "1M");
        create("zero", "0");
        create("odd", "1000448");
        create("big", "8G");
        create("filled", "1M");
        io("filled", "disk.qcow2", "write -P 1 0 512k");
        create("snapshots", "1M");
        io("snapshots", "disk.qcow2", "write -P 1 0 512k");
        run("qemu-img", "snapshot", "-c", "kept", file("snapshots", "disk.qcow2"));
        create("v2", "1M", "-o", "compat=0.10");
        create("extended", "1M", "-o", "extended_l2=on,cluster_size=128k,compression_type=zstd");
        create("lazy", "1M", "-o", "lazy_refcounts=on");
        create("small", "1M", "-o", "cluster_size=512");
        create("refcount1", "1M", "-o", "refcount_bits=1");
    }

    private void kindsWithFiles() throws IOException {
        for (String kind : new String[] {"overlay", "v2overlay", "chain"}) {
            run("qemu-img", "create", "-q", "-f", "qcow2", path(kind, "base.qcow2"), "1M");
            io(kind, "base.qcow2", "write -P 1 0 256k");
        }
        overlay("overlay", "disk.qcow2", "base.qcow2", "compat=1.1");
        overlay("v2overlay", "disk.qcow2", "base.qcow2", "compat=0.10");
        overlay("chain", "middle.qcow2", "base.qcow2", "compat=1.1");
        io("chain", "middle.qcow2", "write -P 2 200k 100k", "write -z 0 2k");
        overlay("chain", "disk.qcow2", "middle.qcow2", "compat=1.1");
        create("datafile", "1M", "-o", "data_file=" + path("datafile", "data.raw") + ",data_file_raw=on");
        run("qemu-img", "amend", "-o", "data_file=data.raw", file("datafile", "disk.qcow2"));
        byte[] raw = new byte[1 << 20];
        for (int i = 256 << 10; i < 320 << 10; i++) {
            raw[i] = (byte) i;
        }
        Files.write(Path.of(path("raw", "disk.qcow2")), raw);
    }

    private void brokenKinds() throws IOException {
        Files.createDirectories(root.resolve("missing"));
        Files.write(
                Path.of(path("broken", "disk.qcow2")),
                "QFI\u00fbabcdefgh".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
        create("version9", "1M");
        byte[] image = Files.readAllBytes(Path.of(file("version9", "disk.qcow2")));
        image[7] = 9;
        Files.write(Path.of(file("version9", "disk.qcow2")), image);
        run(
                "qemu-img",
                "create",
                "-q",
                "-u",
                "-f",
                "qcow2",
                "-F",
                "qcow2",
                "-b",
                "gone.qcow2",
                path("nobacking", "disk.qcow2"),
                "1M");
    }

    private void create(String kind, String size, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
        command.addAll(List.of(options));
        command.addAll(List.of(path(kind, "disk.qcow2"), size));
        run(command.toArray(String[]::new));
    }

    private void overlay(String kind, String name, String base, String options) throws IOException {
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-o", options, "-b", base, path(kind, name));
    }

    private void io(String kind, String name, String... commands) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-io", "-f", "qcow2"));
        for (String each : commands) {
            command.addAll(List.of("-c", each));
        }
        command.add(file(kind, name));
        run(command.toArray(String[]::new));
    }

    private static void run(String... command) throws IOException {
        HostProgram.run(List.of(command), "", PATIENCE).orThrow();
    }

    private String file(String kind, String name) {
        return root.resolve(kind).resolve(name).toString();
    }

    private String path(String kind, String name) throws IOException {
        Files.createDirectories(root.resolve(kind));
        return file(kind, name);
    }

    /** Copies the folder of a kind, with the files that commands name. */
    void copy(String kind, Path target) throws IOException {
        Files.createDirectories(target);
        try (Stream<Path> files = Files.list(root.resolve(kind))) {
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Files.writeString(target.resolve("pattern"), "abc");
        Files.createFile(target.resolve("empty"));
        Files.write(target.resolve("magic"), MAGIC);
    }
}
