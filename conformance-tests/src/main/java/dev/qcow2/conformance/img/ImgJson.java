package dev.qcow2.conformance.img;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Writes trees of maps, lists, texts, numbers and truth values as QEMU's tools do: as JSON, and as indented lines for people. */
final class ImgJson {

    private static final String STEP = "    ";

    private ImgJson() {}

    /** Writes JSON with one member a line. */
    static String text(Object tree) {
        StringBuilder text = new StringBuilder();
        write(text, tree, "");
        return text.toString();
    }

    private static void write(StringBuilder text, Object value, String indent) {
        if (value instanceof Map<?, ?> map) {
            writeAll(text, map.entrySet(), indent, '{', '}');
        } else if (value instanceof Collection<?> list) {
            writeAll(text, list, indent, '[', ']');
        } else if (value instanceof String string) {
            text.append('"');
            for (char at : JsonStringEncoder.getInstance().quoteAsString(string)) {
                text.append(at < 0x7f ? String.valueOf(at) : String.format("\\u%04X", (int) at));
            }
            text.append('"');
        } else {
            text.append(value);
        }
    }

    private static void writeAll(StringBuilder text, Collection<?> items, String indent, char open, char close) {
        text.append(open);
        if (open == '{' && items.isEmpty()) {
            text.append(close);
            return;
        }
        for (Iterator<?> each = items.iterator(); each.hasNext(); ) {
            Object item = each.next();
            text.append('\n').append(indent).append(STEP);
            if (item instanceof Map.Entry<?, ?> member) {
                write(text, String.valueOf(member.getKey()), "");
                text.append(": ");
                write(text, member.getValue(), indent + STEP);
            } else {
                write(text, item, indent + STEP);
            }
            text.append(each.hasNext() ? "," : "");
        }
        text.append('\n').append(indent).append(close);
    }

    /** Writes one line for each member, deeper ones further to the right; names are words, not keys. */
    static String lines(Object tree, int depth) {
        StringBuilder text = new StringBuilder();
        if (tree instanceof Map<?, ?> map) {
            map.forEach((key, value) -> line(text, String.valueOf(key).replace('-', ' '), value, depth));
        } else if (tree instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                line(text, "[" + i + "]", list.get(i), depth);
            }
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String name, Object value, int depth) {
        boolean composite = value instanceof Map || value instanceof List;
        text.append(STEP.repeat(depth)).append(name).append(':');
        text.append(composite ? "\n" + lines(value, depth + 1) : " " + value + "\n");
    }
}
