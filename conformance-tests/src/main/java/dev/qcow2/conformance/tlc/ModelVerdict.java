package dev.qcow2.conformance.tlc;

import dev.qcow2.spec.tla.Counterexample;
import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.ModelCase;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelOutcome;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a run of TLC says of a model, with or without a seeded fault.
 *
 * @param model the model and its bound
 * @param fault the seeded fault, or null
 * @param outcome what was found, or null if there was no answer
 * @param trouble why there was no answer, or null
 */
record ModelVerdict(
        ModelCase model,
        @Nullable FaultCase fault,
        @Nullable ModelOutcome outcome,
        @Nullable ModelException trouble) {

    /** What is other than expected; empty if all is well, or if there was no answer. */
    Optional<String> wrong() {
        if (outcome == null) {
            return Optional.empty();
        }
        return Optional.ofNullable(fault == null ? wrongModel(outcome) : wrongFault(outcome, fault));
    }

    private @Nullable String wrongModel(ModelOutcome found) {
        Counterexample broken = found.counterexample();
        if (broken != null) {
            return broken.property() + " is broken in " + broken.steps().size() + " states";
        }
        if (found.distinctStates() != model.distinctStates()) {
            return String.format(
                    Locale.ROOT, "has %,d states, models.txt says %,d", found.distinctStates(), model.distinctStates());
        }
        return null;
    }

    private static @Nullable String wrongFault(ModelOutcome found, FaultCase fault) {
        Counterexample broken = found.counterexample();
        if (broken == null) {
            return "is not refuted";
        }
        if (!broken.property().equals(fault.property())) {
            return "breaks " + broken.property() + " first, faults.txt says " + fault.property();
        }
        if (broken.steps().size() > fault.greatestLength()) {
            return "takes " + broken.steps().size() + " states, faults.txt allows " + fault.greatestLength();
        }
        return null;
    }

    String name() {
        return fault == null ? model.name() : fault.name();
    }
}
