package dev.qcow2.optimized;

/** A piece of the disk that one image treats alike; reused, so that a request makes no objects. */
final class Run {

    ClusterKind kind = ClusterKind.UNALLOCATED;

    /** Where the first byte is, for {@link ClusterKind#NORMAL}; the entry itself for {@link ClusterKind#COMPRESSED}. */
    long hostOffset;

    /** Bytes, more than 0. */
    long length;
}
