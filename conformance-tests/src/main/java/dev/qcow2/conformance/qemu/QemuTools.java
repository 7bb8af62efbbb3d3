package dev.qcow2.conformance.qemu;

import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.conformance.program.HostProgram.Answer;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
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
    public Optional<String> check(Path image) throws IOException {
        Answer answer = run(List.of("qemu-img", "check", "-f", "qcow2", image.toString()));
        return answer.exitCode() == 0 ? Optional.empty() : Optional.of(answer.beginning());
    }

    /**
     * Runs {@code qemu-img convert} to a raw file, in which zeros become holes.
     *
     * @param image a qcow2 image
     * @param raw the file to make
     * @throws IOException if the program fails
     */
    public void convertToRaw(Path image, Path raw) throws IOException {
        run(List.of(
                        "qemu-img",
                        "convert",
                        "-f",
                        "qcow2",
                        "-O",
                        "raw",
                        "-t",
                        "unsafe",
                        image.toString(),
                        raw.toString()))
                .orThrow();
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
    public byte[] read(Path image, long offset, int length) throws IOException {
        Answer answer = run(
                List.of("qemu-io", "-r", "-f", "qcow2", "-c", "read -v " + offset + " " + length, image.toString()));
        answer.orThrow();
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
     * Lets {@code qemu-io} change an image.
     *
     * @param image a qcow2 image
     * @param change what to do; offset and length are multiples of 512
     * @throws IOException if the program fails
     */
    public void change(Path image, Change change) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-io", "-f", "qcow2", "-t", "unsafe", "-d", "unmap", "-c"));
        String range = change.offset() + " " + change.length();
        if (change instanceof Write write) {
            Path pattern = Files.createTempFile(image.toAbsolutePath().getParent(), "pattern", ".bin");
            Files.write(pattern, Fill.bytes(write.fill(), Math.toIntExact(write.length())));
            command.add("write -s " + pattern + " " + range);
        } else if (change instanceof WriteZeroes zeroes) {
            command.add("write -z " + (zeroes.mode() == ZeroMode.MAY_UNMAP ? "-u " : "") + range);
        } else if (change instanceof Discard) {
            command.add("discard " + range);
        }
        command.add(image.toString());
        run(command).orThrow();
    }

    private static Answer run(List<String> command) throws IOException {
        return HostProgram.run(command, "", PATIENCE);
    }
}
