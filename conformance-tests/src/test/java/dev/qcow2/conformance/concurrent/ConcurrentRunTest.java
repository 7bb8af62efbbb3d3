package dev.qcow2.conformance.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.optimized.OptimizedOptions;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that overlap in time leave what some order of them leaves. */
class ConcurrentRunTest {

    private static final DiskDriver WITNESS = new ReferenceDriver();

    @Test
    @DisplayName("QC-GUEST-01, QC-REF-03: the reference, which does one thing at a time, passes")
    void reference() throws InterruptedException {
        for (long seed = 0; seed < 10; seed++) {
            assertThat(judge(seed, new ReferenceDriver())).as("seed %d", seed).isEmpty();
        }
    }

    @Test
    @DisplayName("QC-GUEST-01, QC-REF-03: the optimized one passes with everything on")
    void optimized() throws InterruptedException {
        for (long seed = 0; seed < 150; seed++) {
            assertThat(judge(seed, new OptimizedDriver())).as("seed %d", seed).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("lattice")
    @DisplayName("QC-GUEST-01, QC-REF-03: the optimized one passes with each optimisation off, and each alone")
    void lattice(int bits) throws InterruptedException {
        DiskDriver subject = new OptimizedDriver(OptimizedOptions.of(bits));
        for (long seed = 0; seed < 10; seed++) {
            assertThat(judge(seed, subject)).as("seed %d", seed).isEmpty();
        }
    }

    static IntStream lattice() {
        int all = OptimizedOptions.allOn().bits();
        return IntStream.concat(
                IntStream.of(0),
                IntStream.range(0, OptimizedOptions.SWITCHES).flatMap(i -> IntStream.of(1 << i, all & ~(1 << i))));
    }

    @ParameterizedTest
    @EnumSource(RaceFault.class)
    @DisplayName("QC-GUEST-12, QC-REF-15, QC-GUEST-06: planted races are found")
    void racesAreFound(RaceFault fault) throws InterruptedException {
        DiskDriver wrong = fault.plant(new OptimizedDriver());
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
