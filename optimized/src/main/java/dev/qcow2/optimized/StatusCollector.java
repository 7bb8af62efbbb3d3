package dev.qcow2.optimized;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

    /** Adds what an image and those below it say of a range inside its disk. */
    void add(Image image, long offset, long length, int depth) throws DiskException {
        long end = offset + length;
        Request request = image.beginRead(offset, end);
        try {
            for (long at = offset; at < end; at += request.run.length) {
                image.locate(at, end - at, request.run);
                add(at, request.run, depth, image.backing());
            }
        } finally {
            image.requests().leave(request);
        }
    }

    /** Adds what an image says of a run, and where that is nothing, what the layer below says. */
    private void add(long at, Run run, int depth, @Nullable Layer backing) throws DiskException {
        switch (run.kind) {
            case NORMAL, COMPRESSED -> add(at, run.length, BlockStatus.Content.DATA, true, depth);
            case ZERO_PLAIN, ZERO_ALLOCATED -> add(at, run.length, BlockStatus.Content.ZERO, true, depth);
            case UNALLOCATED -> {
                long covered = backing == null ? 0 : Math.min(run.length, Math.max(0, backing.size() - at));
                if (backing != null && covered > 0) {
                    backing.status(at, covered, depth + 1, this);
                }
                if (covered < run.length) {
                    add(at + covered, run.length - covered, BlockStatus.Content.ZERO, false, depth);
                }
            }
        }
    }

    List<BlockStatus> extents() {
        return List.copyOf(extents);
    }
}
