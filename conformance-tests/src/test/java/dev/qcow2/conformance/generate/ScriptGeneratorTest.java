package dev.qcow2.conformance.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What is rare by chance comes up often enough. */
class ScriptGeneratorTest {

    private static final int SCRIPTS = 1000;

    @Test
    @DisplayName(
            "QC-MNT-31: a campaign of usual length has ten sequences that take zero clusters of snapshots to version 2")
    void waysToVersion2() {
        ScriptGenerator generator = new ScriptGenerator(1, List.of(EnumSet.allOf(Feature.class)));
        long ways = LongStream.range(0, SCRIPTS)
                .mapToObj(index -> generator.script(index, false))
                .filter(script -> maybeVersion2(script) && zeroesSnapshotAmend(script.operations()))
                .count();
        assertThat(ways).isGreaterThanOrEqualTo(10);
    }

    private static boolean maybeVersion2(Script script) {
        FormatFeatures features = script.layers().get(0).features();
        Set<Feature> needed = Feature.neededBy(script);
        return !features.extendedL2()
                && features.dataFile().isEmpty()
                && features.compression() == Compression.ZLIB
                && !needed.contains(Feature.BITMAPS);
    }

    private static boolean zeroesSnapshotAmend(List<Operation> operations) {
        boolean zeroes = false;
        boolean snapshot = false;
        for (Operation operation : operations) {
            zeroes |= operation.kind() == Operation.Kind.WRITE_ZEROES;
            snapshot |= zeroes && operation.kind() == Operation.Kind.SNAPSHOT_CREATE;
            boolean downgrades = operation instanceof Amend amend
                    && amend.changes().version().equals(Optional.of(2));
            if (snapshot && downgrades) {
                return true;
            }
        }
        return false;
    }
}
