package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
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

    static Verdict check(Path image) throws IOException, InterruptedException {
        Path directory = Objects.requireNonNull(image.getParent());
        Output output =
                start(directory, List.of("qemu-img", "check", "-f", "qcow2", "--output=json", image.toString()));
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
