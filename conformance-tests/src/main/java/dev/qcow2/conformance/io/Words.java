package dev.qcow2.conformance.io;

import java.util.List;
import java.util.Map;

/**
 * A command as the user wrote it.
 *
 * @param verb what it is
 * @param typed its name as the user typed it, which may be the short one
 * @param arguments the words behind it
 */
record Words(Verb verb, String typed, List<String> arguments) {

    /** Starts to read options out of the arguments. */
    OptionScanner options(String letters, IoOutput output) {
        return new OptionScanner(typed, letters, Map.of(), arguments, output);
    }
}
