package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Draws two images side by side, or rather one below the other: one always copies, one skips. */
final class TwinsDrawing implements Drawing {

    private final String module;
    private final Drawing copy;
    private final Drawing skip;

    TwinsDrawing(String module, Drawing copy, Drawing skip) {
        this.module = module;
        this.copy = copy;
        this.skip = skip;
    }

    @Override
    public String module() {
        return module;
    }

    @Override
    public String legend() {
        return copy.legend();
    }

    @Override
    public String operation(Step before, Step after) {
        return copy.operation(before, after);
    }

    @Override
    public List<String> draw(Map<String, TlaValue> state) {
        List<String> lines = new ArrayList<>();
        lines.add("always copies:");
        copy.draw(state).forEach(line -> lines.add("  " + line));
        lines.add("skips what it may:");
        skip.draw(state).forEach(line -> lines.add("  " + line));
        return lines;
    }
}
