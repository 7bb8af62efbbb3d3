package dev.qcow2.spec.tla;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The graph of the mapping model, from which tests of the implementations are made. */
class StateGraphTest {

    private static final Path SCRATCH = Path.of("target", "models");

    @Test
    @DisplayName("QC-GUEST-01 the graph has every state and request of the bound, and survives its text form")
    void graphOfOneCluster(@TempDir Path folder) throws Exception {
        ModelCase model = ModelTable.load().model("mapping-standard", ModelScope.SMALL);
        ModelRun runner = new ModelRun(SCRATCH, Duration.ofMinutes(2), "1g");
        StateGraph graph =
                GraphDump.of(runner, model, Map.of("ClusterCount", "1", "Sizes", "{1}", "Hosts", "{h1, h2}"), SCRATCH);

        assertThat(graph.states()).hasSize(95);
        assertThat(graph.edges().stream().map(StateGraph.Edge::action).distinct())
                .containsExactlyInAnyOrder("Write", "Zero", "Discard", "Save", "Restore", "Forget");
        assertThat(graph.edges()).contains(edge(graph, "Write", "1", "1", "2", "a"));
        assertThat(graph.value(0, "l2").at(1).field("host")).isEqualTo(new TlaValue.Atom("NoHost"));
        assertThat(everyRequestHasOneResult(graph)).isTrue();
        assertThat(reachable(graph)).hasSameSizeAs(graph.states());

        graph.write(folder.resolve("graph.txt"));
        assertThat(StateGraph.read(folder.resolve("graph.txt"))).isEqualTo(graph);
    }

    @Test
    @DisplayName("no clause: a text that is no graph is refused with its line")
    void noGraph(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("graph.txt"), "qcow2-state-graph 1\nvariables\tx\nnode\t1\n");
        assertThatThrownBy(() -> StateGraph.read(file))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("line 3");
    }

    private static StateGraph.Edge edge(StateGraph graph, String action, String... parameters) {
        return graph.edges().stream()
                .filter(edge -> edge.from() == 0
                        && edge.action().equals(action)
                        && edge.parameters().equals(List.of(parameters)))
                .findFirst()
                .orElseThrow();
    }

    private static boolean everyRequestHasOneResult(StateGraph graph) {
        Set<List<Object>> requests = new HashSet<>();
        return graph.edges().stream()
                .allMatch(edge -> requests.add(List.of(edge.from(), edge.action(), edge.parameters())));
    }

    private static Set<Integer> reachable(StateGraph graph) {
        Set<Integer> reached = new HashSet<>(Set.of(0));
        int before;
        do {
            before = reached.size();
            graph.edges().stream()
                    .filter(edge -> reached.contains(edge.from()))
                    .forEach(edge -> reached.add(edge.to()));
        } while (reached.size() > before);
        return reached;
    }
}
