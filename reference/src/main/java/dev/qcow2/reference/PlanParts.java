package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Collectors;

/** The steps that plans have in common, each with the flush that its order of writes needs. */
final class PlanParts {

    private final Image image;

    /** The block that was found to be nothing else: counts that follow each other are in one, and to ask takes long. */
    private long checkedBlock;

    PlanParts(Image image) {
        this.image = image;
    }

    /** ALLOCATE: raises the count of a cluster. It is safe on disk before LINK, with the flush there (QC-REF-13). */
    void raise(Plan.Builder plan, HostCluster host) throws DiskException {
        long count = image.count(host);
        if (count == image.geometry().highestCount()) {
            throw new RequestRefusedException(
                    image.file().name(), RefcountClause.QC_REF_11, "the count of " + host + " is " + count);
        }
        plan.add(Section.ALLOCATE, RefcountClause.QC_REF_13, setCount(host, count, count + 1));
    }

    /** LINK: changes an L2 entry, after all that it depends on is safe on disk (QC-L2-13). */
    void linkL2(Plan.Builder plan, Mapping mapping, L2Entry entry) {
        plan.flush(Section.LINK, MappingClause.QC_L2_13);
        Step link = new Step.LinkL2(mapping, entry, entry.encode(image.geometry()));
        plan.add(Section.LINK, MappingClause.QC_L2_03, link);
    }

    /** RELEASE: gives up the host clusters that a guest cluster referred to: one, or those of compressed data, or none. */
    void releaseOld(Plan.Builder plan, Mapping mapping, Clause why) throws DiskException {
        if (image.hasDataFile()) {
            DataFile.planPunch(image, plan, mapping);
            return;
        }
        List<HostCluster> old = mapping.l2().hostClusters(image.geometry());
        if (!old.isEmpty()) {
            new Occupants(image).requireFreeable(old.stream().collect(Collectors.toMap(host -> host, host -> 1L)));
            release(plan, old.get(0), old.size(), why);
        }
    }

    /** RELEASE: lowers counts, after the reference is gone from the disk (QC-REF-14, QC-REF-15). */
    void release(Plan.Builder plan, HostCluster first, long clusters, Clause why) throws DiskException {
        plan.flush(Section.RELEASE, RefcountClause.QC_REF_15);
        for (long i = 0; i < clusters; i++) {
            lower(plan, first.plus(i), 1, why);
        }
    }

    /** RELEASE: lowers one count by references that are gone from the disk, and lets go of a cluster without any. */
    void lower(Plan.Builder plan, HostCluster host, long references, Clause why) throws DiskException {
        long count = image.countOfUsed(host, references);
        plan.add(Section.RELEASE, RefcountClause.QC_REF_14, setCount(host, count, count - references));
        if (count == references) {
            plan.add(Section.RELEASE, why, new Step.Punch(host));
        }
    }

    Step setCount(HostCluster host, long from, long to) throws DiskException {
        long block = image.refcountTableEntry(image.geometry().blockIndex(host)).blockOffset();
        if (block != checkedBlock) {
            new Occupants(image).requireSingle(block);
            checkedBlock = block;
        }
        return new Step.SetCount(host, block, from, to);
    }

    static ByteBuffer entryBytes(long entry) {
        return ByteBuffer.allocate(Geometry.ENTRY_BYTES).putLong(entry).flip();
    }
}
