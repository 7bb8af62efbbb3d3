package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.formal.ReplayFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which of the mutant's faults the tests find that are made of the model, and which they can't. */
class ModelGeneratedFaultsTest {

    /**
     * The model of the mapping has no header, no growth of tables, no part of a block, one width of counts, and no cut of
     * the power; and it knows an L2 table only as far as its entries go.
     */
    private static final Set<Fault> OUTSIDE_THE_MODEL = EnumSet.of(
            Fault.LAST_CLUSTER_ZEROED_TOO_FAR,
            Fault.DISCARD_FREES_TOO_MUCH,
            Fault.NEW_REFCOUNT_BLOCK_NOT_COUNTED,
            Fault.REFCOUNT_WIDTH_1_AS_8,
            Fault.SUB_BYTE_REFCOUNTS_REVERSED,
            Fault.REFCOUNT_TABLE_ENTRY_WITH_COPIED,
            Fault.GROWN_REFCOUNT_TABLE_LOSES_LAST,
            Fault.OLD_REFCOUNT_TABLE_LEAKED,
            Fault.REFCOUNT_WRAPS,
            Fault.L2_INDEX_OFF_BY_ONE,
            Fault.BACKING_FORMAT_IGNORED,
            Fault.BACKING_RELATIVE_TO_PROCESS,
            Fault.UNKNOWN_INCOMPATIBLE_BIT_IGNORED,
            Fault.AUTOCLEAR_NOT_CLEARED,
            Fault.AUTOCLEAR_CLEARED_READ_ONLY,
            Fault.HEADER_EXTENSION_LOST,
            Fault.COMPATIBLE_BITS_LOST,
            Fault.HEADER_LENGTH_IGNORED,
            Fault.VERSION_2_READ_AS_3,
            Fault.OUT_OF_BOUNDS_CLIPPED);

    private static final List<String> TABLE = new ArrayList<>();
    private static ModelGeneratedFaults faults;

    @BeforeAll
    static void makeGraphs() throws Exception {
        faults = new ModelGeneratedFaults();
    }

    @Test
    @DisplayName("The mutant without fault follows the model")
    void findsNothingInTheControl() {
        assertThat(faults.find().map(ReplayFailure::toText)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Each fault is found that the model can know of")
    void findsEachFaultOfTheModel(Fault fault) {
        Optional<ReplayFailure> found = faults.find(fault);
        TABLE.add(String.format(
                "| %s | %s | %s |",
                fault,
                found.map(failure -> "found").orElse("not in the model"),
                found.map(failure -> failure.graph() + ", " + failure.path().size() + " requests")
                        .orElse("")));
        assertThat(found.isPresent())
                .as(fault.story())
                .isEqualTo(!OUTSIDE_THE_MODEL.contains(fault) && !CodeFault.ORDER_FAULTS.contains(fault));
        found.ifPresent(failure -> assertThat(failure.toText()).contains("qcow2-script 1", "before the last one:"));
    }

    @AfterAll
    static void report() throws IOException {
        List<String> lines =
                new ArrayList<>(List.of("| Fault | Found by a model-generated test | Where |", "|---|---|---|"));
        lines.addAll(TABLE);
        Files.createDirectories(Path.of("target"));
        Files.write(Path.of("target", "model-generated-faults.md"), lines);
    }
}
