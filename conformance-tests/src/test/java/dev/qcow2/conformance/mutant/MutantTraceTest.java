package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.TraceSearch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What the check of traces finds by itself: the mutant's events are made from the bytes of its image and from what reaches
 * its file, and nothing else is looked at.
 */
class MutantTraceTest {

    private static final long SEQUENCES = Long.getLong("qcow2.trace.mutant.sequences", 12);

    /** Errors in tables, counts and order; those in bytes alone are not for a trace to find. */
    private static final List<Fault> FOUND = List.of(
            Fault.SHARED_CLUSTER_OVERWRITTEN,
            Fault.SHARED_L2_TABLE_OVERWRITTEN,
            Fault.ZERO_FLAG_IN_VERSION_2,
            Fault.ZERO_UNMAP_LEAKS,
            Fault.LAST_CLUSTER_ZEROED_TOO_FAR,
            Fault.DISCARD_FREES_TOO_MUCH,
            Fault.DISCARD_EXPOSES_BACKING,
            Fault.REFCOUNT_NOT_RAISED,
            Fault.L2_TABLE_HANDED_OUT_AGAIN,
            Fault.TABLE_PUBLISHED_BEFORE_COUNTED,
            Fault.REFCOUNTS_BY_GUEST_CLUSTER,
            Fault.GROWN_REFCOUNT_TABLE_LOSES_LAST,
            Fault.OLD_REFCOUNT_TABLE_LEAKED,
            Fault.L2_INDEX_OFF_BY_ONE,
            Fault.COPIED_NEVER_IN_L1,
            Fault.ENTRY_LOSES_COPIED,
            Fault.COPIED_KEPT_AFTER_SNAPSHOT,
            Fault.SNAPSHOT_DATA_NOT_COUNTED,
            Fault.SNAPSHOT_DELETE_LEAKS_L1,
            Fault.SNAPSHOT_APPLY_FORGETS_OLD,
            Fault.NO_FLUSH_BEFORE_LINK,
            Fault.LOWERED_BEFORE_UNLINKED);

    /** Few sequences make a refcount table grow. */
    private static final Set<Fault> RARE =
            EnumSet.of(Fault.GROWN_REFCOUNT_TABLE_LOSES_LAST, Fault.OLD_REFCOUNT_TABLE_LEAKED);

    @Test
    @DisplayName("QC-REF-03 QC-L2-03 Traces: wrong implementations are found by their traces alone")
    void findsByTraceAlone() throws IOException {
        List<String> table = new ArrayList<>(List.of("| Fault | Found by its trace | Event |", "|---|---|---|"));
        List<Fault> missed = new ArrayList<>();
        for (Fault fault : Boolean.getBoolean("qcow2.trace.mutant.all") ? List.of(Fault.values()) : FOUND) {
            Optional<TraceSearch.Found> found =
                    TraceSearch.find(new MutantDriver(fault), 1, RARE.contains(fault) ? 10 * SEQUENCES : SEQUENCES);
            table.add("| " + fault + " | "
                    + found.map(f -> "sequence " + f.sequences() + " | " + f.message())
                            .orElse("no |") + " |");
            if (found.isEmpty() && FOUND.contains(fault)) {
                missed.add(fault);
            }
        }
        Files.createDirectories(Path.of("target"));
        Files.write(Path.of("target", "mutants-by-trace.md"), table);
        assertThat(missed).isEmpty();
    }

    @Test
    @DisplayName("The mutant without fault: its traces are behaviours of the model")
    void findsNothingInTheControl() throws IOException {
        assertThat(TraceSearch.find(new MutantDriver(), 2, SEQUENCES)).isEmpty();
    }
}
