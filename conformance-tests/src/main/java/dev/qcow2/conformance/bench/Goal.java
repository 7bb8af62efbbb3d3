package dev.qcow2.conformance.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * A figure that the optimized implementation has to reach.
 *
 * @param workload the row that is measured
 * @param measure what is measured
 * @param bound the figure
 */
record Goal(String workload, Measure measure, double bound) {

    /** What a goal is about. */
    enum Measure {
        /** At least so many times as fast as the always-copying one. */
        OVER_REFERENCE("times reference"),
        /** At least so many times as fast as QEMU. */
        OVER_QEMU("times qemu"),
        /** At least so many times as fast as a raw file. */
        OVER_RAW("times raw"),
        /** At most so many bytes written to the host per byte of the guest. */
        HOST_BYTES("host bytes per guest byte"),
        /** At most so much heap in use after a collection. */
        HEAP("MiB of heap");

        private final String unit;

        Measure(String unit) {
            this.unit = unit;
        }
    }

    /** The heap that random I/O over a disk of 1 TiB may take, and the JVM that measures it gets. */
    static final int HEAP_BOUND_MIB = 64;

    /** The table of goals. */
    static final List<Goal> ALL = List.of(
            new Goal("seed-4k-zero-plain-qd1", Measure.OVER_REFERENCE, 10),
            new Goal("seed-4k-zero-plain-qd1", Measure.OVER_QEMU, 5),
            new Goal("seed-4k-zero-plain-qd32", Measure.OVER_QEMU, 3),
            new Goal("seed-4k-zero-plain-qd1", Measure.OVER_RAW, 0.7),
            new Goal("seed-4k-zero-plain-qd32", Measure.OVER_RAW, 0.7),
            new Goal("seed-4k-zero-plain-qd1", Measure.HOST_BYTES, 1.1),
            new Goal("4k-random-rewrite-qd1", Measure.OVER_QEMU, 3),
            new Goal("4k-random-rewrite-qd32", Measure.OVER_QEMU, 3),
            new Goal("1m-sequential-write-qd1", Measure.OVER_QEMU, 1),
            new Goal("1m-sequential-read-qd1", Measure.OVER_QEMU, 1),
            new Goal("4k-over-data-backing-qd1", Measure.OVER_QEMU, 2),
            new Goal("4k-over-data-backing-qd32", Measure.OVER_QEMU, 2),
            new Goal("audit-1m-clusters", Measure.OVER_QEMU, 1),
            new Goal(Workloads.HEAP_ROW, Measure.HEAP, HEAP_BOUND_MIB));

    /** Returns a line for each goal whose figures were measured. */
    static List<String> judge(List<Row> rows) {
        List<String> lines = new ArrayList<>();
        for (Goal goal : ALL) {
            rows.stream()
                    .filter(row -> row.workload().name().equals(goal.workload)
                            && row.contender().equals("optimized"))
                    .findFirst()
                    .ifPresent(row -> goal.figure(row).ifPresent(figure -> lines.add(goal.line(figure))));
        }
        return lines;
    }

    private OptionalDouble figure(Row row) {
        return switch (measure) {
            case OVER_REFERENCE -> ratio(row, "reference");
            case OVER_QEMU -> ratio(row, "qemu");
            case OVER_RAW -> ratio(row, "raw");
            case HOST_BYTES -> row.hostBytesPerGuestByte();
            case HEAP -> row.heapMib();
        };
    }

    private static OptionalDouble ratio(Row row, String other) {
        Double ratio = row.ratioTo().get(other);
        return ratio == null ? OptionalDouble.empty() : OptionalDouble.of(ratio);
    }

    private String line(double figure) {
        boolean atMost = measure == Measure.HOST_BYTES || measure == Measure.HEAP;
        boolean reached = atMost ? figure <= bound : figure >= bound;
        return String.format(
                Locale.ROOT,
                "%-7s %-28s %8.2f %s (%s %.1f)",
                reached ? "reached" : "MISSED",
                workload,
                figure,
                measure.unit,
                atMost ? "at most" : "at least",
                bound);
    }
}
