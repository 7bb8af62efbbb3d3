package dev.qcow2.spec.tla;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A run that gives no answer says which file and line is to blame. */
class ModelRunTest {

    private static final Path SCRATCH = Path.of("target", "models");
    private final ModelRun runner = new ModelRun(SCRATCH, Duration.ofMinutes(2), "512m");

    @Test
    @DisplayName("no clause: a module that does not parse is named with its line")
    void moduleThatDoesNotParse() throws Exception {
        String broken = ModelFiles.text("Disk.tla").replace("Zero == \"zero\"", "Zero == = \"zero\"");
        assertThatThrownBy(() -> run(broken, ModelFiles.text("small/disk.cfg")))
                .isInstanceOfSatisfying(ModelException.class, failure -> {
                    assertThat(failure.file()).isEqualTo("Disk.tla");
                    assertThat(failure.line()).isEqualTo(lineOf(broken, "Zero == ="));
                });
    }

    @Test
    @DisplayName("no clause: an unknown name in a module is told with its line")
    void unknownName() throws Exception {
        String broken = ModelFiles.text("Disk.tla").replace("Zero == \"zero\"", "Zero == Nothing");
        assertThatThrownBy(() -> run(broken, ModelFiles.text("small/disk.cfg")))
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("Disk.tla line " + lineOf(broken, "Zero == Nothing"))
                .hasMessageContaining("Nothing");
    }

    @Test
    @DisplayName("no clause: a configuration that names an unknown property is told with its line")
    void unknownProperty() throws Exception {
        String configuration = ModelFiles.text("small/disk.cfg").replace("TypeOK", "TypeWrong");
        assertThatThrownBy(() -> run(ModelFiles.text("Disk.tla"), configuration))
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("small/disk.cfg line " + lineOf(configuration, "    TypeWrong"));
    }

    @Test
    @DisplayName("no clause: TLC that takes too long is stopped")
    void tooLong() throws Exception {
        ModelCase model = ModelTable.load().model("mapping-standard", ModelScope.SMALL);
        ModelRun impatient = new ModelRun(SCRATCH, Duration.ofMillis(300), "512m");
        assertThatThrownBy(() -> impatient.run(model))
                .isInstanceOf(ModelException.class)
                .hasMessageStartingWith("small/mapping-standard.cfg")
                .hasMessageContaining("no answer");
    }

    @Test
    @DisplayName("no clause: TLC that runs out of memory says so")
    void tooLarge() throws Exception {
        ModelCase model = ModelTable.load().model("cut-copy", ModelScope.SMALL);
        ModelRun poor = new ModelRun(SCRATCH, Duration.ofMinutes(2), "6m");
        assertThatThrownBy(() -> poor.run(model))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("memory");
    }

    @Test
    @DisplayName("no clause: a constant that the model does not have is refused")
    void unknownConstant() throws Exception {
        ModelCase model = ModelTable.load().model("disk", ModelScope.SMALL);
        assertThatThrownBy(() -> runner.run(model, "any"))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("no constant Fault");
    }

    @Test
    @DisplayName("QC-REF-13 a counterexample can be read: what each step changed")
    void readableCounterexample() throws Exception {
        ModelCase model = ModelTable.load().model("cut-skip", ModelScope.SMALL);
        Counterexample found =
                Objects.requireNonNull(runner.run(model, "raise-after-link").counterexample());
        assertThat(found.readable())
                .startsWith("breaks OnlyLeaks in 6 states\n1. begin\n")
                .contains("2. BeginFresh\n")
                .contains("6. Link\n")
                .contains("l2[1].now.kind: \"zero\" -> \"data\"");
    }

    private void run(String disk, String configuration) throws Exception {
        runner.run("Disk", "small/disk.cfg", configuration, Map.of("Disk.tla", disk), null);
    }

    private static int lineOf(String text, String beginning) {
        return text.lines()
                        .takeWhile(line -> !line.startsWith(beginning))
                        .toList()
                        .size()
                + 1;
    }
}
