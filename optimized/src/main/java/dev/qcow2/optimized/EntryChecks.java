package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CompressionClause.QC_CMP_11;
import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_02;
import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_05;
import static dev.qcow2.spec.clause.MappingClause.QC_L1_01;
import static dev.qcow2.spec.clause.MappingClause.QC_L1_02;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_04;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_05;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_08;
import static dev.qcow2.spec.clause.MappingClause.QC_L2_14;
import static dev.qcow2.spec.clause.SubclusterClause.QC_SUB_06;
import static dev.qcow2.spec.clause.SubclusterClause.QC_SUB_07;
import static dev.qcow2.spec.clause.SubclusterClause.QC_SUB_08;
import static dev.qcow2.spec.clause.SubclusterClause.QC_SUB_09;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;

/** Refuses entries of L1 and L2 tables that can't be right, whoever read them. */
final class EntryChecks {

    private final HostFile host;
    private final HostSpace space;
    private final int version;
    private final int clusterBits;
    private final boolean dataFile;

    EntryChecks(HostFile host, HostSpace space, ImageHeader header) {
        this.host = host;
        this.space = space;
        this.version = header.version();
        this.clusterBits = header.clusterBits();
        this.dataFile = header.dataFile();
    }

    /** QC-DATA-02: a guest cluster has one place in the data file only. */
    void place(long entry, long entryAt, long guestCluster) throws DiskException {
        boolean named =
                EntryBits.offset(entry) != 0 || (entry & (EntryBits.COPIED | EntryBits.ZERO)) == EntryBits.COPIED;
        if (named && EntryBits.offset(entry) != guestCluster << clusterBits) {
            throw corrupt(QC_DATA_02, entryAt, entry, "the guest's own offset");
        }
    }

    /** Checks an entry of any L1 table, and returns the L2 table's offset in it. */
    long l2Offset(long entry, long entryAt) throws DiskException {
        if (EntryBits.l1ReservedSet(entry)) {
            throw corrupt(QC_L1_02, entryAt, entry, "reserved bits clear");
        }
        long offset = EntryBits.offset(entry);
        if ((offset & ((1L << clusterBits) - 1)) != 0) {
            throw corrupt(QC_L1_01, entryAt, entry, "a multiple of the cluster size");
        }
        if (offset != 0 && !space.mayBeNamed(offset)) {
            throw corrupt(QC_L2_14, entryAt, entry, "an offset inside the file");
        }
        return offset;
    }

    /** Checks a standard entry of an L2 table. */
    void standard(long entry, long entryAt) throws DiskException {
        // QC-L2-02: nothing of what follows is said of compressed descriptors.
        if ((entry & EntryBits.COMPRESSED) != 0) {
            checkCompressed(entry, entryAt);
            return;
        }
        if (EntryBits.l2ReservedSet(entry)) {
            throw corrupt(QC_L2_05, entryAt, entry, "reserved bits clear");
        }
        if (version == 2 && (entry & EntryBits.ZERO) != 0) {
            throw corrupt(QC_L2_08, entryAt, entry, "bit 0 clear in version 2");
        }
        long offset = EntryBits.offset(entry);
        if ((offset & ((1L << clusterBits) - 1)) != 0) {
            throw corrupt(QC_L2_04, entryAt, entry, "a multiple of the cluster size");
        }
        if (offset != 0 && !dataFile && !space.mayBeNamed(offset)) {
            throw corrupt(QC_L2_14, entryAt, entry, "an offset inside the file");
        }
    }

    /** As {@link #standard}, for an entry with a second word (QC-HDR-20). */
    void extended(long entry, long bitmap, long entryAt) throws DiskException {
        standard(entry, entryAt);
        if ((entry & EntryBits.COMPRESSED) != 0) {
            if (bitmap != 0) {
                throw corrupt(QC_SUB_08, entryAt + 8, bitmap, "0 next to a compressed descriptor");
            }
            return;
        }
        if ((entry & EntryBits.ZERO) != 0) {
            throw corrupt(QC_SUB_09, entryAt, entry, "bit 0 clear in an extended entry");
        }
        if (SubclusterBits.contradicts(bitmap)) {
            throw corrupt(QC_SUB_06, entryAt + 8, bitmap, "no subcluster that is both allocated and zero");
        }
        boolean named = EntryBits.offset(entry) != 0 || (dataFile && EntryBits.copied(entry));
        if (SubclusterBits.allocated(bitmap) != 0 && !named) {
            throw corrupt(QC_SUB_07, entryAt + 8, bitmap, "no allocated subcluster without a host cluster");
        }
    }

    private void checkCompressed(long entry, long entryAt) throws DiskException {
        if (dataFile) {
            throw corrupt(QC_DATA_05, entryAt, entry, "no compressed cluster next to a data file");
        }
        if (!space.mayBeNamed(CompressedBits.offset(entry, clusterBits))
                || !space.mayBeNamed(CompressedBits.lastCluster(entry, clusterBits) << clusterBits)) {
            throw corrupt(QC_CMP_11, entryAt, entry, "a stream inside the file");
        }
    }

    private CorruptImageException corrupt(Clause clause, long entryAt, long entry, String allowed) {
        return new CorruptImageException(host.name(), clause, entryAt, RefcountStore.hex(entry), allowed);
    }
}
