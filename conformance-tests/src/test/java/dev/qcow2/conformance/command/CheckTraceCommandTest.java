package dev.qcow2.conformance.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command check-trace: exit codes, and what it says. TLC itself is asked by the test of agreement. */
class CheckTraceCommandTest {

    private static final String RIGHT = """
            qcow2 trace 1
            image 3 16 1 no 1048576
            holds table 0 data@3+
            counted 3 1
            ready
            request write 0 512
            count 4 0 1
            entry cluster 0 none data@4+
            done
            settled
            request discard 0 65536
            entry cluster 0 data@4+ zero
            count 4 1 0
            done
            settled
            """;

    @TempDir
    private Path folder = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int check(String trace, String... more) throws IOException {
        Path file = folder.resolve("a.trace");
        Files.writeString(file, trace);
        String[] arguments = new String[more.length + 3];
        arguments[0] = "check-trace";
        arguments[1] = file.toString();
        arguments[2] = "--oracle";
        System.arraycopy(more, 0, arguments, 3, more.length);
        return Qcow2Command.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }

    @Test
    @DisplayName("A behaviour of the model: exit code 0")
    void accepts() throws IOException {
        assertThat(check(RIGHT)).isEqualTo(ExitCode.SAME);
        assertThat(out.toString()).contains("a.trace: a behaviour of the model, 14 events");
    }

    @Test
    @DisplayName("QC-REF-03 A released cluster that stays counted: exit code 1, the line, the event, and why")
    void refuses() throws IOException {
        Path json = folder.resolve("result.json");
        int code = check(RIGHT.replace("count 4 1 0\n", ""), "--json", json.toString());
        assertThat(code).isEqualTo(ExitCode.DIFFERENT);
        assertThat(out.toString())
                .contains("a.trace line 14")
                .contains("settled")
                .contains("QC-REF-03");
        JsonNode trace =
                new ObjectMapper().readTree(json.toFile()).path("traces").path(0);
        assertThat(trace.path("accepted").asBoolean()).isFalse();
        assertThat(trace.path("line").asInt()).isEqualTo(14);
        assertThat(trace.path("reason").asText()).contains("count 1 and 0 references");
    }

    @Test
    @DisplayName("An unknown event: exit code 2, and the failure names file, line and event")
    void unknownEvent() throws IOException {
        assertThat(check(RIGHT.replace("settled\nrequest", "settle\nrequest"))).isEqualTo(ExitCode.TROUBLE);
        assertThat(err.toString()).contains("a.trace line 10").contains("settle");
    }

    @Test
    @DisplayName("A file that is not there: exit code 2")
    void missing() {
        int code = Qcow2Command.run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                "check-trace",
                folder.resolve("none.trace").toString());
        assertThat(code).isEqualTo(ExitCode.TROUBLE);
        assertThat(err.toString()).contains("none.trace");
    }
}
