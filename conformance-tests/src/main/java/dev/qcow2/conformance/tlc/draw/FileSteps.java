package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.Map;
import java.util.stream.Collectors;

/** Tells the steps of module PowerCut: which request did what to the file. */
final class FileSteps {

    private FileSteps() {}

    /** What the request in a slot is. */
    static String request(TlaValue request) {
        String kind = Values.text(request.field("kind"));
        long block = Values.number(request.field("block"));
        String cluster = "cluster " + request.field("cluster");
        String old =
                Values.group(request.field("old")).stream().map(Values::text).collect(Collectors.joining(" and "));
        String host = Values.text(request.field("host"));
        String text =
                switch (kind) {
                    case "write" ->
                        "write #" + request.field("number") + " into "
                                + (block == 0 ? "all of " : "block " + block + " of ") + cluster;
                    case "zero" -> "zero " + cluster;
                    case "keep" -> "zero " + cluster + ", keeping its host cluster";
                    case "save" -> "take the snapshot";
                    case "restore" -> "restore the snapshot";
                    case "forget" -> "delete the snapshot";
                    case "clean" -> "clean the image";
                    default -> kind;
                };
        return text
                + (host.equals(Values.NO_HOST) ? "" : ", to " + host)
                + (old.isEmpty() ? "" : ", letting go of " + old);
    }

    /** What happened between two states. */
    static String tell(Step before, Step after) {
        Map<String, TlaValue> old = Values.parts(Values.variable(before.state(), "request"));
        Map<String, TlaValue> now = Values.parts(Values.variable(after.state(), "request"));
        for (Map.Entry<String, TlaValue> slot : now.entrySet()) {
            TlaValue was = old.get(slot.getKey());
            if (was != null && !was.equals(slot.getValue())) {
                String step = Values.text(was.field("step"));
                return step.equals("idle")
                        ? slot.getKey() + " begins: " + request(slot.getValue())
                        : slot.getKey() + ": " + step(step, was);
            }
        }
        return after.action().equals("GuestFlush") ? "the guest flushes, and is told that it is done" : after.action();
    }

    private static String step(String step, TlaValue request) {
        String host = Values.text(request.field("host"));
        String cluster = request.field("cluster").toString();
        String meaning =
                switch (step) {
                    case "raise" -> "the count of " + host + " goes up (with lazy counts: the dirty bit is set)";
                    case "zero-raise" -> "the dirty bit is set";
                    case "prepare" -> host + " is made to read as zero, if nothing is copied";
                    case "payload" -> "the bytes go to " + host + ", with what is copied around them";
                    case "flush" -> "the host flushes";
                    case "link" -> "the entry of cluster " + cluster + " names " + host + "; the write is done";
                    case "in-place" -> "the bytes go to " + host + ", where they lie; the write is done";
                    case "unlink" -> "the entry of cluster " + cluster + " says zero; the request is done";
                    case "settle" -> "the host flushes, so that the old entry is gone";
                    case "lower" -> "the count of the old cluster goes down";
                    case "punch" -> "a hole is punched where the old cluster was";
                    case "free" -> "the old cluster may be handed out";
                    default -> step(step);
                };
        return step + " – " + meaning;
    }

    private static String step(String step) {
        return switch (step) {
            case "save-raise" -> "the counts of all clusters in use go up, COPIED goes off";
            case "save-flush", "restore-flush", "clean-flush" -> "the host flushes";
            case "save-header" -> "the header names the snapshot";
            case "forget-header" -> "the header lets go of the snapshot";
            case "forget-settle", "restore-settle" -> "the host flushes, so that the old references are gone";
            case "forget-lower" -> "counts go down, COPIED comes back, freed clusters are punched";
            case "restore-raise" -> "the counts of the snapshot's clusters go up";
            case "restore-link" -> "the active entries become the snapshot's";
            case "restore-lower" -> "the counts of the replaced clusters go down, freed ones are punched";
            case "clean-counts" -> "the right counts are written";
            case "clean-clear" -> "the dirty bit goes off";
            default -> step;
        };
    }
}
