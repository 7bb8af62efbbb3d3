package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.TraceEvent.Image;
import dev.qcow2.spec.trace.TraceEvent.Request;

/**
 * What of one guest cluster a request is about.
 *
 * @param touched the subclusters of which it touches a byte, a bit each
 * @param covered those that it covers, as far as the disk has them
 * @param whole whether it covers the cluster, as far as the disk has it
 */
public record RequestPart(int touched, int covered, boolean whole) {

    /** A request that is not about the cluster. */
    public static final RequestPart NOTHING = new RequestPart(0, 0, false);

    /**
     * Cuts a request.
     *
     * @param request a request with a range
     * @param image what kind of image it is
     * @param cluster a guest cluster
     * @param diskSize bytes of the disk
     * @return the part that lies in the cluster
     */
    public static RequestPart of(Request request, Image image, long cluster, long diskSize) {
        long clusterSize = 1L << image.clusterBits();
        long start = cluster * clusterSize;
        long from = Math.max(request.offset(), start);
        long to = Math.min(request.offset() + request.length(), start + clusterSize);
        if (from >= to) {
            return NOTHING;
        }
        long diskEnd = Math.min(diskSize, start + clusterSize);
        long unit = clusterSize / image.subclusters();
        int touched = 0;
        int covered = 0;
        for (int i = 0; i < image.subclusters(); i++) {
            long unitStart = start + i * unit;
            boolean touches = from < unitStart + unit && to > unitStart;
            boolean covers = touches && from <= unitStart && to >= Math.min(diskEnd, unitStart + unit);
            touched |= touches ? 1 << i : 0;
            covered |= covers ? 1 << i : 0;
        }
        return new RequestPart(touched, covered, from == start && to >= diskEnd);
    }

    /**
     * Says whether a place lies behind the disk, where machine state is.
     *
     * @param place of the active tables
     * @param image what kind of image it is
     * @param diskSize bytes of the disk
     * @return true if no byte of the disk is there
     */
    public static boolean isBehind(Place place, Image image, long diskSize) {
        int tableBits = image.clusterBits() - (image.subclusters() > 1 ? 4 : 3);
        long cluster = place.kind() == Place.Kind.CLUSTER ? place.index() : place.index() << tableBits;
        return cluster >= (diskSize + (1L << image.clusterBits()) - 1) >> image.clusterBits();
    }
}
