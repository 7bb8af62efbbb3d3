package dev.qcow2.conformance.property;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.conformance.generate.ScriptGenerator;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptException;
import dev.qcow2.conformance.language.ScriptText;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.statistics.Statistics;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The language itself; what it is used for is checked elsewhere, so these tests name no clause of the format. */
class LanguageTest {

    private static final String HEADER = "qcow2-script 1\nlayer qcow2 5000 version 3 cluster 512 refcount 16\n";

    @Provide
    Arbitrary<List<Operation>> operations() {
        return Operations.any().list().ofMaxSize(20);
    }

    @Property
    void operationsAreReadBackAsTheyWereWritten(@ForAll("operations") List<Operation> operations)
            throws ScriptException {
        operations.forEach(operation -> Statistics.collect(operation.kind()));
        Script script = ScriptText.parse(HEADER).withOperations(operations);
        assertThat(ScriptText.parse(ScriptText.write(script))).isEqualTo(script);
        Statistics.coverage(coverage -> {
            for (Operation.Kind kind : Operation.Kind.values()) {
                coverage.check(kind).count(count -> count > 0);
            }
        });
    }

    @Property
    void generatedScriptsAreReadBackAsTheyWereWritten(@ForAll long seed, @ForAll @IntRange(max = 1000) int index)
            throws ScriptException {
        Script script = new ScriptGenerator(seed, true).script(index, index % 2 == 0);
        assertThat(ScriptText.parse(ScriptText.write(script))).isEqualTo(script);
        assertThat(new ScriptGenerator(seed, true).script(index, index % 2 == 0))
                .isEqualTo(script);
        assertThat(script.suitsQemu() || index % 2 == 1).isTrue();
    }

    @Property
    void anyDamageIsAScriptOrATypedRefusal(@ForAll @IntRange(max = 500) int at, @ForAll char damage) {
        StringBuilder text = new StringBuilder(ScriptText.write(new ScriptGenerator(5, true).script(3, false)));
        text.setCharAt(at % text.length(), damage);
        try {
            ScriptText.parse(text.toString());
        } catch (ScriptException e) {
            assertThat(e.line()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "write 0 512",
                "write 0 x 1",
                "write 0 512 -1",
                "write 0 -1 1",
                "write 0 99999999999 1",
                "write-zeroes 0 512 perhaps",
                "qemu flush",
                "qemu",
                "flush now",
                "snapshot-create",
                "resize 5",
                "read 9223372036854775808 1"
            })
    @DisplayName("a wrong operation is refused with the number of its line")
    void wrongOperations(String line) {
        assertThatThrownBy(() -> ScriptText.parse(HEADER + "operations\nflush\n" + line))
                .isInstanceOfSatisfying(
                        ScriptException.class, e -> assertThat(e.line()).isEqualTo(5));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "layer qcow2 -1 version 3 cluster 512 refcount 16",
                "layer qcow2 5000 version 4 cluster 512 refcount 16",
                "layer qcow2 5000 version 3 cluster 513 refcount 16",
                "layer qcow2 5000 version 3 cluster 256 refcount 16",
                "layer qcow2 5000 version 3 cluster 512 refcount 128",
                "layer qcow2 5000 version 2 cluster 512 refcount 8",
                "layer qed 5000",
                "content normal 9 2 1",
                "content normal 0 0 1",
                "content frozen 0 1 1",
                "checks never",
                "colour blue"
            })
    @DisplayName("a wrong header is refused with the number of its line")
    void wrongHeaders(String line) {
        assertThatThrownBy(() -> ScriptText.parse(HEADER + line))
                .isInstanceOfSatisfying(
                        ScriptException.class, e -> assertThat(e.line()).isEqualTo(3));
    }

    @Test
    @DisplayName("a script needs an image or layers, and raw files stand at the end of a chain")
    void chains() {
        for (String text : List.of(
                "",
                "qcow2-script 2\n",
                "qcow2-script 1\noperations\n",
                "qcow2-script 1\nlayer raw 512\n",
                HEADER + "layer raw 512\nlayer raw 512\n",
                HEADER + "image somewhere\n")) {
            assertThatThrownBy(() -> ScriptText.parse(text)).as(text).isInstanceOf(ScriptException.class);
        }
    }

    @Property
    void aWrongByteNamesTheRequestThatItComesFrom(
            @ForAll @IntRange(max = (1 << 21) - 1) int fill, @ForAll @IntRange(min = 16, max = 5000) int length) {
        byte[] bytes = Fill.bytes(fill, length);
        assertThat(IntStream.range(0, length).map(i -> bytes[i])).doesNotContain(0);
        int inside = length / 8 * 8 / 2;
        assertThat(Fill.describe(bytes, inside)).isEqualTo("byte " + inside + " of fill " + fill);
    }

    @Test
    @DisplayName("no two groups of a pattern are the same, so that shifted data is seen")
    void shiftedDataIsSeen() {
        List<String> groups = new ArrayList<>();
        byte[] bytes = Fill.bytes(1, 1 << 16);
        for (int at = 0; at < bytes.length; at += 8) {
            groups.add(java.util.Arrays.toString(java.util.Arrays.copyOfRange(bytes, at, at + 8)));
        }
        assertThat(groups).doesNotHaveDuplicates();
    }
}
