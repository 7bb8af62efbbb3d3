package dev.qcow2.reference;

/**
 * A cluster of the disk, as the guest counts them.
 *
 * @param index 0 is the cluster of the disk's first byte
 */
public record GuestCluster(long index) {

    @Override
    public String toString() {
        return "guest cluster " + index;
    }
}
