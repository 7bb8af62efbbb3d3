package dev.qcow2.conformance.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.conformance.program.HostProgram.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** The programs qemu-img and qemu-io, as an oracle from outside. */
public final class QemuTools {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final String version;

    private QemuTools(String version) {
        this.version = version;
    }

    /**
     * Looks for the programs.
     *
     * @return empty if one is missing
     */
    public static Optional<QemuTools> find() {
        try {
            Answer image = run(List.of("qemu-img", "--version"));
            Answer io = run(List.of("qemu-io", "--version"));
            if (image.exitCode() != 0 || io.exitCode() != 0) {
                return Optional.empty();
            }
            String first = image.output().lines().findFirst().orElse("");
            return Optional.of(
                    new QemuTools(first.replace("qemu-img version ", "").replaceAll(" .*", "")));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * Returns the version.
     *
     * @return for instance {@code 7.2.22}
     */
    public String version() {
        return version;
    }

    /**
     * Runs {@code qemu-img check}.
     *
     * @param image a qcow2 image
     * @return what is wrong, or empty
     * @throws IOException if the program can't be run
     */
    public Optional<String> check(QemuImage image) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "check"));
        command.addAll(image.options());
        command.add(image.name());
        Answer answer = run(command);
        return answer.exitCode() == 0 ? Optional.empty() : Optional.of(answer.beginning());
    }

    /**
     * What {@code qemu-img check} counts.
     *
     * @param corruptions broken rules
     * @param leaks leaked clusters
     * @param checkErrors what it could not look at
     */
    public record Counts(long corruptions, long leaks, long checkErrors) {}

    /**
     * Runs {@code qemu-img check} and reads its figures.
     *
     * @param image a qcow2 image
     * @return the figures
     * @throws IOException if the program can't be run, or does not open the image
     */
    public Counts count(QemuImage image) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "check", "--output=json"));
        command.addAll(image.options());
        command.add(image.name());
        Answer answer = run(command);
        int from = answer.output().indexOf('{');
        int to = answer.output().lastIndexOf('}');
        if (from < 0 || to < from) {
            throw new IOException(String.join(" ", command) + ": " + answer.beginning());
        }
        JsonNode root = new ObjectMapper().readTree(answer.output().substring(from, to + 1));
        return new Counts(
                root.path("corruptions").asLong(),
                root.path("leaks").asLong(),
                root.path("check-errors").asLong());
    }

    /**
     * Runs {@code qemu-img convert} to a raw file, in which zeros become holes.
     *
     * @param image a qcow2 image
     * @param raw the file to make
     * @throws IOException if the program fails
     */
    public void convertToRaw(QemuImage image, Path raw) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "convert"));
        command.addAll(image.options());
        command.addAll(List.of("-O", "raw", "-t", "unsafe", image.name(), raw.toString()));
        run(command).orThrow();
    }

    /**
     * Reads guest bytes with {@code qemu-io}.
     *
     * @param image a qcow2 image
     * @param offset guest offset, a multiple of 512
     * @param length bytes, a multiple of 512; some ten thousand, for they come as text
     * @return the bytes
     * @throws IOException if the program fails
     */
    public byte[] read(QemuImage image, long offset, int length) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-io", "-r"));
        command.addAll(image.options());
        command.addAll(List.of("-c", "read -v " + offset + " " + length, image.name()));
        Answer answer = run(command).orThrow();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(length);
        for (String line : answer.output().lines().toList()) {
            // A line is: eight hexadecimal digits and a colon, up to sixteen bytes, two blanks, text.
            if (line.matches("[0-9a-f]{8,}:  .*")) {
                int start = line.indexOf(':') + 3;
                int most = Math.min(16, length - bytes.size());
                String digits = line.substring(start, start + 3 * most - 1).replace(" ", "");
                bytes.writeBytes(HexFormat.of().parseHex(digits));
            }
        }
        return bytes.toByteArray();
    }

    /**
     * Lets QEMU do a step.
     *
     * @param image a qcow2 image
     * @param step what to do; {@link dev.qcow2.conformance.language.Operation.Qemu#canDo} says whether it can be done, and
     *     offsets and lengths are multiples of 512
     * @return what QEMU says against it, or empty if it is done
     * @throws IOException if the program can't be run
     */
    public Optional<String> perform(QemuImage image, Operation step) throws IOException {
        Answer answer = run(new QemuSteps(image).command(step));
        // A request that fails is told in words: qemu-io ends with 0 all the same, in some versions.
        boolean failed = answer.exitCode() != 0 || answer.output().contains(" failed: ");
        return failed ? Optional.of(answer.beginning()) : Optional.empty();
    }

    private static Answer run(List<String> command) throws IOException {
        return HostProgram.run(command, "", PATIENCE);
    }
}
