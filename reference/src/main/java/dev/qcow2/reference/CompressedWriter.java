package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Writes guest clusters in compressed form, one after the other, by plans that follow each other. */
final class CompressedWriter {

    private final Image image;
    private final ImageWriter writer;
    private final CompressedPlanner planner;

    CompressedWriter(Image image, ImageWriter writer) {
        this.image = image;
        this.writer = writer;
        this.planner = new CompressedPlanner(image, writer.allocator());
    }

    /** Writes whole guest clusters, and consumes them. */
    void write(long guestOffset, ByteBuffer from) throws DiskException {
        planner.requireWholeClusters(guestOffset, from.remaining());
        long at = guestOffset;
        while (from.hasRemaining()) {
            GuestCluster guest = image.geometry().guestCluster(at);
            int length = Math.min(from.remaining(), image.geometry().clusterSize());
            writeCluster(guest, from.slice(from.position(), length));
            from.position(from.position() + length);
            at += length;
        }
    }

    private void writeCluster(GuestCluster guest, ByteBuffer payload) throws DiskException {
        Optional<ByteBuffer> packed = planner.pack(payload);
        if (packed.isEmpty()) {
            writer.write(guest, 0, payload);
            return;
        }
        // A broken entry is refused before anything changes.
        image.locate(guest);
        writer.ownTables(guest);
        writer.makeCountable(1);
        writer.apply(planner.write(guest, packed.get()));
    }
}
