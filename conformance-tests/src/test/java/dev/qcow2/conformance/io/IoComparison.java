package dev.qcow2.conformance.io;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the same commands through qemu-io and through {@code qcow2 io}, and tells every difference. */
final class IoComparison {

    /** Images and answers are kept apart by this. */
    private static final String IMAGE = "disk.qcow2";

    /** What a program said, with what varies taken out. */
    private record Answer(int exitCode, String results, String messages) {

        @Override
        public String toString() {
            return "exit code " + exitCode + "\n--- results\n" + results + "--- messages\n" + messages;
        }
    }

    private final IoImages images;
    private final Path root;
    private int next;

    IoComparison(IoImages images, Path root) {
        this.images = images;
        this.root = root;
    }

    /** Runs a case and returns what differs from qemu-io, for one implementation after the other. */
    List<String> differences(IoCase each, String... implementations) throws IOException {
        List<String> differences = new ArrayList<>();
        Path theirs = folder(each, "qemu");
        // Both run at the same time: there is more than one processor.
        Process qemu = start(each, theirs);
        List<Path> folders = new ArrayList<>();
        List<Answer> answers = new ArrayList<>();
        for (String implementation : implementations) {
            Path ours = folder(each, implementation);
            folders.add(ours);
            answers.add(own(each, implementation, ours));
        }
        Answer expected = finish(each, theirs, qemu);
        for (int i = 0; i < implementations.length; i++) {
            String title = implementations[i] + ": " + each + "\n";
            if (!answers.get(i).equals(expected)) {
                differences.add(title + "qemu-io: " + expected + "\nqcow2 io: " + answers.get(i));
            } else {
                for (String difference : imageDifferences(theirs, folders.get(i))) {
                    differences.add(title + difference);
                }
            }
            delete(folders.get(i));
        }
        delete(theirs);
        return differences;
    }

    /** Leaves commands out of a case as long as it still differs. */
    IoCase shortest(IoCase found, String... implementations) throws IOException {
        IoCase shortest = found;
        for (int i = found.commands().size() - 1; i >= 0; i--) {
            List<String> fewer = new ArrayList<>(shortest.commands());
            fewer.remove(i);
            IoCase shorter = new IoCase(found.kind(), found.options(), fewer, found.anyOrder());
            if (!differences(shorter, implementations).isEmpty()) {
                shortest = shorter;
            }
        }
        return shortest;
    }

    private Path folder(IoCase each, String name) throws IOException {
        Path folder = root.resolve(next++ + name);
        images.copy(each.kind(), folder);
        return folder;
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private static Process start(IoCase each, Path folder) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-io"));
        command.addAll(each.arguments(folder.toString()));
        return new ProcessBuilder(command)
                // QEMU looks for a data file where the program was started.
                .directory(folder.toFile())
                .redirectInput(
                        ProcessBuilder.Redirect.from(folder.resolve("empty").toFile()))
                .redirectOutput(folder.resolve("results").toFile())
                .redirectError(folder.resolve("messages").toFile())
                .start();
    }

    private static Answer finish(IoCase each, Path folder, Process process) throws IOException {
        try {
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                throw new IOException("no answer from qemu-io to " + each);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
        String results = Files.readString(folder.resolve("results"));
        return answer(each, folder, process.exitValue(), results, Files.readString(folder.resolve("messages")));
    }

    private static Answer own(IoCase each, String implementation, Path folder) {
        StringWriter results = new StringWriter();
        StringWriter messages = new StringWriter();
        IoOutput output = new IoOutput(new PrintWriter(results), new PrintWriter(messages), false);
        List<String> arguments = new ArrayList<>(List.of("--impl", implementation));
        arguments.addAll(each.arguments(folder.toString()));
        int exitCode = new IoProgram(new ByteArrayInputStream(new byte[0]), output, number -> {})
                .run(arguments.toArray(String[]::new));
        return answer(each, folder, exitCode, results.toString(), messages.toString());
    }

    private static Answer answer(IoCase each, Path folder, int exitCode, String results, String messages) {
        String steady = results.replace(folder + "/", "")
                .replaceAll("[0-9:.]+( sec)? \\([^()]*/sec and [0-9.]+ ops/sec\\)", "TIME")
                .replaceAll("(?m)^([0-9]+,1),[0-9:.]+,[0-9.]+,[0-9.]+$", "$1,TIME");
        if (each.anyOrder()) {
            String[] lines = steady.split("\n", -1);
            Arrays.sort(lines);
            steady = String.join("\n", lines);
        }
        String named = messages.replace(folder + "/", "")
                .replace("qemu-io: ", "PROGRAM: ")
                .replace("qcow2 io: ", "PROGRAM: ");
        return new Answer(exitCode, steady, named);
    }

    private static List<String> imageDifferences(Path theirs, Path ours) throws IOException {
        List<String> differences = new ArrayList<>();
        HostDirectory theirFiles = new RealHostDirectory(theirs);
        HostDirectory ourFiles = new RealHostDirectory(ours);
        if (!isQcow2(ours.resolve(IMAGE))) {
            boolean same = !Files.exists(ours.resolve(IMAGE))
                    || Files.mismatch(theirs.resolve(IMAGE), ours.resolve(IMAGE)) < 0;
            return same ? List.of() : List.of("the files differ");
        }
        OpenOptions options = OpenOptions.readOnly().followingBacking().followingDataFile();
        ReferenceDriver driver = new ReferenceDriver();
        try (VirtualDisk their = driver.open(theirFiles, IMAGE, options);
                VirtualDisk our = driver.open(ourFiles, IMAGE, options);
                HostFile file = ourFiles.open(IMAGE, Access.READ_ONLY)) {
            differences.addAll(contentDifferences(their, our));
            AuditReport report = new Auditor().audit(file);
            if (report.findings().stream().anyMatch(finding -> finding.kind() != Finding.Kind.WARNING)) {
                differences.add(report.toText());
            }
        } catch (DiskException e) {
            // An image that nobody can open was not changed by anybody.
            return Files.mismatch(theirs.resolve(IMAGE), ours.resolve(IMAGE)) < 0
                    ? List.of()
                    : List.of("the image can't be opened: " + e.getMessage());
        }
        return differences;
    }

    private static boolean isQcow2(Path file) throws IOException {
        byte[] start = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
        return new String(start, 0, Math.min(4, start.length), StandardCharsets.ISO_8859_1).equals("QFI\u00fb");
    }

    private static List<String> contentDifferences(VirtualDisk their, VirtualDisk our) throws DiskException {
        if (their.size() != our.size()) {
            return List.of("size " + our.size() + " instead of " + their.size());
        }
        List<String> differences = new ArrayList<>();
        List<BlockStatus> extents = new ArrayList<>(their.status(0, their.size()));
        extents.addAll(our.status(0, our.size()));
        for (BlockStatus extent : extents) {
            // What reads as zero in both is compared by the other's extents, if anything else is there.
            if (extent.content() == BlockStatus.Content.DATA) {
                byte[] expected = bytes(their, extent);
                byte[] found = bytes(our, extent);
                int at = Arrays.mismatch(expected, found);
                if (at >= 0) {
                    differences.add(
                            "byte " + (extent.guestOffset() + at) + " is " + found[at] + " instead of " + expected[at]);
                }
            }
        }
        return differences;
    }

    private static byte[] bytes(VirtualDisk disk, BlockStatus extent) throws DiskException {
        byte[] bytes = new byte[Math.toIntExact(extent.length())];
        disk.read(extent.guestOffset(), ByteBuffer.wrap(bytes));
        return bytes;
    }
}
