package dev.qcow2.conformance.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Help, manual pages and completion, all made from the definitions of the commands. */
class ManPageTest {

    @TempDir
    private Path folder = Path.of("");

    private static List<CommandSpec> commands() {
        return ManPage.all(new Subcommands(Drivers::standard).addTo(new CommandLine(new Qcow2Command())));
    }

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        assertThat(Qcow2Command.run(new PrintWriter(out, true), new PrintWriter(out, true), arguments))
                .isZero();
        return out.toString();
    }

    @Test
    @DisplayName("Each command that does something shows an example in its help")
    void examples() {
        assertThat(commands())
                .hasSizeGreaterThan(5)
                .filteredOn(command -> command.subcommands().isEmpty())
                .filteredOn(command -> !List.of("img", "generate-completion").contains(command.name()))
                .allSatisfy(command -> assertThat(
                                String.join("\n", command.usageMessage().footer()))
                        .as(command.qualifiedName())
                        .contains("Example")
                        .contains(command.qualifiedName()));
    }

    @Test
    @DisplayName("Each option and argument says what it is for")
    void descriptions() {
        assertThat(commands()).allSatisfy(command -> assertThat(command.args())
                .filteredOn(argument -> !argument.hidden())
                .as(command.qualifiedName())
                .allSatisfy(argument -> assertThat(argument.description()).isNotEmpty()));
    }

    @Test
    @DisplayName("There is a page for each command, with all its options, and troff has nothing to trip over")
    void pages() throws Exception {
        run("man", "--directory", folder.toString());
        for (CommandSpec command : commands()) {
            String page = Files.readString(folder.resolve(ManPage.name(command) + ".1"));
            assertThat(page).startsWith(".TH ").contains(".SH NAME", ".SH SYNOPSIS");
            command.options().stream()
                    .filter(option -> !option.hidden())
                    .flatMap(option -> Stream.of(option.names()))
                    .forEach(name -> assertThat(page).contains(name.replace("-", "\\-")));
            assertThat(page.lines().filter(line -> line.startsWith(".")))
                    .as(ManPage.name(command))
                    .allMatch(line -> line.matches("\\.(TH|SH|TP|PP|nf|fi)( .*)?"));
        }
    }

    @Test
    @DisplayName("The completion script knows the commands and their options")
    void completion() {
        assertThat(run("generate-completion")).contains("conform", "--seed", "img", "bench");
    }
}
