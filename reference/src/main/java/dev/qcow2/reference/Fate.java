package dev.qcow2.reference;

import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;

/**
 * What becomes of a whole guest cluster that is zeroed or discarded. The truth table, and nothing else.
 *
 * <pre>
 *                          unallocated      zero-plain   zero-allocated    normal             compressed
 * zero, version 3, keep    zero-plain       nothing      nothing;          zero-allocated;    zero-plain
 *                                                        if shared zero-plain, both
 * zero, version 3, unmap   zero-plain       nothing      zero-plain        zero-plain         zero-plain
 * zero, version 2          nothing          -            -                 unallocated        unallocated
 *   with a backing file    zeros as data    -            -                 zeros as data      zeros as data
 * discard, version 3       nothing          nothing      zero-plain        zero-plain         zero-plain
 *   with a backing file    zero-plain       nothing      zero-plain        zero-plain         zero-plain
 * discard, version 2       nothing          -            -                 unallocated        unallocated
 *   with a backing file    nothing          -            -                 nothing            nothing
 * </pre>
 *
 * <p>A mixed cluster goes the way of a normal one, and without a host cluster that of a shared one. Version 2 has no zero clusters (QC-L2-08), and an unallocated cluster would show a backing file (QC-GUEST-04).
 */
enum Fate {
    /** The cluster stays as it is. */
    NOTHING,
    /** It loses its entry. */
    UNALLOCATED,
    /** It reads as zero and loses its host cluster. */
    ZERO_PLAIN,
    /** It reads as zero and keeps its host cluster. */
    ZERO_ALLOCATED,
    /** Zeros are written like any data. */
    ZEROS_AS_DATA;

    /** Decides on a cluster that is zeroed as a whole (QC-GUEST-03). */
    static Fate ofZeroed(int version, boolean hasBacking, ZeroMode mode, L2Entry.Kind kind, boolean ownsHost) {
        if (version == 2) {
            return hasBacking ? ZEROS_AS_DATA : ofVersion2(kind);
        }
        boolean keep = mode == ZeroMode.KEEP_ALLOCATION;
        return switch (kind) {
            case UNALLOCATED -> ZERO_PLAIN;
            case ZERO_PLAIN -> NOTHING;
            case ZERO_ALLOCATED -> keep && ownsHost ? NOTHING : ZERO_PLAIN;
            case NORMAL, MIXED -> keep && ownsHost ? ZERO_ALLOCATED : ZERO_PLAIN;
            case COMPRESSED -> ZERO_PLAIN;
        };
    }

    /** Decides on a cluster that is discarded as a whole (QC-GUEST-04). */
    static Fate ofDiscarded(int version, boolean hasBacking, L2Entry.Kind kind) {
        if (version == 2) {
            return hasBacking ? NOTHING : ofVersion2(kind);
        }
        return switch (kind) {
            case UNALLOCATED -> hasBacking ? ZERO_PLAIN : NOTHING;
            case ZERO_PLAIN -> NOTHING;
            case ZERO_ALLOCATED, NORMAL, COMPRESSED, MIXED -> ZERO_PLAIN;
        };
    }

    private static Fate ofVersion2(L2Entry.Kind kind) {
        return kind == L2Entry.Kind.UNALLOCATED ? NOTHING : UNALLOCATED;
    }
}
