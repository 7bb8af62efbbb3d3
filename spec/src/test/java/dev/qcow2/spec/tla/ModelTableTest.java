package dev.qcow2.spec.tla;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The tables beside the modules are whole. */
class ModelTableTest {

    @Test
    @DisplayName("no clause: each property that is checked has a meaning, and the README speaks of it")
    void properties() throws Exception {
        ModelTable table = ModelTable.load();
        String readme = ModelFiles.text("README.md");
        List<ModelCase> models = new ArrayList<>(table.models(ModelScope.SMALL));
        models.addAll(table.models(ModelScope.LARGE));
        for (ModelCase model : models) {
            ModelConfiguration configuration = ModelConfiguration.of(model);
            assertThat(configuration.properties()).as(model.name()).isNotEmpty();
            for (String property : configuration.properties()) {
                assertThat(table.meaning(model.module(), property))
                        .as(model.module() + "." + property)
                        .isNotEqualTo(property);
                assertThat(readme).contains("`" + property + "`");
            }
        }
    }

    @Test
    @DisplayName("no clause: a configuration tells its bound")
    void bound() throws Exception {
        ModelConfiguration configuration =
                ModelConfiguration.of(ModelTable.load().model("mapping-subclusters", ModelScope.SMALL));
        assertThat(configuration.comment()).startsWith("Extended L2 entries: two subclusters");
        assertThat(configuration.constants()).containsEntry("BlockCount", "4").containsEntry("Fault", "\"none\"");
        assertThat(configuration.members("Hosts")).containsExactly("h1", "h2");
        assertThat(configuration.members("Nothing")).isEmpty();
    }
}
