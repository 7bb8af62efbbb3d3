package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.reference.Usage.Purpose;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** What the parts of one walk over an image share: what may be mended, what was found, and what is in use. */
final class RepairPass {

    /** Metadata of some 100 TiB of 64 KiB clusters; a hostile image can claim endless tables that overlap. */
    private static final long HIGHEST_BYTES_READ = 16L << 30;

    private final Image image;
    private final Workbench bench;
    private final Optional<RepairMode> mode;
    private final Usage usage;
    private long bytesRead;
    private long corruptions;
    private long leaks;
    private long corruptionsFixed;
    private long leaksFixed;
    private boolean blind;

    /**
     * Starts a walk.
     *
     * @param bench performs the plans that mend
     * @param mode what may be mended; empty to look only
     */
    RepairPass(Workbench bench, Optional<RepairMode> mode) {
        this.image = bench.image();
        this.bench = bench;
        this.mode = mode;
        this.usage = new Usage(image.file().name());
    }

    Image image() {
        return image;
    }

    Usage usage() {
        return usage;
    }

    boolean mendsAll() {
        return mode.equals(Optional.of(RepairMode.ALL));
    }

    /** Flags may follow counts that are right. */
    boolean mendsFlags() {
        return mendsAll() || (mode.isPresent() && corruptions == 0 && leaks == 0);
    }

    boolean mendsLeaks() {
        // Where references can't be followed, a count that looks too high may be right.
        return mode.isPresent() && !blind;
    }

    /** Says that something refers to clusters that can't be found: from now on no count is lowered. */
    void goBlind() {
        blind = true;
    }

    long corruptions() {
        return corruptions;
    }

    long leaks() {
        return leaks;
    }

    long corruptionsFixed() {
        return corruptionsFixed;
    }

    long leaksFixed() {
        return leaksFixed;
    }

    void foundCorruptions(long number, boolean fixed) {
        corruptionsFixed += fixed ? number : 0;
        corruptions += fixed ? 0 : number;
    }

    void foundLeaks(long number, boolean fixed) {
        leaksFixed += fixed ? number : 0;
        leaks += fixed ? 0 : number;
    }

    void apply(Plan plan) throws DiskException {
        bench.apply(plan);
    }

    /** Writes one mended structure by a plan of its own. */
    void mend(String what, Clause clause, long hostOffset, ByteBuffer bytes) throws DiskException {
        Plan.Builder plan = new Plan.Builder("mend " + what)
                .note(Section.DECIDE, HeaderClause.QC_HDR_17, "what is broken is replaced");
        apply(plan.add(Section.LINK, clause, new Step.Write(what, hostOffset, bytes))
                .build());
    }

    /** Writes a mended field of 8 bytes of the header, which is read again. */
    void mendHeader(String field, Clause clause, int offset, long value) throws DiskException {
        Plan.Builder plan = new Plan.Builder("mend the header")
                .note(Section.DECIDE, HeaderClause.QC_HDR_17, "what is broken is replaced");
        Step write = new Step.WriteHeader(field, offset, PlanParts.entryBytes(value));
        apply(plan.add(Section.LINK, clause, write).build());
    }

    /** Waits until what was mended is safe, before something is done that relies on it. */
    void flush(Clause clause) throws DiskException {
        if (mode.isPresent()) {
            Plan.Builder plan = new Plan.Builder("make safe what was mended");
            apply(plan.add(Section.LINK, clause, new Step.Flush()).build());
        }
    }

    /** Reads metadata; refused when an image asks for more than any image needs. */
    ByteBuffer read(long hostOffset, long length) throws DiskException {
        bytesRead += length;
        if (bytesRead > HIGHEST_BYTES_READ) {
            throw new RequestRefusedException(
                    image.file().name(), LimitClause.QC_LIM_02, "its tables have more than 16 GiB in all");
        }
        return image.read(hostOffset, Math.toIntExact(length));
    }

    /** Whether a structure can be there: at the start of a cluster, not the header's, and with its end in the file. */
    boolean inFile(long hostOffset, long length) throws DiskException {
        long size = image.geometry().clustersFor(image.file().size())
                << image.header().clusterBits();
        return hostOffset > 0
                && image.geometry().offsetInCluster(hostOffset) == 0
                && length >= 0
                && hostOffset <= size - length;
    }

    /** Counts a structure; says no if something else is there already. */
    boolean claim(long hostOffset, long length) throws DiskException {
        Geometry geometry = image.geometry();
        long clusters = geometry.clustersFor(length);
        HostCluster first = geometry.hostCluster(hostOffset);
        boolean free = true;
        for (long i = 0; i < clusters; i++) {
            free &= !usage.conflicts(first.plus(i), Purpose.STRUCTURE);
            usage.add(first.plus(i), 1, Purpose.STRUCTURE);
        }
        return free;
    }

    /** Counts a structure that can't be moved or dropped: one that is broken stays a corruption. */
    void claimFixed(long hostOffset, long length) throws DiskException {
        if (length > 0 && !(inFile(hostOffset, length) && claim(hostOffset, length))) {
            foundCorruptions(1, false);
            goBlind();
        }
    }
}
