package dev.qcow2.reference;

import dev.qcow2.reference.CheckedL2Entry.Rules;
import dev.qcow2.reference.StructureWalk.TableUse;
import dev.qcow2.reference.Usage.Purpose;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Counts what the entries of L2 tables refer to, and mends those that can't be right. An entry that is out of line is
 * left for the end: when all others are known, what it means may be plain.
 */
final class EntryWalk {

    private static final int HIGHEST_SUSPECTS = 1 << 16;

    /** An entry whose offset is not aligned. */
    private record Suspect(long at, CheckedL2Entry entry, long times) {}

    private final RepairPass pass;
    private final Image image;
    private final Rules rules;
    private final List<Suspect> suspects = new ArrayList<>();
    private int tablesDone;

    EntryWalk(RepairPass pass) {
        this.pass = pass;
        this.image = pass.image();
        this.rules = Rules.of(image.header());
    }

    /** Walks the tables that were not walked before. */
    void walk(Map<Long, TableUse> tables) throws DiskException {
        List<Map.Entry<Long, TableUse>> fresh =
                tables.entrySet().stream().skip(tablesDone).toList();
        tablesDone = tables.size();
        for (Map.Entry<Long, TableUse> table : fresh) {
            walkTable(table.getKey(), table.getValue().all());
        }
    }

    private void walkTable(long offset, long times) throws DiskException {
        ByteBuffer table = pass.read(offset, image.geometry().clusterSize());
        boolean changed = false;
        for (int at = 0; at < table.limit(); at += rules.entryBytes()) {
            CheckedL2Entry entry = read(rules, table, at);
            CheckedL2Entry mended = checked(entry, offset + at, times);
            if (!mended.equals(entry)) {
                pass.foundCorruptions(1, pass.mendsAll());
                changed = true;
                put(table, at, mended);
            }
        }
        if (changed && pass.mendsAll()) {
            pass.mend("an L2 table", MappingClause.QC_L2_05, offset, table.rewind());
        }
    }

    static CheckedL2Entry read(Rules rules, ByteBuffer table, int at) {
        return new CheckedL2Entry(rules, table.getLong(at), rules.extended() ? table.getLong(at + 8) : 0);
    }

    static void put(ByteBuffer table, int at, CheckedL2Entry entry) {
        table.putLong(at, entry.bits());
        if (entry.rules().extended()) {
            table.putLong(at + 8, entry.bitmap());
        }
    }

    /** What an entry should be; counts what that refers to. */
    private CheckedL2Entry checked(CheckedL2Entry found, long at, long times) throws DiskException {
        CheckedL2Entry entry = found.withoutForbiddenBits();
        if (entry.compressed()) {
            return count(entry.compressedOffset(), entry.compressedLength(), times, Purpose.COMPRESSED)
                    ? entry
                    : entry.zeroed();
        }
        if (!entry.mapped()) {
            return entry;
        }
        if (entry.misaligned()) {
            return misaligned(entry, at, times);
        }
        // QC-HDR-18: what is in a data file is not counted.
        boolean there =
                rules.dataFile() || count(entry.offset(), image.geometry().clusterSize(), times, Purpose.DATA);
        return there ? entry : entry.zeroed();
    }

    private CheckedL2Entry misaligned(CheckedL2Entry entry, long at, long times) {
        if (!pass.mendsAll()) {
            pass.goBlind();
        }
        if (entry.readsAsZero() || rules.dataFile() || suspects.size() == HIGHEST_SUSPECTS) {
            return entry.zeroed();
        }
        suspects.add(new Suspect(at, entry, times));
        return entry;
    }

    /** Counts a range of the file; says no if it can't be one of a guest's. */
    private boolean count(long offset, long length, long times, Purpose purpose) throws DiskException {
        Geometry geometry = image.geometry();
        // QC-L2-14: the last cluster of a file may be cut off.
        boolean inFile = offset + length - image.file().size() < geometry.clusterSize()
                && offset < image.file().size();
        long first = offset >>> geometry.clusterBits();
        long last = (offset + length - 1) >>> geometry.clusterBits();
        boolean free = inFile;
        for (long host = first; free && host <= last; host++) {
            free = !pass.usage().conflicts(new HostCluster(host), purpose);
        }
        // An entry that stays, though it breaks a rule, still refers to its clusters.
        for (long host = first; (free || (inFile && !pass.mendsAll())) && host <= last; host++) {
            pass.usage().add(new HostCluster(host), times, purpose);
        }
        return free;
    }

    /**
     * Decides on the entries that are not aligned: if the cluster in which the offset ends is counted as used and
     * nothing names it, low bits were spoilt and it is the one. Otherwise nobody can tell where the data is.
     */
    void resolveSuspects(StoredCounts stored) throws DiskException {
        for (Suspect suspect : suspects) {
            CheckedL2Entry aligned = suspect.entry().aligned();
            HostCluster host = image.geometry().hostCluster(aligned.offset());
            boolean meant = aligned.offset() != 0
                    && stored.count(host) > 0
                    && pass.usage().count(host) == 0;
            boolean kept =
                    meant && count(aligned.offset(), image.geometry().clusterSize(), suspect.times(), Purpose.DATA);
            pass.foundCorruptions(1, pass.mendsAll());
            if (pass.mendsAll()) {
                CheckedL2Entry mended = kept ? aligned : aligned.zeroed();
                ByteBuffer bytes = ByteBuffer.allocate(rules.entryBytes());
                put(bytes, 0, mended);
                pass.mend("an L2 entry", MappingClause.QC_L2_04, suspect.at(), bytes);
            }
        }
        suspects.clear();
    }

    /** Makes the COPIED flags of the active tables say what the counts say (QC-L1-03, QC-L2-03). */
    void checkFlags(Map<Long, TableUse> tables, StoredCounts stored) throws DiskException {
        boolean mends = pass.mendsFlags();
        Header header = image.header();
        ByteBuffer l1 = pass.read(header.l1Offset(), (long) header.l1Size() * Geometry.ENTRY_BYTES);
        for (int at = 0; at < l1.limit(); at += Geometry.ENTRY_BYTES) {
            long bits = l1.getLong(at);
            HostCluster host = image.geometry().hostCluster(bits & ~CheckedL2Entry.COPIED);
            boolean copied = (bits & CheckedL2Entry.COPIED) != 0;
            if (tables.containsKey(bits & ~CheckedL2Entry.COPIED) && (stored.count(host) == 1) != copied) {
                pass.foundCorruptions(1, mends);
                ByteBuffer bytes = PlanParts.entryBytes(bits ^ CheckedL2Entry.COPIED);
                if (mends) {
                    pass.mend("COPIED of an L1 entry", MappingClause.QC_L1_03, header.l1Offset() + at, bytes);
                }
            }
        }
        for (Map.Entry<Long, TableUse> table : tables.entrySet()) {
            if (table.getValue().active() > 0) {
                checkFlags(table.getKey(), stored, mends);
            }
        }
    }

    private void checkFlags(long offset, StoredCounts stored, boolean mends) throws DiskException {
        ByteBuffer table = pass.read(offset, image.geometry().clusterSize());
        long wrong = 0;
        for (int at = 0; at < table.limit(); at += rules.entryBytes()) {
            CheckedL2Entry entry = read(rules, table, at);
            if (entry.mapped()) {
                HostCluster host = image.geometry().hostCluster(entry.offset());
                boolean alone = rules.dataFile() || stored.count(host) == 1;
                wrong += entry.withCopied(alone).equals(entry) ? 0 : 1;
                put(table, at, entry.withCopied(alone));
            }
        }
        pass.foundCorruptions(wrong, mends);
        if (wrong > 0 && mends) {
            pass.mend("COPIED flags of an L2 table", RefcountClause.QC_REF_03, offset, table.rewind());
        }
    }
}
