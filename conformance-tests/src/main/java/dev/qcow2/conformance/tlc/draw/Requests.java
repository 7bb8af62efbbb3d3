package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;

/** Tells what a named action asks for: {@code Write_1_1_2_a} is a write of a into blocks 1 to 2 of cluster 1. */
final class Requests {

    private Requests() {}

    /**
     * Returns what happened between two states of a module that carries the promise. An action without
     * parameters, as TLC names it by itself, is told by what it did to the promise.
     */
    static String tell(Step before, Step after) {
        String told = tell(after.action());
        if (!told.equals(after.action())) {
            return told;
        }
        List<String> changes = new ArrayList<>();
        for (String variable : List.of("size", "disk", "saved")) {
            TlaValue was = Values.variable(before.state(), variable);
            TlaValue is = Values.variable(after.state(), variable);
            if (!was.equals(is)) {
                boolean disk = variable.equals("disk");
                changes.add(variable + " becomes " + (disk ? DiskDrawing.clusters(is) : is));
            }
        }
        return told + ": " + (changes.isEmpty() ? "the promise stays as it was" : String.join(", ", changes));
    }

    /** Returns the request in words; an action without parameters stays what it is. */
    private static String tell(String action) {
        List<String> words = List.of(action.split("_", -1));
        String request = words.get(0);
        int parameters = words.size() - 1;
        if (request.equals("Write") && parameters == 4) {
            return "write " + DiskDrawing.sign(words.get(4)) + " into " + blocks(words.get(2), words.get(3))
                    + " of cluster " + words.get(1);
        }
        if (request.equals("Write") && parameters == 3) {
            return "write " + DiskDrawing.sign(words.get(3)) + " into guest cluster " + words.get(2) + " of range "
                    + words.get(1);
        }
        if (parameters == 2) {
            return two(request, words.get(1), words.get(2), action);
        }
        return parameters == 1 ? one(request, words.get(1), action) : action;
    }

    private static String blocks(String first, String last) {
        return first.equals(last) ? "block " + first : "blocks " + first + " to " + last;
    }

    private static String two(String request, String first, String second, String action) {
        return switch (request) {
            case "Zero" -> "zero cluster " + first + (second.equals("TRUE") ? ", keeping its host cluster" : "");
            case "ZeroSubcluster" -> "zero subcluster " + second + " of cluster " + first;
            case "WriteCompressed" -> "write cluster " + first + " compressed, all " + DiskDrawing.sign(second);
            case "Drop" -> "drop guest cluster " + second + " of range " + first;
            default -> action;
        };
    }

    private static String one(String request, String parameter, String action) {
        return switch (request) {
            case "Discard" -> "discard cluster " + parameter;
            case "Save" -> "take snapshot " + parameter;
            case "Restore" -> "restore snapshot " + parameter;
            case "Forget" -> "delete snapshot " + parameter;
            case "Resize" -> "resize to " + parameter + " clusters";
            default -> action;
        };
    }
}
