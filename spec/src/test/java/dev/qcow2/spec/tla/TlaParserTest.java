package dev.qcow2.spec.tla;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The values that TLC prints. */
class TlaParserTest {

    @Test
    @DisplayName("no clause: each kind of value is read and printed again")
    void kinds() {
        for (String text : List.of(
                "-7",
                "\"zero\"",
                "TRUE",
                "h1",
                "{1, 2}",
                "<<1, \"a\">>",
                "<<>>",
                "{}",
                "[host |-> h1, now |-> {0}]",
                "(h1 :> 0 @@ h2 :> <<1>>)")) {
            assertThat(TlaParser.value(text)).hasToString(text);
        }
        assertThat(TlaParser.value("1..3")).isEqualTo(TlaParser.value("{3, 1, 2}"));
        assertThat(TlaParser.value("{1, 1}")).isEqualTo(new TlaValue.Group(Set.of(new TlaValue.Numeral(1))));
    }

    @Test
    @DisplayName("no clause: a state is read over several lines")
    void state() {
        Map<String, TlaValue> state =
                TlaParser.state("/\\ size = 2\n/\\ l2 = << [ host |-> NoHost,\n   copied |-> FALSE ] >>");
        assertThat(state.keySet()).containsExactly("l2", "size");
        assertThat(Objects.requireNonNull(state.get("l2")).at(1).field("copied"))
                .isEqualTo(new TlaValue.Truth(false));
    }

    @Test
    @DisplayName("no clause: what is no value is refused with its position")
    void refused() {
        assertThatThrownBy(() -> TlaParser.value("<<1, >>")).hasMessageContaining("position 5");
        assertThatThrownBy(() -> TlaParser.value("1 2")).hasMessageContaining("expected the end");
        assertThatThrownBy(() -> TlaParser.value("\"open")).isInstanceOf(IllegalArgumentException.class);
    }
}
