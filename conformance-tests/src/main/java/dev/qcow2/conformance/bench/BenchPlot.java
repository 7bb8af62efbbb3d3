package dev.qcow2.conformance.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The rows as a picture: a group of bars for each workload, a bar for each contender. A bar's length
 * is the rate on a logarithmic scale, from the slowest of its group to the quickest, because groups
 * differ by orders of magnitude; each bar carries its figure and its ratio to QEMU.
 */
final class BenchPlot {

    private static final int LABEL_WIDTH = 210;
    private static final int BAR_WIDTH = 520;
    private static final int BAR_HEIGHT = 15;
    private static final int GROUP_GAP = 34;
    private static final Map<String, String> COLOURS =
            Map.of("reference", "#8c8c8c", "optimized", "#1b7837", "qemu", "#d95f02", "raw", "#4575b4");

    private BenchPlot() {}

    /** Writes the picture as SVG. */
    static void write(List<Row> rows, Path file) throws IOException {
        Map<String, List<Row>> groups = rows.stream()
                .collect(Collectors.groupingBy(row -> row.workload().name(), LinkedHashMap::new, Collectors.toList()));
        StringBuilder body = new StringBuilder();
        int y = 60;
        for (Map.Entry<String, List<Row>> group : groups.entrySet()) {
            y = group(body, group.getKey(), group.getValue(), y);
        }
        int width = LABEL_WIDTH + BAR_WIDTH + 260;
        String head = String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n"
                        + "<text x=\"10\" y=\"24\" font-size=\"17\">Requests per second, median of the rounds</text>%n"
                        + "<text x=\"10\" y=\"42\" fill=\"#555\">Logarithmic within each group; the thin line spans"
                        + " the slowest and the quickest round.</text>%n",
                width,
                y);
        Files.writeString(file, head + body + "</svg>" + System.lineSeparator());
    }

    private static int group(StringBuilder body, String name, List<Row> rows, int top) {
        double low = rows.stream().mapToDouble(Row::slowest).min().orElseThrow() / 2;
        double high = rows.stream().mapToDouble(Row::quickest).max().orElseThrow();
        int y = top + 16;
        body.append(
                String.format(Locale.ROOT, "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s</text>%n", top + 8, name));
        for (Row row : rows) {
            bar(body, row, y, low, high);
            y += BAR_HEIGHT + 3;
        }
        return y + GROUP_GAP - 16;
    }

    private static void bar(StringBuilder body, Row row, int y, double low, double high) {
        double end = at(row.iops(), low, high);
        body.append(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n",
                LABEL_WIDTH - 8,
                y + 12,
                row.contender()));
        body.append(String.format(
                Locale.ROOT,
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
                LABEL_WIDTH,
                y,
                end,
                BAR_HEIGHT,
                COLOURS.getOrDefault(row.contender(), "#a6dba0")));
        body.append(String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"black\"/>%n",
                LABEL_WIDTH + at(row.slowest(), low, high),
                LABEL_WIDTH + at(row.quickest(), low, high),
                y + BAR_HEIGHT / 2,
                y + BAR_HEIGHT / 2));
        Double ratio = row.ratioTo().get("qemu");
        body.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%d\">%,.0f/s%s</text>%n",
                LABEL_WIDTH + at(row.quickest(), low, high) + 6,
                y + 12,
                row.iops(),
                ratio == null ? "" : String.format(Locale.ROOT, "  (%.1f x qemu)", ratio)));
    }

    private static double at(double value, double low, double high) {
        return BAR_WIDTH * Math.log(value / low) / Math.log(high / low);
    }
}
