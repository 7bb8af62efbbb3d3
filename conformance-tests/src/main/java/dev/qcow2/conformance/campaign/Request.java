package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.util.Locale;

/** What a request does to one cluster: the cause of a transition. */
public enum Request {
    /** Every byte is written. */
    WRITE_WHOLE,
    /** The first bytes are written, and not the last. */
    WRITE_HEAD,
    /** The last bytes are written, and not the first. */
    WRITE_TAIL,
    /** Neither the first nor the last byte is written. */
    WRITE_MIDDLE,
    /** The whole cluster is written in compressed form. */
    WRITE_COMPRESSED,
    /** All is zeroed; the host cluster shall stay. */
    ZERO_KEEP_WHOLE,
    /** A part is zeroed; the host cluster shall stay. */
    ZERO_KEEP_PART,
    /** All is zeroed; the host cluster may go. */
    ZERO_UNMAP_WHOLE,
    /** A part is zeroed; the host cluster may go. */
    ZERO_UNMAP_PART,
    /** All is discarded. */
    DISCARD_WHOLE,
    /** A part is discarded. */
    DISCARD_PART;

    /**
     * Says what a request does to a cluster or a subcluster that it touches. For a discard it is the cluster that counts.
     *
     * @param change the request
     * @param start guest offset of the cluster
     * @param end guest offset of its end, or of the disk's
     * @return the cause
     */
    static Request of(Change change, long start, long end) {
        boolean head = change.offset() <= start;
        boolean tail = change.offset() + change.length() >= end;
        if (change instanceof WriteCompressed) {
            return WRITE_COMPRESSED;
        }
        if (change instanceof Write) {
            if (head) {
                return tail ? WRITE_WHOLE : WRITE_HEAD;
            }
            return tail ? WRITE_TAIL : WRITE_MIDDLE;
        }
        boolean whole = head && tail;
        if (change instanceof WriteZeroes zeroes && zeroes.mode() == ZeroMode.KEEP_ALLOCATION) {
            return whole ? ZERO_KEEP_WHOLE : ZERO_KEEP_PART;
        }
        if (change.kind() == Operation.Kind.WRITE_ZEROES) {
            return whole ? ZERO_UNMAP_WHOLE : ZERO_UNMAP_PART;
        }
        return whole ? DISCARD_WHOLE : DISCARD_PART;
    }

    /**
     * Returns the words for reports.
     *
     * @return for instance {@code write-head}
     */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
