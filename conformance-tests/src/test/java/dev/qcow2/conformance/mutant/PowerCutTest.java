package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The order of writes holds for those who are right, and those who are wrong lose something. */
class PowerCutTest {

    static List<DiskDriver> drivers() {
        return List.of(new MutantDriver(), new ReferenceDriver(), new OptimizedDriver());
    }

    static Stream<Fault> orderFaults() {
        return CodeFault.ORDER_FAULTS.stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-06, QC-GUEST-12, QC-REF-13, QC-REF-14, QC-REF-15, QC-L2-13, QC-SNAP-10: after a power cut "
            + "there are only leaks, and what was flushed is there")
    void onlyLeaks(DiskDriver driver) throws DiskException {
        List<String> damage = new ArrayList<>();
        for (long seed = 0; seed < 40; seed++) {
            damage.addAll(PowerCuts.damage(driver, seed));
        }
        assertThat(damage).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("orderFaults")
    @DisplayName("Each fault in the order of writes is seen after some power cut")
    void faultsAreFound(Fault fault) throws DiskException {
        long seed = 0;
        while (seed < 60 && PowerCuts.damage(new MutantDriver(fault), seed).isEmpty()) {
            seed++;
        }
        assertThat(seed).as(fault.story()).isLessThan(60);
    }
}
