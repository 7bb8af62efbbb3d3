package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules about odd headers hold for those who are right, and find those who are wrong. */
class HeaderRulesTest {

    /** Faults that no sequence on a usual image can show, for our drivers never write such headers. */
    static final Set<Fault> HEADER_FAULTS = Set.of(
            Fault.UNKNOWN_INCOMPATIBLE_BIT_IGNORED,
            Fault.AUTOCLEAR_NOT_CLEARED,
            Fault.AUTOCLEAR_CLEARED_READ_ONLY,
            Fault.HEADER_EXTENSION_LOST,
            Fault.COMPATIBLE_BITS_LOST,
            Fault.HEADER_LENGTH_IGNORED,
            Fault.VERSION_2_READ_AS_3,
            Fault.BACKING_FORMAT_IGNORED,
            Fault.BACKING_RELATIVE_TO_PROCESS,
            Fault.OUT_OF_BOUNDS_CLIPPED);

    static List<DiskDriver> drivers() {
        return List.of(new MutantDriver(), new ReferenceDriver(), new OptimizedDriver());
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-HDR-13, QC-HDR-15, QC-HDR-21, QC-HDR-23, QC-HDR-25, QC-HDR-26, QC-EXT-04, QC-EXT-06, QC-BACK-03, "
                    + "QC-BACK-05, QC-BACK-07, QC-GUEST-02, QC-EXT-09, QC-L1-04, QC-L1-06, QC-REF-06, QC-SNAP-06, QC-SNAP-09: odd headers are taken as the rules say")
    void rulesHold(DiskDriver driver) {
        assertThat(HeaderRules.broken(driver)).isEmpty();
    }

    static Stream<Fault> headerFaults() {
        return Stream.of(Fault.values()).filter(HEADER_FAULTS::contains);
    }

    @ParameterizedTest
    @MethodSource("headerFaults")
    @DisplayName("Each fault in the treatment of headers breaks a rule")
    void faultsAreFound(Fault fault) {
        assertThat(HeaderRules.broken(new MutantDriver(fault)))
                .as(fault.story())
                .isNotEmpty();
    }

    @ParameterizedTest
    @EnumSource(Fault.class)
    @DisplayName("Each fault has a story and says what it resembles")
    void faultsAreExplained(Fault fault) {
        assertThat(fault.story()).endsWith(".").hasSizeGreaterThan(25);
        assertThat(fault.resembles()).hasSizeGreaterThan(8);
    }
}
