package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Draws module Disk: the promise. */
final class DiskDrawing implements Drawing {

    @Override
    public String module() {
        return "Disk";
    }

    @Override
    public String legend() {
        return "[one sign for each block of a cluster]: 0 zero, B what the backing file holds";
    }

    @Override
    public String operation(Step before, Step after) {
        return Requests.tell(before, after);
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "disk        " + clusters(Values.variable(state, "disk")) + "  size " + Values.variable(state, "size"));
        Values.parts(Values.variable(state, "saved")).forEach((name, saved) -> {
            if (Values.truth(saved.field("taken"))) {
                lines.add("saved " + name + "    " + clusters(saved.field("disk")) + "  size " + saved.field("size"));
            }
        });
        return lines;
    }

    /** All clusters of a disk, with a sign for each block. */
    static String clusters(TlaValue disk) {
        return Values.members(disk).stream().map(DiskDrawing::blocks).collect(Collectors.joining(" "));
    }

    static String blocks(TlaValue cluster) {
        return Values.members(cluster).stream()
                .map(block -> sign(Values.text(block)))
                .collect(Collectors.joining(" ", "[", "]"));
    }

    /** A sign for a value of the promise. */
    static String sign(String value) {
        return switch (value) {
            case "zero" -> "0";
            case "backing" -> "B";
            case "stale" -> "?";
            default -> value;
        };
    }
}
