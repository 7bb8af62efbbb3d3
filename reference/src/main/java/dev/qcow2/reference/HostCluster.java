package dev.qcow2.reference;

/**
 * A cluster of the image file. A type of its own, so that nobody looks up the count of a guest cluster.
 *
 * @param index 0 is the header's cluster
 */
public record HostCluster(long index) {

    HostCluster plus(long clusters) {
        return new HostCluster(index + clusters);
    }

    @Override
    public String toString() {
        return "host cluster " + index;
    }
}
