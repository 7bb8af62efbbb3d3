package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.Counterexample.Step;
import dev.qcow2.spec.tla.TlaValue;
import java.util.List;
import java.util.Map;

/** How the states of one TLA+ module are drawn, and its steps told. */
interface Drawing {

    /** Name of the module. */
    String module();

    /** What the signs in the drawing mean, in a line. */
    String legend();

    /** What happened between two states, as somebody would say it who asked for it. */
    String operation(Step before, Step after);

    /** The image in a state, as lines. */
    List<String> draw(Map<String, TlaValue> state);
}
