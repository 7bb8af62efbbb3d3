package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Draws module Chain: the overlay's entries and clusters, the backing files, and what the guest may find. */
final class ChainDrawing implements Drawing {

    private static final long STALE = 99;
    private static final long HELD = 10;

    @Override
    public String module() {
        return "Chain";
    }

    @Override
    public String legend() {
        return "x or y: the file holds x, and after a power cut perhaps y; 0 zero, #1 what request 1 wrote, "
                + "B1.2 what backing file 1 held at first in cluster 2, ? stale bytes";
    }

    @Override
    public String operation(Step before, Step after) {
        TlaValue old = Values.variable(before.state(), "task");
        TlaValue now = Values.variable(after.state(), "task");
        String step = Values.text(old.field("step"));
        if (!step.equals("idle")) {
            return step + " – " + meaning(step, old);
        }
        return after.action().equals("GuestFlush")
                ? "the guest flushes, and is told that it is done"
                : "begins: " + request(now);
    }

    private static String request(TlaValue task) {
        String cluster = "cluster " + task.field("cluster");
        String base = Values.text(task.field("base"));
        String file = base.equals("0") ? "no backing file" : "backing file " + base;
        String kind = Values.text(task.field("kind"));
        return switch (kind) {
            case "write" -> "write #" + task.field("number") + " into " + cluster;
            case "zero" -> "zero " + cluster;
            case "commit" -> "commit to " + file;
            case "rebase" -> "rebase onto " + file + ", safely";
            case "rename" -> "name " + file + ", whatever it holds";
            default -> kind;
        };
    }

    private static String meaning(String step, TlaValue task) {
        String cluster = "cluster " + task.field("cluster");
        return switch (step) {
            case "payload" -> "the bytes of " + cluster + " are written";
            case "flush", "rebase-flush" -> "the overlay is flushed, its data first";
            case "link" -> "the entry of " + cluster + " names them; the write is done";
            case "in-place" -> "the bytes of " + cluster + " are written where they lie; the write is done";
            case "clear" -> "the raw data file gets zeros at " + cluster;
            case "unlink" -> "the entry of " + cluster + " says zero; the request is done";
            case "settle", "commit-settle", "rebase-settle", "rename-flush" -> "the overlay is flushed";
            case "release" -> "the host cluster is given back, and somebody writes there";
            case "commit-grow" -> "the backing file gets as long as the overlay";
            case "commit-copy" -> "what the overlay holds is written to the backing file";
            case "commit-flush" -> "the backing file is flushed";
            case "commit-empty" -> "the overlay's entries go";
            case "commit-release" -> "the overlay's host clusters are given back, and somebody writes there";
            case "rebase-copy" -> "what would read otherwise is copied up";
            case "rebase-link" -> "the entries name the copies";
            case "rename" -> "the header names the other file";
            default -> step;
        };
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        lines.add("header      names " + Values.field(Values.variable(state, "backing"), ChainDrawing::file));
        lines.add("entries     " + clusters(Values.variable(state, "entry"), false));
        lines.add("its bytes   " + clusters(Values.variable(state, "payload"), true));
        TlaValue length = Values.variable(state, "length");
        TlaValue base = Values.variable(state, "base");
        for (int b = 1; b <= Values.members(base).size(); b++) {
            lines.add("backing " + b + "   " + clusters(base.at(b), true) + "  length "
                    + Values.field(length.at(b), Values::text));
        }
        TlaValue seen = Values.variable(state, "seen");
        TlaValue allowed = Values.variable(state, "allowed");
        List<String> texts = new ArrayList<>();
        for (int c = 1; c <= Values.members(seen).size(); c++) {
            texts.add(c + ": " + sign(seen.at(c)) + ", after a cut "
                    + Values.group(allowed.at(c)).stream()
                            .map(ChainDrawing::sign)
                            .collect(Collectors.joining(" or ")));
        }
        lines.add("guest shall find " + String.join("   ", texts));
        return lines;
    }

    private static String clusters(TlaValue fields, boolean values) {
        List<String> texts = new ArrayList<>();
        for (int c = 1; c <= Values.members(fields).size(); c++) {
            texts.add(c + ": " + Values.field(fields.at(c), values ? ChainDrawing::sign : Values::text));
        }
        return String.join("   ", texts);
    }

    private static String file(TlaValue base) {
        return Values.number(base) == 0 ? "no file" : "backing file " + base;
    }

    private static String sign(TlaValue value) {
        long number = Values.number(value);
        if (number == 0) {
            return "0";
        }
        return number == STALE ? "?" : number > HELD ? "B" + number / HELD + "." + number % HELD : "#" + number;
    }
}
