package dev.qcow2.conformance.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelRun;
import dev.qcow2.spec.tla.NamedTrace;
import dev.qcow2.spec.tla.TraceChecker;
import dev.qcow2.spec.tla.TraceVerdict;
import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceException;
import dev.qcow2.spec.trace.TraceOracle;
import dev.qcow2.spec.trace.TraceRefusal;
import dev.qcow2.spec.trace.TraceText;
import dev.qcow2.spec.trace.TraceText.Line;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Asks whether what an implementation did to an image is a behaviour of the formal model. */
@Command(
        name = "check-trace",
        description = "Checks traces, such as conform --trace writes them, against the formal model.",
        mixinStandardHelpOptions = true,
        footer = {
            "Exit code: 0 all are behaviours of the model, 1 some are not, 2 wrong usage or environment.",
            "",
            "Examples:",
            "  qcow2 conform --sequences 20 --trace traces",
            "  qcow2 check-trace --oracle traces/*.trace"
        })
final class CheckTraceCommand implements Callable<Integer> {

    private static final Duration LIMIT = Duration.ofMinutes(30);
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "traces")
    private List<Path> files = new ArrayList<>();

    @Option(names = "--oracle", description = "judges in Java only, without the model checker: quick")
    private boolean oracleOnly;

    @Option(names = "--json", paramLabel = "FILE", description = "writes the result as JSON")
    private @Nullable Path json;

    /** A trace that was read, with the line of each event. */
    private record Read(NamedTrace trace, List<Line> lines) {}

    /** What is said of one trace. */
    private record Verdict(Read read, Optional<Integer> refusedAt, String by, Optional<TraceRefusal> refusal) {

        String file() {
            return read.trace().name();
        }

        int line() {
            return read.lines().get(refusedAt.orElseThrow()).line();
        }
    }

    CheckTraceCommand() {}

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        List<Verdict> verdicts;
        try {
            List<Read> traces = new ArrayList<>();
            for (Path file : files) {
                traces.add(read(file));
            }
            verdicts = judge(traces);
        } catch (TraceException | ModelException e) {
            Objects.requireNonNull(spec).commandLine().getErr().println("qcow2: " + e.getMessage());
            return ExitCode.TROUBLE;
        }
        verdicts.forEach(verdict -> print(verdict, out));
        if (json != null) {
            MAPPER.writeValue(json.toFile(), json(verdicts));
        }
        return verdicts.stream().anyMatch(verdict -> verdict.refusedAt().isPresent())
                ? ExitCode.DIFFERENT
                : ExitCode.SAME;
    }

    private static Read read(Path file) throws IOException, TraceException {
        List<Line> lines = TraceText.parse(file.toString(), Files.readString(file));
        return new Read(
                new NamedTrace(file.toString(), lines.stream().map(Line::event).toList()), lines);
    }

    private List<Verdict> judge(List<Read> traces) throws IOException, ModelException {
        List<TraceVerdict> checked = List.of();
        if (!oracleOnly) {
            Path scratch = Files.createTempDirectory("qcow2-check-trace");
            try {
                checked = new TraceChecker(new ModelRun(scratch, LIMIT, "2g"))
                        .check(traces.stream().map(Read::trace).toList());
            } finally {
                Files.deleteIfExists(scratch);
            }
        }
        List<Verdict> verdicts = new ArrayList<>();
        for (int i = 0; i < traces.size(); i++) {
            verdicts.add(verdict(traces.get(i), oracleOnly ? Optional.empty() : Optional.of(checked.get(i))));
        }
        return verdicts;
    }

    /** The model checker has the last word; the oracle says in words what is wrong. */
    private static Verdict verdict(Read read, Optional<TraceVerdict> checked) {
        TraceOracle oracle = new TraceOracle();
        for (TraceEvent event : read.trace().events()) {
            oracle.event(event);
        }
        Optional<Integer> byOracle = oracle.refusal().map(refusal -> oracle.refusedAt() - 1);
        if (checked.isEmpty()) {
            return new Verdict(read, byOracle, "oracle", oracle.refusal());
        }
        if (checked.get().accepted()) {
            return new Verdict(read, Optional.empty(), "TLC", oracle.refusal());
        }
        int at = checked.get().refusedAt();
        boolean same = byOracle.isPresent() && byOracle.get() == at;
        return new Verdict(
                read, Optional.of(at), "TLC, " + checked.get().model(), same ? oracle.refusal() : Optional.empty());
    }

    private static void print(Verdict verdict, PrintWriter out) {
        int events = verdict.read().lines().size();
        if (verdict.refusedAt().isEmpty()) {
            out.println(verdict.file() + ": a behaviour of the model, " + events + " events");
            // The two must agree; if they don't, one of them has an error, and that must not be hidden.
            verdict.refusal().ifPresent(refusal -> out.println("  but the oracle in Java refuses " + refusal));
            return;
        }
        int at = verdict.refusedAt().get();
        out.println(verdict.file() + " line " + verdict.line() + ": refused by " + verdict.by() + ", event " + (at + 1)
                + " of " + events);
        out.println("  " + TraceText.line(verdict.read().trace().events().get(at)));
        verdict.refusal().ifPresent(refusal -> {
            out.println("  " + refusal.reason());
            refusal.state().forEach(known -> out.println("  before: " + known));
            refusal.allowed().forEach(allowed -> out.println("  allowed: " + allowed));
        });
        if (verdict.refusal().isEmpty()) {
            out.println("  the oracle in Java does not refuse this event");
        }
    }

    private static ObjectNode json(List<Verdict> verdicts) {
        ObjectNode root = MAPPER.createObjectNode();
        ArrayNode traces = root.putArray("traces");
        for (Verdict verdict : verdicts) {
            ObjectNode node = traces.addObject();
            node.put("file", verdict.file());
            node.put("events", verdict.read().lines().size());
            node.put("accepted", verdict.refusedAt().isEmpty());
            node.put("by", verdict.by());
            verdict.refusedAt().ifPresent(at -> {
                node.put("line", verdict.line());
                node.put("event", TraceText.line(verdict.read().trace().events().get(at)));
            });
            verdict.refusal().ifPresent(refusal -> {
                node.put("reason", refusal.reason());
                node.set("before", MAPPER.valueToTree(refusal.state()));
                node.set("allowed", MAPPER.valueToTree(refusal.allowed()));
            });
        }
        return root;
    }
}
