package dev.qcow2.conformance.tool;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Options of the form {@code key=value,key=value}; a comma inside a value is doubled. */
public final class KeyValues {

    private KeyValues() {}

    /**
     * Reads such options.
     *
     * @param text may be empty
     * @param firstKey the key of a first part that has no equals sign; empty if it is a switch like all others
     * @return values by key, in the order of the text; a part without an equals sign is a switch with the value {@code on}
     */
    public static Map<String, String> parse(String text, String firstKey) {
        Map<String, String> values = new LinkedHashMap<>();
        boolean first = true;
        for (String part : split(text)) {
            int equals = part.indexOf('=');
            if (equals >= 0) {
                values.put(part.substring(0, equals), part.substring(equals + 1));
            } else if (first && !firstKey.isEmpty()) {
                values.put(firstKey, part);
            } else if (!part.isEmpty()) {
                values.put(part, "on");
            }
            first = false;
        }
        return values;
    }

    /** Splits at single commas; doubled ones become one that stays. */
    static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char at = text.charAt(i);
            if (at != ',') {
                part.append(at);
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(',');
                i++;
            } else {
                parts.add(part.toString());
                part.setLength(0);
            }
        }
        parts.add(part.toString());
        return parts;
    }
}
