package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;

/** Zeroes parts of guest clusters: whole subclusters by their bits, all else by writing zeros. */
final class SubclusterWriter {

    private final Image image;
    private final ImageWriter writer;
    private final SubclusterPlanner planner;

    SubclusterWriter(Image image, ImageWriter writer) {
        this.image = image;
        this.writer = writer;
        this.planner = new SubclusterPlanner(image);
    }

    /** Zeroes a part of a guest cluster. */
    void zeroPart(GuestCluster guest, int offsetInCluster, int length) throws DiskException {
        SubclusterPlanner.Range whole = planner.wholeIn(guest, offsetInCluster, length);
        if (whole.isEmpty()) {
            writer.zeroPart(guest, offsetInCluster, length);
            return;
        }
        int end = offsetInCluster + length;
        int from = whole.from() * image.geometry().subclusterSize();
        int to = Math.min(whole.to() * image.geometry().subclusterSize(), end);
        writer.zeroPart(guest, offsetInCluster, from - offsetInCluster);
        writer.zeroPart(guest, to, end - to);
        writer.ownTables(guest);
        writer.apply(planner.zero(guest, whole));
    }
}
