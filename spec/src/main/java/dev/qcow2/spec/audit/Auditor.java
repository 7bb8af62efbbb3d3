package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.AuditReport.Clusters;
import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;

/**
 * Judges an image from its bytes.
 *
 * <p>It recomputes the count of every host cluster from the definitions (QC-REF-03) and looks at every entry of every
 * table. Corruptions and leaks are counted as {@code qemu-img check} counts them, so that the two can be compared;
 * rules that QEMU does not look at are counted apart, as breaches. The ways in which the two differ:
 *
 * <ul>
 *   <li>an L1 table that is too short for the disk is a warning here (the format permits it, QC-L1-06); QEMU refuses
 *       the image
 *   <li>where QEMU gives up with a check error (a refcount block or a snapshot's L1 table that can't be read), the
 *       report has at least one corruption and goes on
 *   <li>what keeps QEMU from opening an image though its counts are right (a broken LUKS header, a bitmap table that does
 *       not fit the disk) is a breach here; so are rules that QEMU does not look at, as that a data file's cluster lies at
 *       the guest's offset (QC-DATA-02) and that unused bits of bitmaps are zero (QC-BM-18)
 *   <li>a bitmap with extra data, and a data file that has no name in the image, are warnings: the format permits them
 *   <li>clusters past the end of the file that are counted but not referred to are ignored, as in QEMU
 * </ul>
 *
 * <p>What is peculiar in QEMU's counting, and followed here: COPIED flags are compared with the stored count, not with
 * the references; a range that passes the end of the file by a cluster or more is one corruption and is not counted as
 * a reference; a reference that the count's width can't hold is a corruption of its own; an L1 entry with flags but no
 * offset leads to the header's cluster as if that were an L2 table, but for its COPIED flags; a broken entry of an L2
 * table that several L1 entries share is counted for each of them.
 *
 * <p>A header that leaves nothing to audit is refused with a {@link dev.qcow2.spec.disk.MalformedImageException}, an
 * unknown incompatible feature with an {@link dev.qcow2.spec.disk.UnsupportedFeatureException}; QEMU does not open
 * such images either. Time and memory are bounded by {@link Limits}, whatever the image says.
 *
 * <p>An auditor has no state: it may be used by several threads. The file is read, never written; it must not change
 * meanwhile.
 */
public final class Auditor {

    /**
     * What an audit may spend.
     *
     * @param findings findings that are kept with their text; all are counted
     * @param metadataBytes bytes of metadata that are read; 1 GiB is the metadata of some 8 TiB of 64 KiB clusters
     * @param memoryBytes memory for counts of references; again for stored counts, and for L2 tables
     */
    public record Limits(int findings, long metadataBytes, long memoryBytes) {

        /**
         * Returns limits that no sane image reaches.
         *
         * @return 100 findings, 16 GiB of metadata, 256 MiB of memory
         */
        public static Limits standard() {
            return new Limits(100, 16L << 30, 256L << 20);
        }
    }

    private final Limits limits;

    /** Makes an auditor with {@link Limits#standard()}. */
    public Auditor() {
        this(Limits.standard());
    }

    /**
     * Makes an auditor.
     *
     * @param limits what one audit may spend
     */
    public Auditor(Limits limits) {
        this.limits = limits;
    }

    /**
     * Judges an image. Backing and data files are not looked at, and nothing is decompressed or decrypted.
     *
     * @param file the image
     * @return the verdict
     * @throws DiskException if the header is malformed, the image needs an unknown feature, or the host fails
     */
    public AuditReport audit(HostFile file) throws DiskException {
        MetadataReader reader = new MetadataReader(file, file.size(), limits.metadataBytes());
        Findings findings = new Findings(limits.findings());
        Clusters clusters = new Clusters(0, 0, 0, 0, 0);
        String stopReason = "";
        try {
            ImageFacts facts = new HeaderAudit(reader, findings).read();
            clusters = walk(new Work(reader, findings, facts, limits.memoryBytes()));
        } catch (LimitReachedException e) {
            stopReason = String.valueOf(e.getMessage());
        }
        return new AuditReport(
                findings.count(Kind.CORRUPTION),
                findings.count(Kind.LEAK),
                findings.count(Kind.BREACH),
                findings.count(Kind.WARNING),
                stopReason,
                clusters,
                findings.kept());
    }

    private Clusters walk(Work work) throws DiskException, LimitReachedException {
        ImageFacts facts = work.facts();
        Tally tally = work.tally();
        tally.add(0, facts.clusterSize(), 1, ReferenceCounts.HEADER, -1);
        MappingAudit mapping = new MappingAudit(work);
        mapping.addL1(facts.l1(), true);
        if (facts.snapshots().length() > 0) {
            new SnapshotAudit(work, mapping).walk();
        }
        EntryAudit entries = new EntryAudit(work);
        mapping.walkL2(entries);
        Table refcounts = facts.refcountTable();
        tally.add(refcounts.hostOffset(), refcounts.length(), 1, ReferenceCounts.REFCOUNT_TABLE, -1);
        if (facts.encryption().length() > 0) {
            new EncryptionAudit(work).walk();
        }
        if (facts.bitmapCount() > 0) {
            new BitmapAudit(work).walk();
        }
        CountComparison comparison = new CountComparison(work);
        comparison.addBlocks();
        comparison.compare();
        long total = (facts.diskSize() >>> facts.clusterBits())
                + ((facts.diskSize() & (facts.clusterSize() - 1)) == 0 ? 0 : 1);
        return new Clusters(
                total, entries.allocated(), entries.compressed(), entries.fragmented(), comparison.imageEnd());
    }
}
