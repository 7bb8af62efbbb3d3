package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.CopyOnWriteDecision.Action;
import dev.qcow2.optimized.CopyOnWriteDecision.HostCluster;
import dev.qcow2.optimized.CopyOnWriteDecision.Surroundings;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The decision, case by case. */
class CopyOnWriteDecisionTest {

    @ParameterizedTest
    @CsvSource({
        "NOTHING, true, NONE",
        "NOTHING, false, NONE",
        "READS_AS_ZERO, true, SKIP",
        "READS_AS_ZERO, false, COPY",
        "DATA, true, COPY",
        "DATA, false, COPY",
        "UNKNOWN, true, COPY",
        "UNKNOWN, false, COPY"
    })
    @DisplayName("QC-L2-11: only what metadata knows to be zero is skipped")
    void decides(Surroundings surroundings, boolean skipAllowed, Action action) {
        assertThat(CopyOnWriteDecision.decide(surroundings, skipAllowed)).isEqualTo(action);
    }

    @ParameterizedTest
    @CsvSource({
        "SKIP, MAY_HOLD_STALE_BYTES, true",
        "SKIP, NEVER_WRITTEN, false",
        "COPY, MAY_HOLD_STALE_BYTES, false",
        "NONE, MAY_HOLD_STALE_BYTES, false"
    })
    @DisplayName("QC-GUEST-11: a cluster with a former life is zeroed before a side of it is skipped")
    void zeroesFirst(Action action, HostCluster hostCluster, boolean zeroes) {
        assertThat(CopyOnWriteDecision.mustZeroFirst(action, hostCluster)).isEqualTo(zeroes);
    }

    @Test
    @DisplayName("QC-GUEST-11: when the host refuses to zero, a skip becomes a copy, and nothing else changes")
    void refused() {
        assertThat(CopyOnWriteDecision.whenZeroingIsRefused(Action.SKIP)).isEqualTo(Action.COPY);
        assertThat(CopyOnWriteDecision.whenZeroingIsRefused(Action.COPY)).isEqualTo(Action.COPY);
        assertThat(CopyOnWriteDecision.whenZeroingIsRefused(Action.NONE)).isEqualTo(Action.NONE);
    }
}
