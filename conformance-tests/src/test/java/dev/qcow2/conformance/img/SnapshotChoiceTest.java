package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.command.Qcow2Command;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands that show a snapshot in place of the disk. */
class SnapshotChoiceTest {

    private static void run(String... arguments) {
        StringWriter messages = new StringWriter();
        int code = Qcow2Command.run(new PrintWriter(new StringWriter()), new PrintWriter(messages, true), arguments);
        assertThat(code).as(messages.toString()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("An image whose snapshot was shown is given up, with the lock on it")
    void givenUp(String implementation, @TempDir Path folder) {
        String name = folder.resolve("image").toString();
        String use = "--impl=" + implementation;
        run("img", "create", use, "-q", "-f", "qcow2", name, "1M");
        run("img", "snapshot", use, "-c", "one", name);
        String target = folder.resolve("target").toString();
        run("img", "convert", use, "-l", "one", "-O", "raw", name, target);
        run("img", "measure", use, "-l", "one", "-O", "raw", name);
        run("io", use, "-c", "write 0 1k", name);
    }
}
