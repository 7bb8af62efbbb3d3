package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus;
import java.util.ArrayList;
import java.util.List;

/** Collects extents, and joins neighbours that say the same. */
final class StatusCollector {

    private final List<BlockStatus> extents = new ArrayList<>();

    void add(long offset, long length, BlockStatus.Content content, boolean allocated, int depth) {
        BlockStatus next = new BlockStatus(offset, length, content, allocated, depth);
        int last = extents.size() - 1;
        if (last >= 0 && extents.get(last).joins(next)) {
            BlockStatus before = extents.get(last);
            extents.set(
                    last, new BlockStatus(before.guestOffset(), before.length() + length, content, allocated, depth));
        } else {
            extents.add(next);
        }
    }

    List<BlockStatus> extents() {
        return List.copyOf(extents);
    }
}
