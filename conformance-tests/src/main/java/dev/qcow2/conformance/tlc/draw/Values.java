package dev.qcow2.conformance.tlc.draw;

import dev.qcow2.spec.tla.TlaValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/** Short forms for looking into TLA+ values. */
final class Values {

    /** The absence of a host cluster. */
    static final String NO_HOST = "NoHost";

    private Values() {}

    /** The newest value of a field of a file, and the others that it may have after a cut. */
    static String field(TlaValue field, Function<TlaValue, String> writer) {
        String now = writer.apply(field.field("now"));
        Set<String> others = new TreeSet<>();
        group(field.field("may")).forEach(value -> others.add(writer.apply(value)));
        others.remove(now);
        return others.isEmpty() ? now : now + " or " + String.join(" or ", others);
    }

    /** A variable of a state. */
    static TlaValue variable(Map<String, TlaValue> state, String name) {
        TlaValue value = state.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the state has no variable " + name);
        }
        return value;
    }

    /** The parts of a function, a record or a sequence, in the order of their names. */
    static Map<String, TlaValue> parts(TlaValue value) {
        Map<String, TlaValue> parts = new TreeMap<>();
        if (value instanceof TlaValue.Fields record) {
            parts.putAll(record.fields());
        } else if (value instanceof TlaValue.Function function) {
            function.values().forEach((argument, part) -> parts.put(text(argument), part));
        } else if (value instanceof TlaValue.Sequence sequence) {
            for (int i = 0; i < sequence.members().size(); i++) {
                parts.put(Integer.toString(i + 1), sequence.members().get(i));
            }
        }
        return parts;
    }

    /** The members of a sequence. */
    static List<TlaValue> members(TlaValue value) {
        return value instanceof TlaValue.Sequence sequence ? sequence.members() : List.of();
    }

    /** The members of a set, in the order of their texts. */
    static List<TlaValue> group(TlaValue value) {
        List<TlaValue> members =
                new ArrayList<>(value instanceof TlaValue.Group group ? group.members() : List.of(value));
        members.sort((one, other) -> text(one).compareTo(text(other)));
        return members;
    }

    /** A value without quotation marks. */
    static String text(TlaValue value) {
        return value instanceof TlaValue.Text string ? string.value() : value.toString();
    }

    static long number(TlaValue value) {
        if (value instanceof TlaValue.Numeral numeral) {
            return numeral.value();
        }
        throw new IllegalArgumentException("expected a number, found " + value);
    }

    static boolean truth(TlaValue value) {
        return value instanceof TlaValue.Truth truth && truth.value();
    }
}
