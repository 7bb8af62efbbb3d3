package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.util.ArrayList;
import java.util.List;

/** What one context says of a range, as few extents as can be. */
final class StatusReport {

    private final Context context;
    private final int most;
    private final List<Answer.Extent> extents = new ArrayList<>();

    private StatusReport(Context context, int most) {
        this.context = context;
        this.most = most;
    }

    /**
     * Asks the disk. The answer may end before the range does; the client asks again.
     *
     * @param disk is asked in steps, so that a long range of small clusters doesn't make a long list
     * @param contexts what is wanted
     * @param offset first byte
     * @param length bytes, more than 0
     * @param most extents of each context
     * @return one report for each context, with at least one extent each
     * @throws DiskException if the disk refuses
     */
    static List<StatusReport> of(VirtualDisk disk, Iterable<Context> contexts, long offset, long length, int most)
            throws DiskException {
        List<StatusReport> reports = new ArrayList<>();
        contexts.forEach(context -> reports.add(new StatusReport(context, most)));
        long end = offset + length;
        for (long at = offset; at < end && !reports.stream().allMatch(StatusReport::full); ) {
            long step = Math.min(end - at, Limits.STATUS_WINDOW_BYTES);
            for (BlockStatus status : disk.status(at, step)) {
                reports.forEach(report -> report.add(status));
            }
            at += step;
        }
        return reports;
    }

    private boolean full() {
        return extents.size() > most;
    }

    private void add(BlockStatus status) {
        if (full()) {
            return;
        }
        int flags = context.describe(status);
        int last = extents.size() - 1;
        if (last >= 0 && extents.get(last).flags() == flags) {
            extents.set(last, new Answer.Extent(extents.get(last).length() + status.length(), flags));
        } else {
            // One more than is wanted shows that the last wanted one is complete.
            extents.add(new Answer.Extent(status.length(), flags));
        }
    }

    void addTo(Answer answer) {
        answer.extents(context, extents.subList(0, Math.min(most, extents.size())));
    }
}
