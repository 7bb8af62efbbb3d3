package dev.qcow2.conformance.formal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.mutant.CodeFault;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Both implementations follow module Bitmaps, each in the style that is its own. */
class BitmapReplayTest {

    private static final List<DiskDriver> DRIVERS = List.of(new ReferenceDriver(), new OptimizedDriver());

    private static final Map<BitmapBound, BitmapGraph> GRAPHS = new HashMap<>();

    private static BitmapGraph graph(BitmapBound bound) throws Exception {
        BitmapGraph known = GRAPHS.get(bound);
        if (known == null) {
            known = bound.graph(TestGraphs.RUNNER, TestGraphs.SCRATCH);
            GRAPHS.put(bound, known);
        }
        return known;
    }

    static Stream<BitmapBound> bounds() {
        return BitmapBound.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("bounds")
    @DisplayName(
            "QC-BM-07 QC-BM-08 QC-BM-19 QC-BM-20 QC-BM-22 QC-BM-24 QC-BM-26 QC-BM-27 QC-BM-28 every request is the model's")
    void everyRequestIsThatOfTheModel(BitmapBound bound) throws Exception {
        BitmapGraph graph = graph(bound);
        for (DiskDriver driver : DRIVERS) {
            if (bound.isOf(driver)) {
                BitmapReplay.Result result = BitmapReplay.run(graph, driver);
                assertThat(result.failure()).isEmpty();
                assertThat(result.replayed()).isGreaterThan(graph.transitions() / 2);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, BITMAP_SHRINK_KEEPS_BITS",
        "0, BITMAP_FORGETS_RESTORE",
        "3, BITMAP_IN_USE_TRUSTED",
        "4, BITMAP_MERGE_REPLACES"
    })
    @DisplayName("an implementation that errs is found; StructureFaultTest has all of them")
    void faultsAreFound(int bound, String fault) throws Exception {
        BitmapGraph graph = graph(BitmapBound.ALL.get(bound));
        assertThat(BitmapReplay.run(graph, CodeFault.of(fault).driver()).failure())
                .isPresent();
    }

    @Test
    @DisplayName("no clause: an implementation of the other style is found out")
    void otherStyle() throws Exception {
        BitmapGraph graph = graph(BitmapBound.ALL.get(2));
        assertThat(BitmapReplay.run(graph, new OptimizedDriver()).failure()).isPresent();
    }
}
