package dev.qcow2.spec.tla;

import dev.qcow2.spec.trace.TraceText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks TLC whether traces are behaviours of the models: the guest's level of {@code Mapping}, the host's level of {@code
 * PowerCut}. Many traces are judged in one run, for to start TLC costs more than to judge.
 */
public final class TraceChecker {

    private static final String CONFIGURATION = "SPECIFICATION Spec\nCHECK_DEADLOCK FALSE\n";
    private static final Pattern VERDICT = Pattern.compile("<<\"verdict\", (\\d+), \"(accepted|refused)\", (\\d+)>>");

    private final ModelRun runner;

    /**
     * Makes a checker.
     *
     * @param runner starts TLC
     */
    public TraceChecker(ModelRun runner) {
        this.runner = runner;
    }

    /** A module of one model with its trace, and how to find events again. */
    interface Writer {

        /** Returns the name of the module that judges. */
        String module();

        /** Returns the text of the module Trace. */
        String text(List<TraceSegment> segments);

        /** Returns which events of a segment are judged, by their index; what is not there only describes. */
        List<Integer> judged(TraceSegment segment);
    }

    /**
     * Judges traces.
     *
     * @param traces each with a name
     * @return a verdict for each, in the same order
     * @throws ModelException if TLC gives no answer
     * @throws IOException if files cannot be written or TLC cannot be started
     */
    public List<TraceVerdict> check(List<NamedTrace> traces) throws ModelException, IOException {
        Map<Integer, TraceVerdict> refused = new HashMap<>();
        for (Writer writer : List.<Writer>of(new MappingTraceModule(), new PowerCutTraceModule())) {
            Map<String, List<TraceSegment>> kinds = new LinkedHashMap<>();
            for (int i = 0; i < traces.size(); i++) {
                for (TraceSegment segment : TraceSegment.of(i, traces.get(i).events())) {
                    if (!writer.judged(segment).isEmpty()) {
                        kinds.computeIfAbsent(segment.kind(), kind -> new ArrayList<>())
                                .add(segment);
                    }
                }
            }
            for (List<TraceSegment> segments : kinds.values()) {
                judge(writer, segments, traces, refused);
            }
        }
        List<TraceVerdict> verdicts = new ArrayList<>();
        for (int i = 0; i < traces.size(); i++) {
            int events = traces.get(i).events().size();
            TraceVerdict accepted = new TraceVerdict(traces.get(i).name(), true, "", events, events);
            verdicts.add(refused.getOrDefault(i, accepted));
        }
        return verdicts;
    }

    private void judge(
            Writer writer, List<TraceSegment> segments, List<NamedTrace> traces, Map<Integer, TraceVerdict> refused)
            throws ModelException, IOException {
        List<String> lines = runner.printed(writer.module(), CONFIGURATION, Map.of("Trace.tla", writer.text(segments)));
        Map<Integer, Integer> answers = new HashMap<>();
        for (String line : lines) {
            Matcher verdict = VERDICT.matcher(line);
            if (verdict.find()) {
                int at = verdict.group(2).equals("accepted") ? 0 : Integer.parseInt(verdict.group(3));
                answers.put(Integer.parseInt(verdict.group(1)) - 1, at);
            }
        }
        for (int i = 0; i < segments.size(); i++) {
            Integer at = answers.get(i);
            if (at == null) {
                throw new ModelException(writer.module() + ".tla", 0, "TLC gave no verdict on trace " + (i + 1));
            }
            if (at > 0) {
                TraceSegment segment = segments.get(i);
                int index = segment.first() + writer.judged(segment).get(at - 1);
                NamedTrace trace = traces.get(segment.trace());
                TraceVerdict verdict = new TraceVerdict(
                        trace.name(),
                        false,
                        writer.module(),
                        index,
                        trace.events().size());
                refused.merge(segment.trace(), verdict, (a, b) -> a.refusedAt() <= b.refusedAt() ? a : b);
            }
        }
    }

    /**
     * Says in words what a verdict is about.
     *
     * @param trace the trace
     * @param verdict a refusal
     * @return one line
     */
    public static String describe(NamedTrace trace, TraceVerdict verdict) {
        return trace.name() + ": event " + (verdict.refusedAt() + 1) + " \""
                + TraceText.line(trace.events().get(verdict.refusedAt())) + "\" is no step of " + verdict.model();
    }
}
