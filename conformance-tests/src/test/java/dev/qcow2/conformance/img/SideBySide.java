package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.command.Qcow2Command;
import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.conformance.qemu.QemuTools;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Runs a command line of qemu-img and the same one of ours, and compares what they say and how they end. */
final class SideBySide {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /**
     * What a program said.
     *
     * @param exitCode how it ended
     * @param output results and messages
     */
    record Said(int exitCode, String output) {}

    private final Path folder;
    private final String implementation;

    SideBySide(Path folder, String implementation) {
        this.folder = folder;
        this.implementation = implementation;
        Assumptions.assumeTrue(QemuTools.find().isPresent(), "QEMU's tools are not installed");
    }

    /** A file of the test's folder. */
    String file(String name) {
        return folder.resolve(name).toString();
    }

    /** Names of files begin with a percent sign in the arguments of a test. */
    private List<String> placed(String... arguments) {
        return Arrays.stream(arguments)
                .map(argument -> argument.replace("%", folder + "/"))
                .toList();
    }

    private static Said run(List<String> command) throws IOException {
        HostProgram.Answer answer = HostProgram.run(command, "", PATIENCE);
        return new Said(answer.exitCode(), answer.output());
    }

    /** Runs qemu-img. */
    Said qemu(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img"));
        command.addAll(placed(arguments));
        return run(command);
    }

    /** Runs qemu-img, which must succeed. */
    String qemuDoes(String... arguments) throws IOException {
        Said said = qemu(arguments);
        assertThat(said.exitCode()).as(said.output()).isZero();
        return said.output();
    }

    /** Runs qemu-io, which must succeed. */
    void io(String image, List<String> commands) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-io", "-t", "unsafe", "-f"));
        command.add(image.endsWith(".raw") ? "raw" : "qcow2");
        commands.forEach(one -> command.addAll(List.of("-c", one)));
        command.add(file(image));
        Said said = run(command);
        assertThat(said.exitCode()).as(said.output()).isZero();
    }

    /** Runs ours. */
    Said ours(String... arguments) {
        StringWriter out = new StringWriter();
        PrintWriter writer = new PrintWriter(out);
        List<String> all = new ArrayList<>(List.of("img"));
        all.addAll(placed(arguments));
        all.addAll(1 + 1, List.of("--impl", implementation));
        int exitCode = Qcow2Command.run(writer, writer, all.toArray(String[]::new));
        writer.flush();
        return new Said(exitCode, out.toString().replace("qcow2 img", "qemu-img"));
    }

    /** Runs ours, which must succeed. */
    String oursDoes(String... arguments) {
        Said said = ours(arguments);
        assertThat(said.exitCode()).as(said.output()).isZero();
        return said.output();
    }

    /** Expects the same words and the same exit code; returns the words. */
    String same(String... arguments) throws IOException {
        Said theirs = qemu(arguments);
        Said ours = ours(arguments);
        String line = implementation + " " + String.join(" ", arguments);
        assertThat(sorted(ours.output)).as(line).isEqualTo(sorted(theirs.output));
        assertThat(ours.exitCode).as(line + "\n" + ours.output).isEqualTo(theirs.exitCode);
        return ours.output;
    }

    /** The two streams of a program may arrive in any order. */
    private static List<String> sorted(String output) {
        return output.lines().sorted().toList();
    }
}
