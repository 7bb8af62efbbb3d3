package dev.qcow2.conformance.tlc;

import dev.qcow2.conformance.report.TextTable;
import dev.qcow2.spec.tla.Counterexample;
import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.ModelConfiguration;
import dev.qcow2.spec.tla.ModelOutcome;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Prints for a person what the models said. */
final class ModelReport {

    /** What is worth a column of every table: the constant and its words. */
    private static final Map<String, String> NUMBERS = Map.of(
            "ClusterCount", "clusters",
            "BlockCount", "blocks",
            "RangeCount", "ranges of hosts",
            "Largest", "clusters",
            "MaxRequests", "requests");

    private static final Map<String, String> SETS = Map.of(
            "Names", "bitmaps",
            "Hosts", "hosts",
            "CopyHosts", "hosts each",
            "Values", "values",
            "Saves", "snapshots",
            "Slots", "in flight");

    private final PrintWriter out;

    ModelReport(PrintWriter out) {
        this.out = out;
    }

    void models(List<ModelVerdict> verdicts) throws IOException {
        TextTable table = new TextTable("model", "bound", "states", "seconds", "", "properties");
        for (ModelVerdict verdict : verdicts) {
            ModelConfiguration configuration = ModelConfiguration.of(verdict.model());
            ModelOutcome outcome = verdict.outcome();
            table.row(
                    verdict.model().name() + " (" + verdict.model().module() + ")",
                    bound(configuration),
                    outcome == null ? "-" : String.format(Locale.ROOT, "%,d", outcome.distinctStates()),
                    outcome == null ? "-" : seconds(outcome),
                    judgement(verdict, "all hold"),
                    String.join(" ", configuration.properties()));
        }
        out.print(table.toText());
    }

    void faults(List<ModelVerdict> verdicts) {
        TextTable table = new TextTable("fault", "found by", "in states", "seconds", "resembles", "");
        for (ModelVerdict verdict : verdicts) {
            FaultCase fault = verdict.fault();
            ModelOutcome outcome = verdict.outcome();
            Counterexample found = outcome == null ? null : outcome.counterexample();
            if (fault != null) {
                table.row(
                        fault.name(),
                        found == null ? "-" : found.property(),
                        found == null ? "-" : Integer.toString(found.steps().size()),
                        outcome == null ? "-" : seconds(outcome),
                        fault.resembles(),
                        judgement(verdict, ""));
            }
        }
        out.print(table.toText());
    }

    private static String judgement(ModelVerdict verdict, String well) {
        return verdict.trouble() != null
                ? "NO ANSWER"
                : verdict.wrong().map(wrong -> "WRONG: " + wrong).orElse(well);
    }

    private static String seconds(ModelOutcome outcome) {
        return String.format(Locale.ROOT, "%.1f", outcome.time().toMillis() / 1000.0);
    }

    /** The bound in words: "2 clusters, 2 blocks, 4 hosts". */
    static String bound(ModelConfiguration configuration) {
        List<String> words = new ArrayList<>();
        for (String constant : configuration.constants().keySet()) {
            String number = NUMBERS.get(constant);
            String set = SETS.get(constant);
            if (number != null) {
                words.add(counted(configuration.constants().get(constant) + " ", number));
            } else if (set != null) {
                words.add(counted(configuration.members(constant).size() + " ", set));
            }
        }
        return String.join(", ", words);
    }

    private static String counted(String number, String things) {
        return number
                + (number.equals("1 ") && things.endsWith("s") ? things.substring(0, things.length() - 1) : things);
    }
}
