package dev.qcow2.conformance.command;

import dev.qcow2.conformance.campaign.CampaignResult;
import dev.qcow2.conformance.campaign.ConcurrentResult;
import dev.qcow2.conformance.campaign.Coverage;
import dev.qcow2.conformance.campaign.Difference;
import dev.qcow2.conformance.campaign.Transition;
import dev.qcow2.conformance.concurrent.ConcurrentDifference;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Prints for a person what a campaign did and found. */
final class ConformReport {

    private static final int MOST_LISTED = 40;

    private final PrintWriter out;

    ConformReport(PrintWriter out) {
        this.out = out;
    }

    void print(CampaignResult result) {
        out.printf(
                Locale.ROOT,
                "%,d sequences with %,d guest operations in %.1f s%n",
                result.sequences(),
                result.guestOperations(),
                result.elapsed().toMillis() / 1000.0);
        concurrent(result.concurrent());
        out.println("oracles: " + String.join(", ", result.oracles()));
        result.notes().forEach(note -> out.println("note: " + note));
        coverage(result.coverage());
        result.difference().ifPresent(this::difference);
        result.concurrent().difference().ifPresent(this::concurrentDifference);
        if (result.difference().isEmpty() && result.concurrent().difference().isEmpty()) {
            out.println("differences: none");
        }
    }

    private void concurrent(ConcurrentResult result) {
        if (result.sequences() > 0) {
            out.printf(
                    Locale.ROOT,
                    "%,d concurrent sequences with %,d requests, 2 to %d in flight%n",
                    result.sequences(),
                    result.requests(),
                    result.mostInFlight());
        }
    }

    private void concurrentDifference(ConcurrentDifference difference) {
        out.println("DIFFERENCE: " + difference);
        out.println("The seed decides who asks for what, the machine who comes first: it may take several runs.");
        out.println("repeat it with: " + Launcher.path() + " conform --concurrent-seed " + difference.seed()
                + " --impl " + difference.subject());
    }

    void printRepeated(long seed, int times, List<DiskDriver> drivers, Optional<ConcurrentDifference> difference) {
        String names = drivers.stream().map(DiskDriver::name).collect(Collectors.joining(", "));
        out.println("concurrent scenario " + seed + ", up to " + times + " times on " + names);
        out.println(difference.map(found -> "DIFFERENCE: " + found).orElse("differences: none"));
    }

    private void coverage(Coverage coverage) {
        List<Transition> possible = coverage.possible();
        List<Transition> missed = coverage.neverReached();
        long outcomes = coverage.transitions().values().stream()
                .mapToLong(java.util.Set::size)
                .sum();
        out.printf(
                "cluster-state transitions: %d of %d reached, with %d outcomes%n",
                possible.size() - missed.size(), possible.size(), outcomes);
        Transition.impossible().forEach(reason -> out.println("  not possible: " + reason));
        if (!missed.isEmpty()) {
            out.println("never reached:");
            missed.stream().limit(MOST_LISTED).forEach(transition -> out.println("  " + transition));
            if (missed.size() > MOST_LISTED) {
                out.println("  and " + (missed.size() - MOST_LISTED) + " more (all of them with --json)");
            }
        }
        if (!coverage.features().isEmpty()) {
            out.println("sequences with features: " + counts(coverage.features()));
        }
        coverage.leftOut()
                .forEach((driver, features) -> out.println("note: " + driver
                        + " was left out of sequences, for it refuses: " + String.join(", ", features)));
        out.println("operations: " + counts(coverage.operations()));
        out.println("geometries:");
        coverage.geometries().forEach((what, values) -> out.println("  " + what + ": " + counts(values)));
    }

    private static String counts(Map<String, Long> counts) {
        return counts.entrySet().stream()
                .map(entry -> entry.getKey() + " ×" + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    private void difference(Difference difference) {
        out.println("DIFFERENCE: " + difference);
        out.println("shrunk from " + difference.original().operations().size() + " to "
                + difference.minimal().operations().size() + " operations:");
        ScriptText.write(difference.minimal()).lines().forEach(line -> out.println("  " + line));
    }

    void printReplay(Script script, List<DiskDriver> drivers, Optional<Difference> difference) {
        String names = drivers.stream().map(DiskDriver::name).collect(Collectors.joining(", "));
        out.println("replayed " + script.operations().size() + " operations on " + names);
        out.println(difference.map(found -> "DIFFERENCE: " + found).orElse("differences: none"));
    }

    /** Writes the minimal script, with the difference as a comment. */
    static void writeScript(Difference difference, Path file) throws IOException {
        String comment = difference.toString().lines().map(line -> "# " + line).collect(Collectors.joining("\n"));
        Files.writeString(file, comment + "\n" + ScriptText.write(difference.minimal()));
    }
}
