package dev.qcow2.conformance.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests that overlap in time leave what some order of them leaves. */
class ConcurrentRunTest {

    private static final DiskDriver WITNESS = new ReferenceDriver();

    @Test
    @DisplayName("QC-GUEST-01, QC-REF-03: the reference, which does one thing at a time, passes")
    void reference() throws InterruptedException {
        for (long seed = 0; seed < 40; seed++) {
            assertThat(judge(seed, new ReferenceDriver())).as("seed %d", seed).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(RaceFault.class)
    @DisplayName("QC-GUEST-12, QC-REF-15, QC-GUEST-06: planted races are found")
    void racesAreFound(RaceFault fault) throws InterruptedException {
        DiskDriver wrong = fault.plant(new ReferenceDriver());
        Optional<String> found = Optional.empty();
        for (long seed = 0; seed < 300 && found.isEmpty(); seed++) {
            found = judge(seed, wrong);
        }
        assertThat(found).as("%s", fault).isPresent();
    }

    private static Optional<String> judge(long seed, DiskDriver subject) throws InterruptedException {
        return ConcurrentRun.judge(ConcurrentScenario.generate(seed), subject, WITNESS);
    }
}
