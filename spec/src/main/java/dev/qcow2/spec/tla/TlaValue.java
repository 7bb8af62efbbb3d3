package dev.qcow2.spec.tla;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A value of TLA+ as TLC prints it. Two values are equal if they print the same, up to the order
 * of a set's members and of a function's arguments.
 */
public sealed interface TlaValue {

    /**
     * A number.
     *
     * @param value its value
     */
    record Numeral(long value) implements TlaValue {
        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    /**
     * A string.
     *
     * @param value without quotation marks
     */
    record Text(String value) implements TlaValue {
        @Override
        public String toString() {
            return "\"" + value + "\"";
        }
    }

    /**
     * TRUE or FALSE.
     *
     * @param value which
     */
    record Truth(boolean value) implements TlaValue {
        @Override
        public String toString() {
            return value ? "TRUE" : "FALSE";
        }
    }

    /**
     * A model value: a name that equals only itself.
     *
     * @param name the name
     */
    record Atom(String name) implements TlaValue {
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * A set.
     *
     * @param members without order
     */
    record Group(Set<TlaValue> members) implements TlaValue {
        @Override
        public String toString() {
            return members.stream().map(TlaValue::toString).sorted().collect(Collectors.joining(", ", "{", "}"));
        }
    }

    /**
     * A sequence.
     *
     * @param members in order
     */
    record Sequence(List<TlaValue> members) implements TlaValue {
        @Override
        public String toString() {
            return members.stream().map(TlaValue::toString).collect(Collectors.joining(", ", "<<", ">>"));
        }
    }

    /**
     * A record.
     *
     * @param fields values by name
     */
    record Fields(Map<String, TlaValue> fields) implements TlaValue {
        @Override
        public String toString() {
            return fields.entrySet().stream()
                    .map(entry -> entry.getKey() + " |-> " + entry.getValue())
                    .collect(Collectors.joining(", ", "[", "]"));
        }
    }

    /**
     * A function that is neither a sequence nor a record.
     *
     * @param values values by argument
     */
    record Function(Map<TlaValue, TlaValue> values) implements TlaValue {
        @Override
        public String toString() {
            return values.entrySet().stream()
                    .map(entry -> entry.getKey() + " :> " + entry.getValue())
                    .collect(Collectors.joining(" @@ ", "(", ")"));
        }
    }

    /**
     * Returns a part of this value.
     *
     * @param name a field's name
     * @return the value of that field
     * @throws IllegalArgumentException if this is no record with such a field
     */
    default TlaValue field(String name) {
        if (this instanceof Fields record && record.fields().containsKey(name)) {
            return record.fields().get(name);
        }
        throw new IllegalArgumentException("no field " + name + " in " + this);
    }

    /**
     * Returns a part of this value.
     *
     * @param index position in a sequence, counted from 1 as in TLA+
     * @return the member there
     * @throws IllegalArgumentException if this is no sequence of that length
     */
    default TlaValue at(int index) {
        if (this instanceof Sequence sequence
                && index >= 1
                && index <= sequence.members().size()) {
            return sequence.members().get(index - 1);
        }
        throw new IllegalArgumentException("no member " + index + " in " + this);
    }
}
