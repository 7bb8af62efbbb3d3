package dev.qcow2.optimized;

/** What one step of a write does: either it writes in place, or into clusters that it links afterwards. Reused. */
final class Allocation {

    /** The guest clusters are this image's own, and may be written in place (QC-REF-02). */
    boolean inPlace;

    /** In place: where the first byte goes. Otherwise: where the first host cluster starts. */
    long hostOffset;

    /** Guest bytes that the step writes. */
    long length;

    /** Guest clusters of the step, and the first of them. */
    int clusters;

    long guestCluster;

    /** The host clusters were kept by zero entries, and need not be counted or given back. */
    boolean reused;

    /** No byte of the host clusters was ever written. */
    boolean neverWritten;

    /** No part of the host clusters is left out: all their bytes are written. */
    boolean whole;

    /** The entries of the first and of the last guest cluster as they were. */
    long firstEntry;

    long lastEntry;

    /** The same of their bitmaps, where entries are extended. */
    long firstBitmap;

    long lastBitmap;

    /** Where entries are extended: the guest bytes that the step makes allocated, at borders of subclusters. */
    long needFrom;

    long needTo;

    /** The guest bytes that the host clusters must have got afterwards, payload included. */
    long headFrom;

    long tailTo;

    /** Scratch for questions to the backing image. */
    final Run below = new Run();
}
