package dev.qcow2.conformance.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The rows as people and programs read them. */
final class BenchReport {

    private static final String LINE = "  %-26s %12s %25s %10s %8s %8s %8s %8s %8s %9s %9s%n";

    private BenchReport() {}

    /** Returns the rows of one workload as a table. */
    static String table(List<Row> rows) {
        StringBuilder text = new StringBuilder();
        text.append(rows.get(0).workload().name()).append(System.lineSeparator());
        text.append(String.format(
                LINE,
                "",
                "requests/s",
                "(slowest .. quickest)",
                "MiB/s",
                "x ref",
                "x qemu",
                "x raw",
                "B/B",
                "calls",
                "host MiB",
                "heap MiB"));
        for (Row row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    LINE,
                    row.contender(),
                    number(row.iops()),
                    "(" + number(row.slowest()) + " .. " + number(row.quickest()) + ")",
                    number(row.mibPerS()),
                    ratio(row, "reference"),
                    ratio(row, "qemu"),
                    ratio(row, "raw"),
                    number(row.hostBytesPerGuestByte()),
                    number(row.hostCallsPerRequest()),
                    number(row.hostMib()),
                    number(row.heapMib())));
        }
        return text.toString();
    }

    /** Writes the rows as {@code {"rows":[…]}}. */
    static void writeJson(List<Row> rows, Path file) throws IOException {
        ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        ObjectNode top = mapper.createObjectNode();
        ArrayNode list = top.putArray("rows");
        for (Row row : rows) {
            ObjectNode node = list.addObject();
            node.put("workload", row.workload().name());
            node.put("contender", row.contender());
            node.put("iops", row.iops());
            node.put("iopsSlowest", row.slowest());
            node.put("iopsQuickest", row.quickest());
            node.put("mibPerS", row.mibPerS());
            ObjectNode ratios = node.putObject("ratioTo");
            row.ratioTo().forEach(ratios::put);
            row.hostBytesPerGuestByte().ifPresent(value -> node.put("hostBytesPerGuestByte", value));
            row.hostCallsPerRequest().ifPresent(value -> node.put("hostCallsPerRequest", value));
            node.put("hostBytesAllocated", row.hostBytesAllocated());
            row.heapMib().ifPresent(value -> node.put("heapMib", value));
        }
        Files.writeString(file, mapper.writeValueAsString(top) + System.lineSeparator());
    }

    private static String ratio(Row row, String other) {
        Double ratio = row.ratioTo().get(other);
        return ratio == null ? "-" : number(ratio);
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? number(value.getAsDouble()) : "-";
    }

    private static String number(double value) {
        String format = value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }
}
