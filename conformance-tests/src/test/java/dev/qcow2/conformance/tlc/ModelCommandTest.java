package dev.qcow2.conformance.tlc;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.qcow2.conformance.command.Qcow2Command;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The formal model at the command line. */
class ModelCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return Qcow2Command.run(new PrintWriter(out), new PrintWriter(err), arguments);
    }

    @Test
    @DisplayName("no clause: the table names model, bound, states, time and properties, and JSON says the same")
    void tableAndJson(@TempDir Path folder) throws Exception {
        Path json = folder.resolve("model.json");
        assertThat(run("model", "disk", "twins", "--json", json.toString()))
                .as(out + "\n" + err)
                .isZero();
        assertThat(out.toString())
                .contains("twins (Twins)", "1 cluster, 2 blocks", "95", "SameView SameSavedViews SameZeros", "all hold")
                .contains("twins/skip-over-backing-data", "SameZeros")
                .contains("2 of 2 models hold with the expected number of states; 1 of 1 faults are refuted");
        JsonNode root = new ObjectMapper().readTree(json.toFile());
        assertThat(root.at("/models/1/model").asText()).isEqualTo("twins");
        assertThat(root.at("/models/1/states").asLong()).isEqualTo(95);
        assertThat(root.at("/models/1/bound/ClusterCount").asText()).isEqualTo("1");
        assertThat(root.at("/faults/0/foundBy").asText()).isEqualTo("SameZeros");
        assertThat(root.at("/faults/0/asExpected").asBoolean()).isTrue();
    }

    @Test
    @DisplayName("no clause: TLC without memory is trouble, and the configuration is named")
    void withoutMemory() {
        assertThat(run("model", "cut-copy", "--no-faults", "--heap", "6m")).isEqualTo(2);
        assertThat(out.toString())
                .contains("NO ANSWER", "no answer: cut-copy: small/cut-copy.cfg: TLC ran out of memory");
    }

    @Test
    @DisplayName("no clause: TLC without time is trouble, and the configuration is named")
    void withoutTime() {
        assertThat(run("model", "cut-copy", "--no-faults", "--time-limit", "0.2"))
                .isEqualTo(2);
        assertThat(out.toString()).contains("no answer: cut-copy: small/cut-copy.cfg: TLC had no answer after 0.2 s");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"model nothing", "model --explain tables/nothing", "model disk --heap much", "model --workers 0"
            })
    @DisplayName("no clause: wrong usage says what is known")
    void wrongUsage(String arguments) {
        assertThat(run(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).containsAnyOf("known are", "must be");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mapping-compressed/compressed-copied | write cluster | compressed, place | COPIED",
                "twins/skip-over-backing-data | always copies: | skips what it may: | [B 0]",
                "tables/table-handed-out-again | write a into guest cluster | L2 table | h1 ×2 { 1: → h1 COPIED",
                "cut-snapshot/header-before-counts | the header names the snapshot | r1: take the snapshot"
                        + " | BUT AFTER A CUT UP TO 2 MAY REFER TO IT",
                "cut-twins/skip-over-backing-data | the bytes go to | in flight | or B1.2",
                "bitmaps-left/removed-not-marked | begins: remove n1 | directory d1 n1: → p1 enabled | [0]  must name 1",
                "bitmaps-merge/merge-replaces | begins: merge n | in memory | BUT IT OUGHT TO BE",
                "chain/emptied-before-flush | the overlay's entries go | header      names backing file 1 | none or zero",
                "growth/width-in-a-second-write | the header says so, in one write | refcount table { 1: | width 1, list",
            })
    @DisplayName("no clause: a counterexample of each module is told and drawn")
    void explains(String fault, String operation, String drawn, String wrong) {
        assertThat(run("model", "--explain", fault)).as(err.toString()).isZero();
        assertThat(out.toString())
                .contains(fault, "1. at first", operation, drawn, wrong)
                .containsPattern("Here \\w+ is broken. It demands: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tables-plain.txt", "tables-tool.txt"})
    @DisplayName("no clause: a saved output of TLC is drawn, in its tool mode or not")
    void explainsFile(String file) {
        assertThat(run("model", "--explain-file", "src/test/resources/tlc/" + file))
                .as(out + "\n" + err)
                .isZero();
        assertThat(out.toString())
                .contains("2. TWrite: disk becomes [a 0]", "L2 table    h1 ×2 { 1: → h1 COPIED   2: none }")
                .contains("Here NoClusterTwice is broken");
    }

    @Test
    @DisplayName("no clause: a file without a counterexample, or with a broken state, is named with its line")
    void explainsNoFile(@TempDir Path folder) throws Exception {
        Path nothing = Files.writeString(
                folder.resolve("nothing.txt"), "Model checking completed. No error has been found.\n");
        assertThat(run("model", "--explain-file", nothing.toString())).isEqualTo(2);
        assertThat(out.toString()).contains("nothing.txt: holds no counterexample");

        Path broken = Files.writeString(
                folder.resolve("broken.txt"),
                "Error: Invariant X is violated.\nState 1: <Initial predicate>\n/\\ l1 = <<1, \n\n");
        assertThat(run("model", "--explain-file", broken.toString())).isEqualTo(2);
        assertThat(out.toString()).contains("broken.txt line 2: this state cannot be read");

        Path strange = Files.writeString(
                folder.resolve("strange.txt"),
                "Error: Invariant X is violated.\nState 1: <Initial predicate>\n/\\ x = 1\n");
        assertThat(run("model", "--explain-file", strange.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("no module of this project has the variables [x]");
        assertThat(run("model", "--explain-file", folder.resolve("missing.txt").toString()))
                .isEqualTo(2);
    }
}
