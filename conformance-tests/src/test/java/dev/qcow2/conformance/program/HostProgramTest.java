package dev.qcow2.conformance.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Programs of the host. */
class HostProgramTest {

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @Test
    @DisplayName("input goes in, output and exit code come out")
    void answers() throws IOException {
        HostProgram.Answer answer =
                HostProgram.run(List.of("sh", "-c", "cat; echo trouble >&2; exit 3"), "in\n", PATIENCE);
        assertThat(answer.output()).isEqualTo("in\ntrouble\n");
        assertThat(answer.exitCode()).isEqualTo(3);
        assertThatThrownBy(answer::orThrow)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ended with 3")
                .hasMessageContaining("trouble");
    }

    @Test
    @DisplayName("a program that does not end is ended")
    void patience() {
        assertThatThrownBy(() -> HostProgram.run(List.of("sleep", "1000"), "", Duration.ofMillis(50)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no answer");
    }

    @Test
    @DisplayName("a program that is not there is not installed")
    void missing() {
        assertThat(HostProgram.isInstalled("sh")).isTrue();
        assertThat(HostProgram.isInstalled("no-such-program")).isFalse();
        assertThatThrownBy(() -> HostProgram.run(List.of("no-such-program"), "", PATIENCE))
                .isInstanceOf(IOException.class);
    }
}
