package dev.qcow2.conformance.property;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.generate.ScriptGenerator;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptException;
import dev.qcow2.conformance.language.ScriptText;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.Deflater;
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

    private static final List<Set<Feature>> EVERYTHING =
            List.of(EnumSet.allOf(Feature.class), EnumSet.of(Feature.SNAPSHOTS));

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
        Script script = new ScriptGenerator(seed, EVERYTHING).script(index, index % 2 == 0);
        assertThat(ScriptText.parse(ScriptText.write(script))).isEqualTo(script);
        assertThat(new ScriptGenerator(seed, EVERYTHING).script(index, index % 2 == 0))
                .isEqualTo(script);
        assertThat(script.suitsQemu() || index % 2 == 1).isTrue();
    }

    @Property
    void anyDamageIsAScriptOrATypedRefusal(@ForAll @IntRange(max = 500) int at, @ForAll char damage) {
        StringBuilder text = new StringBuilder(ScriptText.write(new ScriptGenerator(5, EVERYTHING).script(3, false)));
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
                "resize -1 off",
                "resize 5 half",
                "write-compressed 0 512",
                "vm-state write 0 1",
                "vm-state erase 0 1",
                "bitmap add b 100 enabled",
                "bitmap add b 256 enabled",
                "bitmap add b 512",
                "bitmap merge b",
                "bitmap paint b",
                "repair some",
                "repair all everything",
                "rebase safe",
                "rebase safe -1",
                "amend",
                "amend version 4",
                "amend refcount 3",
                "snapshot-create a state",
                "qemu commit",
                "qemu vm-state read 0 1",
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
                "layer qcow2 5000 version 2 cluster 512 refcount 16 zstd",
                "layer qcow2 5000 version 3 cluster 512 refcount 16 subclusters",
                "layer qcow2 5000 version 3 cluster 512 refcount 16 encrypted rot13 secret 1000",
                "layer qcow2 5000 version 3 cluster 512 refcount 16 encrypted legacy-aes-128-cbc secret 10",
                "layer qcow2 5000 version 3 cluster 512 refcount 16 preallocation half",
                "content mixed 0 1 1",
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
            @ForAll @IntRange(max = Fill.FIRST_NOISE - 1) int fill,
            @ForAll @IntRange(min = 16, max = 5000) int length) {
        byte[] bytes = Fill.bytes(fill, length);
        assertThat(IntStream.range(0, length).map(i -> bytes[i])).doesNotContain(0);
        int inside = length / 8 * 8 / 2;
        assertThat(Fill.describe(bytes, inside)).isEqualTo("byte " + inside + " of fill " + fill);
    }

    @Test
    @DisplayName("patterns from FIRST_NOISE on do not get smaller when they are compressed, others do")
    void noise() {
        assertThat(deflated(Fill.bytes(Fill.FIRST_NOISE + 7, 4096))).isGreaterThan(4000);
        assertThat(deflated(Fill.bytes(7, 4096))).isLessThan(2048);
        assertThat(Fill.bytes(Fill.FIRST_NOISE + 7, 4096)).doesNotContain(0);
    }

    private static int deflated(byte[] bytes) {
        Deflater deflater = new Deflater();
        deflater.setInput(bytes);
        deflater.finish();
        int length = deflater.deflate(new byte[2 * bytes.length]);
        deflater.end();
        return length;
    }

    @Test
    @DisplayName("the example in the description of the language is a script")
    void example() throws Exception {
        String text = """
                qcow2-script 1
                layer qcow2 1048576 version 3 cluster 65536 refcount 16 zstd subclusters kit snapshot clusters
                content mixed 0 2 65536 shared
                content compressed 2 3 65537
                layer raw 700000
                operations
                bitmap add changes 65536 enabled
                write 70000 10 1
                vm-state write 0 5000 2
                snapshot-create before state 5000
                resize 2000000 off
                write-compressed 131072 131072 3
                qemu write 0 4096 4
                snapshot-apply before
                bitmap ask changes
                repair all leak
                """;
        Script script = ScriptText.parse(text);
        assertThat(ScriptText.parse(ScriptText.write(script))).isEqualTo(script);
        assertThat(Feature.neededBy(script))
                .containsExactlyInAnyOrder(
                        Feature.SNAPSHOTS,
                        Feature.COMPRESSED,
                        Feature.ZSTD,
                        Feature.SUBCLUSTERS,
                        Feature.RESIZE,
                        Feature.VM_STATE,
                        Feature.BITMAPS,
                        Feature.REPAIR);
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
