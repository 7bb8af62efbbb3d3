package dev.qcow2.conformance.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The options that {@code qcow2 io} describes are those that it reads. */
class IoOptionsTest {

    private static final List<OptionSpec> DESCRIBED =
            new CommandLine(new IoCommand()).getCommandSpec().options();

    /** Long names with the letter, a colon behind it where the option has a value. */
    private static Map<String, String> described() {
        Map<String, String> options = new TreeMap<>();
        for (OptionSpec option : DESCRIBED) {
            String value = option.arity().max() > 0 ? ":" : "";
            options.put(option.longestName(), option.shortestName().replaceFirst("^--.*|^-", "") + value);
        }
        return options;
    }

    private static Map<String, String> read() {
        Map<String, String> options = new TreeMap<>();
        IoArguments.LONG_NAMES.forEach((name, letter) -> {
            int at = IoArguments.LETTERS.indexOf(letter);
            assertThat(at).as("the letter of --" + name).isNotNegative();
            boolean value = IoArguments.LETTERS.startsWith(":", at + 1);
            options.put("--" + name, (letter > ' ' ? String.valueOf(letter) : "") + (value ? ":" : ""));
        });
        return options;
    }

    @Test
    @DisplayName("help, manual and completion name each option that is read, and no other")
    void same() {
        assertThat(described()).isEqualTo(read());
    }
}
