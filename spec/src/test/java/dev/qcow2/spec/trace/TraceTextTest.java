package dev.qcow2.spec.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.Fate;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import dev.qcow2.spec.trace.TraceText.Line;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The text form of traces. */
class TraceTextTest {

    private static final EntryState DATA = EntryState.standard(7, true, 1, 0);
    private static final EntryState MIXED = EntryState.standard(9, false, 0xf, 0xf0);
    private static final EntryState PACKED = EntryState.compressed(7, 8, false, 100);
    private static final EntryState ZERO = EntryState.standard(EntryState.NO_HOST, false, 0, 1);

    private static final List<TraceEvent> ALL = List.of(
            new TraceEvent.Image(3, 16, 32, true, 1 << 20),
            new TraceEvent.Holds(Place.table(0), DATA),
            new TraceEvent.Saved("a name", Place.cluster(5), PACKED),
            new TraceEvent.Counted(7, 2),
            new TraceEvent.Ready(),
            new TraceEvent.Request(Verb.WRITE, 512, 1024, ""),
            new TraceEvent.Request(Verb.SAVE, 0, 0, "s 1"),
            new TraceEvent.Size(4096),
            new TraceEvent.Entry(Place.cluster(3), ZERO, MIXED),
            new TraceEvent.Count(9, 0, 1),
            new TraceEvent.SavedEntry("1", Place.cluster(3), EntryState.NONE, MIXED),
            new TraceEvent.Snapshot(Fate.TAKEN, "1"),
            new TraceEvent.Done(),
            new TraceEvent.Settled(),
            new TraceEvent.Host(HostVerb.PUNCH, Area.DATA, 65536, 65536),
            new TraceEvent.Put(Place.cluster(3), PACKED),
            new TraceEvent.PutCount(9, 1),
            new TraceEvent.PutSaved("1", Place.table(0), DATA),
            new TraceEvent.PutDirty(true));

    @Test
    @DisplayName("Every kind of event is read back as it was written")
    void roundTrip() throws TraceException {
        assertThat(ALL.stream().map(Object::getClass).distinct())
                .hasSize(TraceEvent.class.getPermittedSubclasses().length);
        List<Line> read = TraceText.parse("a.trace", TraceText.write(ALL));
        assertThat(read.stream().map(Line::event)).containsExactlyElementsOf(ALL);
        assertThat(read.get(0).line()).isEqualTo(2);
    }

    @Test
    @DisplayName("An unknown event: the failure says which file, line and event")
    void unknownEvent() {
        String text = TraceText.HEAD + "\n# a comment\n\nready\nvanish cluster 5\n";
        assertThatThrownBy(() -> TraceText.parse("b.trace", text))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("b.trace line 5")
                .hasMessageContaining("vanish");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "count 7 1",
                "count 7 1 2 3",
                "count seven 1 2",
                "entry cluster 5 none data@x",
                "entry corner 5 none none",
                "request fly 0 0",
                "host write nowhere 0 0",
                "put-dirty perhaps"
            })
    @DisplayName("A line that is no event: the failure says which")
    void brokenLines(String line) {
        assertThatThrownBy(() -> TraceText.parse("c.trace", TraceText.HEAD + "\n" + line))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("c.trace line 2")
                .hasMessageContaining(line);
    }

    @Test
    @DisplayName("A file that is no trace is refused by its first line")
    void otherFiles() {
        assertThatThrownBy(() -> TraceText.parse("d.trace", "qcow2-script 1"))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("d.trace line 1");
        assertThatThrownBy(() -> TraceText.parse("e.trace", ""))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("e.trace line 1");
    }
}
