package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Arguments are read as C programs read them. */
class GetoptTest {

    private static List<String> read(String... arguments) throws UsageException {
        return Getopt.normalised(new CommandLine(new InfoCommand()).getCommandSpec(), List.of(arguments));
    }

    @Test
    @DisplayName("Short options cluster, and a value may be attached or follow")
    void shortOptions() throws Exception {
        assertThat(read("-Ufqcow2", "a")).containsExactly("-U", "-f=qcow2", "--", "a");
        assertThat(read("-Uf", "qcow2", "a")).containsExactly("-U", "-f=qcow2", "--", "a");
        assertThat(read("a", "-f", "-x")).containsExactly("-f=-x", "--", "a");
    }

    @Test
    @DisplayName("Long options take a value behind an equals sign or as the next word, and may be cut short")
    void longOptions() throws Exception {
        assertThat(read("--output=json", "a")).containsExactly("--output=json", "--", "a");
        assertThat(read("--out", "json", "a", "--backing-ch"))
                .containsExactly("--output=json", "--backing-chain", "--", "a");
    }

    @Test
    @DisplayName("Behind two dashes all are operands, and a single dash is one")
    void operands() throws Exception {
        assertThat(read("--", "-f", "--output")).containsExactly("--", "-f", "--output");
        assertThat(read("-")).containsExactly("--", "-");
    }

    @Test
    @DisplayName("What is unknown, ambiguous, without its value or with one too many is named")
    void refusals() {
        assertThatThrownBy(() -> read("--foo")).hasMessage("unrecognized option '--foo'");
        assertThatThrownBy(() -> read("--o=json")).hasMessage("unrecognized option '--o=json'");
        assertThatThrownBy(() -> read("-Z")).hasMessage("unrecognized option '-Z'");
        assertThatThrownBy(() -> read("-f")).hasMessage("missing argument for option '-f'");
        assertThatThrownBy(() -> read("--backing-chain=3")).hasMessage("unrecognized option '--backing-chain=3'");
    }
}
