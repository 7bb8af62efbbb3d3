package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Draws module Bitmaps: header, directories and bits, each with what a cut may leave of it, and our program's memory. */
final class BitmapsDrawing implements Drawing {

    private static final String NOWHERE = "Nowhere";

    @Override
    public String module() {
        return "Bitmaps";
    }

    @Override
    public String legend() {
        return "x or y: the file holds x, and after a power cut perhaps y; [one sign for each cluster of the disk]: "
                + "1 dirty, 0 clean, - beyond the disk's end, ? bytes of somebody else";
    }

    @Override
    public String operation(Step before, Step after) {
        TlaValue old = Values.variable(before.state(), "work");
        TlaValue now = Values.variable(after.state(), "work");
        String step = Values.text(old.field("step"));
        if (!step.equals("idle") && !after.action().equals("Die")) {
            return step + " – " + meaning(step, old);
        }
        if (!Values.text(now.field("step")).equals("idle")) {
            return "begins: " + request(now);
        }
        return switch (after.action()) {
            case "Open" -> "our program opens the image";
            case "Close" -> "our program closes the image; nothing is to be stored";
            case "Die" -> "our program dies";
            case "GuestFlush" -> "the host flushes";
            case "Repair" -> "a repair gives back what nothing names";
            case "ForeignOpens" ->
                "a program that knows no bitmaps opens the image, and clears the bit that it does not know";
            case "ForeignFlushes" -> "the host flushes";
            case "ForeignWrites" -> "that program changes a cluster";
            case "ForeignCloses" -> "that program closes the image";
            default -> after.action();
        };
    }

    private static String meaning(String step, TlaValue work) {
        return switch (step) {
            case "mark" -> "the directory says that bitmaps are in use";
            case "mark-flush", "off-flush", "extension-flush" -> "the host flushes";
            case "apply" -> "done in memory, and the guest's bytes are on their way: " + request(work);
            case "bits" -> "the bits and tables are written";
            case "directory" -> "a directory is written, unless there are no bitmaps";
            case "flush" -> "the host flushes, so that all that is new is there";
            case "header" -> "the header names the new directory; who is late clears the autoclear bit first";
            case "extension" -> "the extension names the new directory";
            case "on" -> "the autoclear bit goes on";
            case "settle" -> "the host flushes, so that the old directory is named no more";
            case "free" -> "the old places are given back, and somebody writes there";
            default -> step;
        };
    }

    private static String request(TlaValue work) {
        String name = Values.text(work.field("name"));
        boolean enabled = Values.truth(work.field("flag"));
        String set = Values.group(work.field("set")).stream().map(Values::text).collect(Collectors.joining(" and "));
        String kind = Values.text(work.field("kind"));
        return switch (kind) {
            case "change" -> "the guest changes cluster " + set;
            case "restore" -> "a snapshot is loaded";
            case "resize" -> "the disk gets the clusters " + set;
            case "add" -> "add the bitmap " + name + (enabled ? ", enabled" : ", not enabled");
            case "enable" -> (enabled ? "enable " : "disable ") + name;
            case "merge" -> "merge " + Values.text(work.field("other")) + " into " + name;
            default -> name.equals(NOWHERE) ? kind : kind + " " + name;
        };
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        lines.add("header       " + Values.field(Values.variable(state, "header"), BitmapsDrawing::header));
        Values.parts(Values.variable(state, "dirs")).forEach((dir, entries) -> {
            String text = Values.parts(entries).entrySet().stream()
                    .map(named -> named.getKey() + ": " + Values.field(named.getValue(), BitmapsDrawing::entry))
                    .collect(Collectors.joining("   "));
            lines.add("directory " + dir + " " + text);
        });
        Map<String, TlaValue> need = Values.parts(Values.variable(state, "need"));
        Values.parts(Values.variable(state, "bits")).forEach((place, bits) -> {
            String text = Values.members(bits).stream()
                    .map(bit -> Values.field(bit, BitmapsDrawing::sign))
                    .collect(Collectors.joining(" | ", "[", "]"));
            List<TlaValue> must = need.containsKey(place) ? Values.group(need.get(place)) : List.of();
            String clusters = must.stream().map(Values::text).collect(Collectors.joining(" and "));
            lines.add("bits at " + place + "   " + text + (clusters.isEmpty() ? "" : "  must name " + clusters));
        });
        if (Values.text(Values.variable(state, "mode")).equals("ours")) {
            lines.add("in memory    " + memory(state));
        }
        return lines;
    }

    private static String memory(Map<String, TlaValue> state) {
        Map<String, TlaValue> truth = Values.parts(Values.variable(state, "truth"));
        List<String> texts = new ArrayList<>();
        Values.parts(Values.variable(state, "live")).forEach((name, live) -> {
            if (Values.truth(live.field("there"))) {
                TlaValue right = truth.get(name);
                boolean broken = Values.truth(live.field("broken"));
                boolean exact = right != null && right.equals(live.field("bits"));
                texts.add(name + ": "
                        + (broken ? "was left in use" : "dirty " + live.field("bits"))
                        + (Values.truth(live.field("enabled")) ? ", enabled" : ", not enabled")
                        + (broken || exact ? "" : " BUT IT OUGHT TO BE " + right));
            }
        });
        return texts.isEmpty() ? "no bitmaps" : String.join("   ", texts);
    }

    private static String header(TlaValue header) {
        String dir = Values.text(header.field("dir"));
        boolean trusted = Values.truth(header.field("auto"));
        return "{size " + header.field("size") + ", "
                + (dir.equals("NoDir") ? "no directory" : "directory " + dir + (trusted ? "" : ", autoclear bit off"))
                + "}";
    }

    private static String entry(TlaValue entry) {
        if (!Values.truth(entry.field("there"))) {
            return "none";
        }
        String place = Values.text(entry.field("place"));
        if (place.equals(NOWHERE)) {
            return "?";
        }
        return "→ " + place + (Values.truth(entry.field("enabled")) ? " enabled" : "")
                + (Values.truth(entry.field("inUse")) ? " IN USE" : "");
    }

    private static String sign(TlaValue bit) {
        return switch (Values.text(bit)) {
            case "set" -> "1";
            case "clear" -> "0";
            case "none" -> "-";
            default -> "?";
        };
    }
}
