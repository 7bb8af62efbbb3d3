package dev.qcow2.conformance.mutant;

import dev.qcow2.conformance.campaign.FaultSearch;
import dev.qcow2.conformance.campaign.TraceSearch;
import dev.qcow2.conformance.concurrent.ConcurrentRun;
import dev.qcow2.conformance.concurrent.ConcurrentScenario;
import dev.qcow2.conformance.formal.ModelJudge;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** One of the kit's ways to find a fault, with nothing but that way. */
public enum FaultFinder {
    /** Bytes, status and refusals are compared with the model, the array, or somebody else who reads the image. */
    PROPERTY_TEST("property test") {
        @Override
        Optional<String> find(CodeFault fault, int sequences, ModelJudge model)
                throws IOException, InterruptedException {
            return switch (fault.kind()) {
                case SEQUENCE -> FaultSearch.byComparison(fault.driver(), new ReferenceDriver(), sequences);
                case ORDER -> cuts(fault.driver(), damage -> !isFinding(damage));
                case FEATURE -> feature(fault, finding -> !finding.startsWith(AUDITOR));
                case RACE -> race(fault.driver());
                case STRUCTURE -> structure(fault, damage -> !damage.startsWith(StructureCuts.AUDITOR));
            };
        }
    },
    /** The transitions of the model are replayed; the graphs have standard clusters and no cut of the power. */
    MODEL_TEST("model-generated test") {
        @Override
        Optional<String> find(CodeFault fault, int sequences, ModelJudge model) {
            return fault.kind() == CodeFault.Kind.SEQUENCE
                    ? model.firstFailure(fault.driver())
                            .map(failure ->
                                    failure.graph() + ", " + failure.path().size() + " requests")
                    : Optional.empty();
        }
    },
    /** Events are made of the image's bytes, and each must be a step of the model; nothing else is looked at. */
    TRACE_CHECK("trace check") {
        @Override
        Optional<String> find(CodeFault fault, int sequences, ModelJudge model) throws IOException {
            if (fault.kind() != CodeFault.Kind.SEQUENCE) {
                return Optional.empty();
            }
            // To make events is slower than to compare bytes.
            return TraceSearch.find(fault.driver(), 1, sequences / 5).map(found -> "sequence " + found.sequences());
        }
    },
    /** The image is audited, after each operation or after each power cut. */
    AUDIT("audit") {
        @Override
        Optional<String> find(CodeFault fault, int sequences, ModelJudge model) throws IOException {
            return switch (fault.kind()) {
                case SEQUENCE -> FaultSearch.byAudit(fault.driver(), sequences);
                case ORDER -> cuts(fault.driver(), FaultFinder::isFinding);
                case FEATURE -> feature(fault, finding -> finding.startsWith(AUDITOR));
                // A race has no sequence after each of whose steps somebody could look.
                case RACE -> Optional.empty();
                case STRUCTURE -> structure(fault, damage -> damage.startsWith(StructureCuts.AUDITOR));
            };
        }
    };

    /** Most faults fall in a few sequences. */
    static final int FEW = 60;

    /** Some need a rare kind of image, and only when nobody else has found them they are looked for so long. */
    static final int MANY = 1500;

    private static final int SEEDS = 60;
    private static final int SCENARIOS = 300;
    private static final int ENOUGH = 40;
    private static final String AUDITOR = "the auditor:";

    private final String words;

    FaultFinder(String words) {
        this.words = words;
    }

    /**
     * Returns how a table calls it.
     *
     * @return a few words
     */
    public String words() {
        return words;
    }

    /** Looks for a fault in so many sequences, and says in a few words what shows it; empty if nothing does. */
    abstract Optional<String> find(CodeFault fault, int sequences, ModelJudge model)
            throws IOException, InterruptedException;

    private static boolean isFinding(String damage) {
        return damage.contains("CORRUPTION at") || damage.contains("BREACH at");
    }

    private static Optional<String> cuts(DiskDriver driver, Predicate<String> counts) {
        for (long seed = 0; seed < SEEDS; seed++) {
            try {
                Optional<String> found =
                        PowerCuts.damage(driver, seed).stream().filter(counts).findFirst();
                if (found.isPresent()) {
                    return Optional.of("power cut, seed " + seed + ": "
                            + (isFinding(found.get()) ? clause(found.get()) : "bytes"));
                }
            } catch (DiskException refusedByItself) {
                // A wrong implementation may refuse what it broke; another seed will show how.
            }
        }
        return Optional.empty();
    }

    private static Optional<String> feature(CodeFault fault, Predicate<String> counts) {
        FeatureFault feature = fault.feature().orElseThrow();
        List<String> findings = FeatureJudge.judge(feature.form(), fault.driver());
        return findings.stream()
                .filter(counts)
                .findFirst()
                .map(finding -> finding.startsWith(AUDITOR) ? clause(finding) : finding.replaceAll(" at guest.*", ""));
    }

    private static Optional<String> structure(CodeFault fault, Predicate<String> counts) {
        StructureFault structure = StructureFault.valueOf(fault.name());
        return StructureCuts.damage(structure.scene(), fault.driver(), ENOUGH).stream()
                .filter(counts)
                .findFirst()
                .map(damage -> damage.startsWith(StructureCuts.AUDITOR)
                        ? "power cut: " + clause(damage)
                        : damage.startsWith("cut") ? "power cut: bytes" : "what bitmaps say");
    }

    private static String clause(String finding) {
        return finding.replaceAll("(?s).*\\[(QC-[A-Z0-9-]+)\\].*", "$1");
    }

    private static Optional<String> race(DiskDriver driver) throws InterruptedException {
        for (long seed = 0; seed < SCENARIOS; seed++) {
            if (ConcurrentRun.judge(ConcurrentScenario.generate(seed), driver, new ReferenceDriver())
                    .isPresent()) {
                return Optional.of("overlapping requests, seed " + seed);
            }
        }
        return Optional.empty();
    }
}
