package dev.qcow2.conformance.report;

import java.util.ArrayList;
import java.util.List;

/** A table for people: columns as wide as their widest cell, numbers to the right. */
public final class TextTable {

    private static final String NUMBER = "-|[0-9][0-9,.]*";

    private final List<String> head;
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * Makes a table without rows.
     *
     * @param head the names of the columns
     */
    public TextTable(String... head) {
        this.head = List.of(head);
    }

    /**
     * Adds a row.
     *
     * @param cells as many as there are columns
     */
    public void row(String... cells) {
        if (cells.length != head.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + head.size() + " columns");
        }
        rows.add(List.of(cells));
    }

    /**
     * Returns the table for a terminal.
     *
     * @return lines, the last one with its end
     */
    public String toText() {
        StringBuilder text = new StringBuilder();
        line(text, head);
        rows.forEach(row -> line(text, row));
        return text.toString();
    }

    private void line(StringBuilder text, List<String> cells) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < cells.size(); i++) {
            String blanks = " ".repeat(width(i) - cells.get(i).length());
            line.append(isNumber(i) ? blanks + cells.get(i) : cells.get(i) + blanks)
                    .append("  ");
        }
        text.append(line.toString().stripTrailing()).append('\n');
    }

    private boolean isNumber(int column) {
        return !rows.isEmpty() && rows.stream().allMatch(row -> row.get(column).matches(NUMBER));
    }

    private int width(int column) {
        int widest = head.get(column).length();
        for (List<String> row : rows) {
            widest = Math.max(widest, row.get(column).length());
        }
        return widest;
    }

    /**
     * Returns the table as Markdown.
     *
     * @return lines, the last one with its end
     */
    public String toMarkdown() {
        StringBuilder text = new StringBuilder();
        markdown(text, head);
        text.append("|---".repeat(head.size())).append("|\n");
        rows.forEach(row -> markdown(text, row));
        return text.toString();
    }

    private static void markdown(StringBuilder text, List<String> cells) {
        text.append('|');
        cells.forEach(cell -> text.append(' ')
                .append(cell.replace("|", "\\|").replace("\n", " "))
                .append(" |"));
        text.append('\n');
    }
}
