package dev.qcow2.reference;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The simplest model of a disk: an array. It follows the rules of {@code VirtualDisk} and knows no clusters of its own. */
final class GuestBytes {

    private final Map<String, byte[]> snapshots = new TreeMap<>();
    private byte[] bytes;
    private final int clusterSize;
    private final boolean discards;

    /**
     * Makes a disk.
     *
     * @param bytes what it holds
     * @param clusterSize the unit of a discard
     * @param discards false for version 2 with a backing file, where a discard changes nothing
     */
    GuestBytes(byte[] bytes, int clusterSize, boolean discards) {
        this.bytes = bytes.clone();
        this.clusterSize = clusterSize;
        this.discards = discards;
    }

    int clusterSize() {
        return clusterSize;
    }

    byte[] all() {
        return bytes;
    }

    void write(int offset, byte[] payload) {
        System.arraycopy(payload, 0, bytes, offset, payload.length);
    }

    void zero(int offset, int length) {
        Arrays.fill(bytes, offset, offset + length, (byte) 0);
    }

    void discard(int offset, int length) {
        for (int start = 0; discards && start < bytes.length; start += clusterSize) {
            int end = Math.min(bytes.length, start + clusterSize);
            if (start >= offset && end <= offset + length) {
                zero(start, end - start);
            }
        }
    }

    List<String> snapshotIds() {
        return List.copyOf(snapshots.keySet());
    }

    void createSnapshot(String id) {
        snapshots.put(id, bytes.clone());
    }

    void applySnapshot(String id) {
        bytes = snapshots.getOrDefault(id, bytes).clone();
    }

    void deleteSnapshot(String id) {
        snapshots.remove(id);
    }
}
