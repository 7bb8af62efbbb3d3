package dev.qcow2.conformance.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.qcow2.conformance.campaign.WrongDriver;
import dev.qcow2.conformance.campaign.WrongDriver.Fault;
import dev.qcow2.reference.ReferenceDriver;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.lang3.ArrayUtils;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line: its exit codes and what it prints. */
class ConformCommandTest {

    private static final Drivers WITH_WRONG = new Drivers(
            List.of(new ReferenceDriver(), new WrongDriver(new ReferenceDriver(), Fault.LOSES_A_BYTE)), List.of());

    private final Path directory;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    ConformCommandTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private int run(Drivers drivers, String... arguments) {
        return Qcow2Command.run(() -> drivers, new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }

    private int run(String... arguments) {
        return run(Drivers.standard(), arguments);
    }

    @Test
    @DisplayName("0 and the figures when all is the same (QC-GUEST-01)")
    void same() throws Exception {
        Path json = directory.resolve("result.json");
        int code = run("conform", "--seed", "5", "--sequences", "60", "--json", json.toString());
        assertThat(code).as(err.toString()).isZero();
        assertThat(out.toString())
                .contains(
                        "seed 5",
                        "60 sequences with",
                        "4 concurrent sequences with",
                        "oracles: model, auditor, reference, optimized, optimized-0 to",
                        "differences: none");
        JsonNode result = new ObjectMapper().readTree(json.toFile());
        assertThat(result.get("seed").asLong()).isEqualTo(5);
        assertThat(result.get("coverage").get("reached").asInt()).isPositive();
        assertThat(result.get("difference").isNull()).isTrue();
        JsonNode concurrent = result.get("concurrent");
        assertThat(concurrent.get("sequences").asLong()).isEqualTo(4);
        assertThat(concurrent.get("requests").asLong()).isGreaterThan(4 * 30);
        assertThat(concurrent.get("mostInFlight").asInt()).isBetween(2, 32);
        assertThat(concurrent.get("difference").isNull()).isTrue();
    }

    @Test
    @DisplayName("1, the seed and the command that repeats it when only overlapping requests go wrong (QC-GUEST-12)")
    void concurrent() throws Exception {
        Drivers racing = new Drivers(List.of(new ReferenceDriver(), new Racing()), List.of());
        Path json = directory.resolve("result.json");
        String[] campaign = {"conform", "--seed", "5", "--sequences", "30", "--no-qemu", "--json", json.toString()};
        assertThat(run(racing, campaign)).as(out + "" + err).isEqualTo(1);
        JsonNode difference =
                new ObjectMapper().readTree(json.toFile()).get("concurrent").get("difference");
        assertThat(difference.get("subject").asText()).isEqualTo("racing");
        String seed = difference.get("seed").asText();
        assertThat(out.toString())
                .contains("DIFFERENCE: concurrent requests in racing, scenario " + seed)
                .contains("may take several runs")
                .contains("conform --concurrent-seed " + seed + " --impl racing");
        String[] repeat = {"conform", "--concurrent-seed", seed, "--sequences", "20", "--impl"};
        assertThat(run(racing, ArrayUtils.add(repeat, "racing"))).isEqualTo(1);
        assertThat(run(racing, ArrayUtils.add(repeat, "reference"))).isZero();
    }

    @Test
    @DisplayName("1, a minimal script and the command that replays it when there is a difference (QC-GUEST-01)")
    void different() throws Exception {
        int code = run(WITH_WRONG, "conform", "--seed", "5", "--no-qemu", "--output", directory.toString());
        assertThat(code).isEqualTo(1);
        String replay = out.toString()
                .lines()
                .filter(line -> line.startsWith("replay it with: "))
                .findFirst()
                .orElseThrow();
        Path script = Path.of(replay.substring(replay.lastIndexOf(' ') + 1));
        assertThat(Files.readString(script)).contains("# wrong bytes in wrong", "operations\nwrite ");
        assertThat(run(WITH_WRONG, "conform", "--replay", script.toString())).isEqualTo(1);
        assertThat(run("conform", "--impl", "reference", "--replay", script.toString()))
                .isZero();
        assertThat(run("conform", "--replay", script.toString()))
                .as("the script names an implementation that is not there")
                .isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "conform --seed x",
                "conform --sequences 0",
                "conform --concurrent-seed 1 --sequences 0",
                "conform --time 0",
                "conform --workers 0",
                "conform --impl nobody",
                "conform --colour",
                "conform --replay no/such/file",
                "conform --image no/such/file",
                "nonsense"
            })
    @DisplayName("2 and a message for wrong usage or environment (QC-GUEST-02)")
    void trouble(String line) {
        assertThat(run(line.isEmpty() ? new String[0] : line.split(" ", -1))).isEqualTo(2);
        assertThat(err.toString()).isNotBlank().doesNotContain("\tat ");
    }

    @Test
    @DisplayName("2 and the line for a script that can't be read")
    void wrongScript() throws Exception {
        Path script = Files.writeString(directory.resolve("script.txt"), "qcow2-script 1\nnonsense\n");
        assertThat(run("conform", "--replay", script.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("line 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"QFI", "hello, this is not an image at all"})
    @DisplayName("QC-HDR-01 2 and the clause for an image that is none")
    void notAnImage(String content) throws Exception {
        Path image = Files.writeString(directory.resolve("image"), content);
        assertThat(run("conform", "--image", image.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("QC-");
        assertThat(Files.readString(image)).isEqualTo(content);
    }
}
