package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.spec.layout.HeaderLayout;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** QEMU's tools: they make images, and judge them a second time. */
final class QemuTools {

    /**
     * What {@code qemu-img check} says.
     *
     * @param opened false if QEMU did not open the image at all
     */
    record Verdict(
            boolean opened,
            long checkErrors,
            long corruptions,
            long leaks,
            AuditReport.Clusters clusters,
            String text) {}

    private static final String SECRET = "--object secret,id=s,data=x";

    private QemuTools() {}

    static void assumeInstalled() {
        boolean found = List.of(String.valueOf(System.getenv("PATH")).split(":", -1)).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "qemu-img"))
                        && Files.isExecutable(Path.of(directory, "qemu-io")));
        assumeTrue(found, "qemu-img and qemu-io are not installed: the outside oracle is missing");
    }

    /** Runs a tool that must succeed. */
    static void run(Path directory, String... command) throws IOException, InterruptedException {
        Output output = start(directory, List.of(command));
        assertThat(output.exitCode())
                .as("%s%n%s", List.of(command), output.text())
                .isZero();
    }

    /** Runs a tool with more words behind a command; it must succeed. */
    static void run(Path directory, String[] command, String... more) throws IOException, InterruptedException {
        run(directory, Stream.concat(Stream.of(command), Stream.of(more)).toArray(String[]::new));
    }

    /** Makes an image; for an encrypted one QEMU measures the processor, gives up now and then, and is asked again. */
    static void create(Path directory, Path file, String options, String size)
            throws IOException, InterruptedException {
        String[] command = ("qemu-img create -q -f qcow2 " + SECRET + " -o").split(" ", -1);
        for (int retries = 30; ; retries--) {
            try {
                run(directory, command, options, file.toString(), size);
                return;
            } catch (AssertionError e) {
                if (retries == 0 || !String.valueOf(e.getMessage()).contains("accurate CPU usage")) {
                    throw e;
                }
                Files.deleteIfExists(file);
            }
        }
    }

    /** Runs qemu-img with a subcommand and an option; what is left of the words goes behind the image. */
    static void run(Path directory, Path file, String tool, String subcommand, String... words)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(tool, subcommand));
        int options = subcommand.equals("resize") ? words.length - 1 : words.length;
        line.addAll(List.of(words).subList(0, options));
        List<String> image = image(file);
        // Only this subcommand guesses the format.
        line.addAll(subcommand.equals("snapshot") && image.contains("-f") ? List.of(file.toString()) : image);
        line.addAll(List.of(words).subList(options, words.length));
        run(directory, line.toArray(String[]::new));
    }

    static void addBitmap(Path directory, Path file, List<String> nameAndOptions)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("qemu-img", "bitmap", "--add"));
        line.addAll(nameAndOptions.subList(1, nameAndOptions.size()));
        line.add(file.toString());
        line.add(nameAndOptions.get(0));
        run(directory, line.toArray(String[]::new));
    }

    static void mergeBitmap(Path directory, Path file, String from, String into)
            throws IOException, InterruptedException {
        run(directory, "qemu-img", "bitmap", "--merge", from, file.toString(), into);
    }

    static void io(Path directory, Path file, String command) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("qemu-io", "-c", command));
        line.addAll(image(file));
        run(directory, line.toArray(String[]::new));
    }

    /** Leaves an image as a program leaves it that ends without closing. */
    static void writeAndDie(Path directory, Path file, String command) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("qemu-io", "-c", command, "-c", "abort"));
        line.addAll(image(file));
        assertThat(start(directory, line).exitCode()).isNotZero();
    }

    /** The words that name an image, with the passphrase if its header says that one is needed. */
    private static List<String> image(Path file) throws IOException {
        byte[] head = new byte[40];
        try (InputStream in = Files.newInputStream(file)) {
            in.readNBytes(head, 0, head.length);
        }
        if (HeaderLayout.CRYPT_METHOD.get(ByteBuffer.wrap(head), 0) == 0) {
            return List.of("-f", "qcow2", file.toString());
        }
        List<String> words = new ArrayList<>(List.of(SECRET.split(" ", -1)));
        words.addAll(List.of("--image-opts", "driver=qcow2,encrypt.key-secret=s,file.filename=" + file));
        return words;
    }

    static Verdict check(Path image) throws IOException, InterruptedException {
        Path directory = Objects.requireNonNull(image.getParent());
        List<String> line = new ArrayList<>(List.of("qemu-img", "check", "--output=json"));
        line.addAll(image(image));
        Output output = start(directory, line);
        String text = output.text();
        return new Verdict(
                text.contains("\"check-errors\""),
                number(text, "check-errors"),
                number(text, "corruptions"),
                number(text, "leaks"),
                new AuditReport.Clusters(
                        number(text, "total-clusters"),
                        number(text, "allocated-clusters"),
                        number(text, "compressed-clusters"),
                        number(text, "fragmented-clusters"),
                        number(text, "image-end-offset")),
                text);
    }

    private static long number(String json, String key) {
        Matcher matcher = Pattern.compile("\"" + key + "\": (\\d+)").matcher(json);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    private record Output(int exitCode, String text) {}

    private static Output start(Path directory, List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(new ArrayList<>(command))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Output(process.waitFor(), text);
    }
}
