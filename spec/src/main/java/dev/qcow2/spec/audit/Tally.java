package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;

/** Counts references to ranges of the file, and what is wrong with them by themselves. */
final class Tally {

    private final ReferenceCounts counts;
    private final Findings findings;
    private final int clusterBits;
    private final long clusterSize;
    private final long fileSize;

    Tally(ReferenceCounts counts, Findings findings, ImageFacts facts, long fileSize) {
        this.counts = counts;
        this.findings = findings;
        this.clusterBits = facts.clusterBits();
        this.clusterSize = facts.clusterSize();
        // QC-CMP-15: QEMU counts a file in whole sectors, and what is missing in the last one reads as zeros.
        this.fileSize = (fileSize + 511) & ~511L;
    }

    ReferenceCounts counts() {
        return counts;
    }

    /** Counts references to each cluster that a range touches. */
    void add(long hostOffset, long length, int times, int kind, long guestOffset) throws LimitReachedException {
        if (length <= 0) {
            return;
        }
        // QC-L2-14: the last cluster of a file may be cut off, so a range may end less than a cluster past its end.
        if (hostOffset + length - fileSize >= clusterSize) {
            findings.add(
                    Kind.CORRUPTION,
                    times,
                    hostOffset,
                    guestOffset,
                    MappingClause.QC_L2_14,
                    () -> "a reference past the end of the file, which has " + fileSize + " bytes");
            // As in QEMU there is nothing to count: no cluster is there. So memory is bounded by the file's size.
            return;
        }
        long last = (hostOffset + length - 1) >>> clusterBits;
        for (long cluster = hostOffset >>> clusterBits; cluster <= last; cluster++) {
            addCluster(cluster, times, kind, guestOffset);
        }
    }

    /** Counts references to a cluster that is known to lie in the file. */
    void addCluster(long cluster, int times, int kind, long guestOffset) throws LimitReachedException {
        long excess = counts.add(cluster, times, kind);
        if (excess > 0) {
            // QC-REF-11
            findings.add(
                    Kind.CORRUPTION,
                    excess,
                    cluster << clusterBits,
                    guestOffset,
                    RefcountClause.QC_REF_11,
                    () -> "more references than a count of this width can hold");
        }
    }
}
