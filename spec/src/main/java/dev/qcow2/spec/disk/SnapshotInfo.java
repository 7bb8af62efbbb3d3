package dev.qcow2.spec.disk;

/**
 * A snapshot inside an image.
 *
 * @param id unique in the image (QC-SNAP-08)
 * @param name as the user gave it; need not be unique
 * @param diskSize virtual size in bytes when the snapshot was taken
 * @param vmStateSize bytes of saved machine state, 0 if none
 */
public record SnapshotInfo(String id, String name, long diskSize, long vmStateSize) {}
