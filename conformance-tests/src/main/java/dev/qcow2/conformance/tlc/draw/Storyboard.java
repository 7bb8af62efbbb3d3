package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample;
import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.ModelTable;
import dev.qcow2.spec.tla.TlaValue;
import java.util.List;
import java.util.Map;

/** Turns a counterexample into the sequence of operations, with the image drawn in text after each. */
public final class Storyboard {

    private final Counterexample counterexample;
    private final Drawing drawing;

    private Storyboard(Counterexample counterexample, Drawing drawing) {
        this.counterexample = counterexample;
        this.drawing = drawing;
    }

    /**
     * Makes a storyboard. The variables of the states say of which module they are.
     *
     * @param counterexample what TLC found
     * @return how it can be drawn
     * @throws IllegalArgumentException if the states are of no module that can be drawn
     */
    public static Storyboard of(Counterexample counterexample) {
        Map<String, TlaValue> first = counterexample.steps().get(0).state();
        return new Storyboard(counterexample, drawing(first));
    }

    private static Drawing drawing(Map<String, TlaValue> first) {
        if (first.containsKey("copySlot")) {
            return new TwinsDrawing("CutTwins", new PowerCutDrawing("copy"), new PowerCutDrawing("skip"));
        }
        if (first.containsKey("copyImages")) {
            return new TwinsDrawing("Twins", new MappingDrawing(first, "copy"), new MappingDrawing(first, "skip"));
        }
        if (first.containsKey("request")) {
            return new PowerCutDrawing("");
        }
        if (first.containsKey("l1Copies")) {
            return new TablesDrawing();
        }
        if (first.containsKey("images")) {
            return new MappingDrawing(first, "");
        }
        if (first.containsKey("saved")) {
            return new DiskDrawing();
        }
        if (first.containsKey("tracked")) {
            return new BitmapsDrawing();
        }
        if (first.containsKey("payload")) {
            return new ChainDrawing();
        }
        if (first.containsKey("pages")) {
            return new GrowthDrawing();
        }
        throw new IllegalArgumentException("no module of this project has the variables " + first.keySet());
    }

    /**
     * Returns the module of the states.
     *
     * @return its name
     */
    public String module() {
        return drawing.module();
    }

    /**
     * Draws all steps.
     *
     * @param table says what the broken property means
     * @return lines
     */
    public String draw(ModelTable table) {
        StringBuilder text = new StringBuilder();
        List<Step> steps = counterexample.steps();
        text.append(drawing.legend()).append('\n');
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            String told = i == 0 ? "at first" : drawing.operation(steps.get(i - 1), step);
            text.append('\n').append(step.number()).append(". ").append(told).append('\n');
            drawing.draw(step.state())
                    .forEach(line -> text.append("     ").append(line).append('\n'));
        }
        String property = counterexample.property();
        return text.append("\nHere ")
                .append(property)
                .append(" is broken. It demands: ")
                .append(table.meaning(drawing.module(), property))
                .append(".\n")
                .toString();
    }
}
