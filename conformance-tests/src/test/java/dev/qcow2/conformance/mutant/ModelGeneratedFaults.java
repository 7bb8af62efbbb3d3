package dev.qcow2.conformance.mutant;

import dev.qcow2.conformance.formal.ModelJudge;
import dev.qcow2.conformance.formal.ReplayFailure;
import dev.qcow2.conformance.formal.TestGraphs;
import java.util.List;
import java.util.Optional;

/**
 * Says which faults the tests find that are made of the model. The graphs are made once, in some seconds; an answer then
 * takes less than one.
 */
final class ModelGeneratedFaults {

    private final ModelJudge judge;

    ModelGeneratedFaults() throws Exception {
        this.judge = new ModelJudge(
                List.of(TestGraphs.small("one-cluster"), TestGraphs.small("backing"), TestGraphs.small("version2")));
    }

    /** What the tests say of the mutant with a fault, or without one. */
    Optional<ReplayFailure> find(Fault... faults) {
        return judge.firstFailure(new MutantDriver(faults));
    }
}
