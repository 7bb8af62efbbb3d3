package dev.qcow2.reference;

import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds all that the header leads to, apart from guest data and refcount blocks, and counts it: first what the header
 * names itself, then L2 tables. An L1 entry that can't be right is mended.
 */
final class StructureWalk {

    private static final int LUKS = 0x0537be77;
    private static final int LUKS_LENGTH = 16;
    private static final long L1_OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final long L1_COPIED = 1L << 63;
    private static final int HIGHEST_TABLES = 1 << 20;
    private static final long HIGHEST_REFCOUNT_TABLE_BYTES = 8 << 20;

    /** How many L1 entries name an L2 table. */
    record TableUse(long active, long all) {}

    /** An L1 entry whose offset is not aligned: what it means can be said only when all others are known. */
    private record Suspect(long at, long bits, boolean active) {}

    private final RepairPass pass;
    private final Image image;
    private final Map<Long, TableUse> tables = new LinkedHashMap<>();
    private final List<Suspect> suspects = new ArrayList<>();
    private boolean refcountTableIsThere;

    StructureWalk(RepairPass pass) {
        this.pass = pass;
        this.image = pass.image();
    }

    /** The L2 tables by their offsets, each once, however many L1 entries name it. */
    Map<Long, TableUse> tables() {
        return tables;
    }

    void walk() throws DiskException {
        Header header = image.header();
        pass.claim(0, header.geometry().clusterSize());
        pass.claimFixed(header.l1Offset(), l1Bytes(header.l1Size()));
        List<SnapshotEntry> snapshots = claimSnapshots();
        claimRefcountTable();
        claimExtensions();
        walkL1(header.l1Offset(), header.l1Size(), true);
        for (SnapshotEntry snapshot : snapshots) {
            walkL1(snapshot.l1Offset(), snapshot.l1Size(), false);
        }
    }

    private static long l1Bytes(long entries) {
        return entries * Geometry.ENTRY_BYTES;
    }

    /** Counts the snapshot table and the L1 tables that it names; returns the snapshots whose tables can be read. */
    private List<SnapshotEntry> claimSnapshots() throws DiskException {
        SnapshotTable table = SnapshotTable.read(image);
        List<SnapshotEntry> readable = new ArrayList<>();
        for (SnapshotEntry entry : table.entries()) {
            long bytes = l1Bytes(Integer.toUnsignedLong(entry.l1Size()));
            boolean bounded = bytes <= 32 << 20;
            if (bytes > 0 && bounded && pass.inFile(entry.l1Offset(), bytes) && pass.claim(entry.l1Offset(), bytes)) {
                readable.add(entry);
            } else if (bytes > 0) {
                pass.foundCorruptions(1, false);
                pass.goBlind();
            }
        }
        pass.claimFixed(image.header().snapshotsOffset(), table.lengthInBytes());
        return readable;
    }

    /** Counts the refcount table, if it can be where the header says; one that is broken is replaced later. */
    private void claimRefcountTable() throws DiskException {
        Header header = image.header();
        long clusters = Integer.toUnsignedLong(header.refcountTableClusters());
        long bytes = clusters << header.clusterBits();
        refcountTableIsThere =
                bytes > 0 && bytes <= HIGHEST_REFCOUNT_TABLE_BYTES && pass.inFile(header.refcountTableOffset(), bytes);
        HostCluster first = new HostCluster(header.refcountTableOffset() >>> header.clusterBits());
        for (long i = 0; refcountTableIsThere && i < clusters; i++) {
            refcountTableIsThere = !pass.usage().conflicts(first.plus(i), Usage.Purpose.STRUCTURE);
        }
        if (refcountTableIsThere) {
            pass.claim(header.refcountTableOffset(), bytes);
        }
    }

    /** Whether the header names a place where a refcount table can be. */
    boolean refcountTableIsThere() {
        return refcountTableIsThere;
    }

    private void claimExtensions() throws DiskException {
        String name = image.file().name();
        List<HeaderExtension> extensions = HeaderExtension.list(image.file(), image.header());
        Optional<HeaderExtension> luks = HeaderExtension.find(name, extensions, LUKS);
        if (luks.isPresent() && luks.get().length() >= LUKS_LENGTH) {
            ByteBuffer data = luks.get().data(image.file());
            pass.claimFixed(data.getLong(0), data.getLong(8));
        }
        // QC-EXT-11: without the bit the extension is stale, and what it names belongs to nobody.
        Optional<HeaderExtension> bitmaps = HeaderExtension.find(name, extensions, BitmapsExtension.TYPE);
        boolean valid = (image.header().autoclear() & BitmapsExtension.AUTOCLEAR_BIT) != 0;
        if (valid && bitmaps.isPresent() && !BitmapWalk.claim(pass, bitmaps.get())) {
            // Bitmaps that can't be read tell nothing; without them the guest loses nothing.
            pass.foundCorruptions(1, pass.mendsAll());
            if (pass.mendsAll()) {
                long rest = image.header().autoclear() & ~BitmapsExtension.AUTOCLEAR_BIT;
                pass.mendHeader("autoclear_features", ExtensionClause.QC_EXT_11, Header.AUTOCLEAR_FIELD, rest);
            } else {
                pass.goBlind();
            }
        }
    }

    private void walkL1(long offset, int entries, boolean active) throws DiskException {
        ByteBuffer table = pass.read(offset, l1Bytes(entries));
        for (int i = 0; i < entries; i++) {
            long bits = table.getLong(i * Geometry.ENTRY_BYTES);
            if (bits != 0) {
                walkEntry(offset + l1Bytes(i), bits, active);
            }
        }
    }

    private void walkEntry(long at, long bits, boolean active) throws DiskException {
        long kept = bits & (L1_OFFSET | L1_COPIED);
        long l2 = kept & L1_OFFSET;
        if (image.geometry().offsetInCluster(l2) != 0) {
            suspects.add(new Suspect(at, kept, active));
        } else if (l2 == 0 || !follow(l2, active)) {
            replace(at, 0, MappingClause.QC_L1_01);
        } else if (kept != bits) {
            replace(at, kept, MappingClause.QC_L1_02);
        }
    }

    /** Counts an L2 table, if it can be one. */
    private boolean follow(long l2, boolean active) throws DiskException {
        TableUse known = tables.get(l2);
        if (known == null && !isFree(l2)) {
            return false;
        }
        if (tables.size() == HIGHEST_TABLES) {
            throw new RequestRefusedException(
                    image.file().name(), LimitClause.QC_LIM_02, "more than " + HIGHEST_TABLES + " L2 tables");
        }
        TableUse before = known == null ? new TableUse(0, 0) : known;
        tables.put(l2, new TableUse(before.active() + (active ? 1 : 0), before.all() + 1));
        pass.usage().add(image.geometry().hostCluster(l2), 1, Usage.Purpose.STRUCTURE);
        return true;
    }

    private boolean isFree(long l2) throws DiskException {
        HostCluster host = image.geometry().hostCluster(l2);
        return pass.inFile(l2, image.geometry().clusterSize())
                && !pass.usage().conflicts(host, Usage.Purpose.STRUCTURE);
    }

    private void replace(long at, long bits, MappingClause clause) throws DiskException {
        pass.foundCorruptions(1, pass.mendsAll());
        if (pass.mendsAll()) {
            pass.mend("an L1 entry", clause, at, PlanParts.entryBytes(bits));
        } else if (bits == 0) {
            pass.goBlind();
        }
    }

    /**
     * Decides on the entries that are not aligned, when everything else was counted: if the cluster in which an entry
     * ends is counted as used and nothing else names it, it is the one.
     *
     * @return whether there are tables that were not there before
     */
    boolean resolveSuspects(StoredCounts stored) throws DiskException {
        int before = tables.size();
        for (Suspect suspect : suspects) {
            HostCluster host = image.geometry().hostCluster(suspect.bits() & L1_OFFSET);
            boolean meant = stored.count(host) > 0 && pass.usage().count(host) == 0;
            boolean followed = meant && follow(image.geometry().hostOffset(host), suspect.active());
            long bits =
                    followed ? (suspect.bits() & L1_COPIED) | image.geometry().hostOffset(host) : 0;
            replace(suspect.at(), bits, MappingClause.QC_L1_01);
        }
        suspects.clear();
        return tables.size() > before;
    }

    /** The header, if it has nothing but a broken place of the refcount table; else refuses. */
    static void requireUsable(Image image) throws DiskException {
        Header header = image.header();
        long size = image.file().size();
        boolean l1 = header.l1Size() == 0
                || (header.l1Size() > 0
                        && l1Bytes(header.l1Size()) <= 32 << 20
                        && image.geometry().offsetInCluster(header.l1Offset()) == 0
                        && header.l1Offset() > 0
                        && header.l1Offset() <= size - l1Bytes(header.l1Size()));
        if (!l1) {
            throw image.corrupt(HeaderClause.QC_HDR_09, Header.L1_FIELDS, header.l1Size(), "an L1 table in the file");
        }
        boolean snapshots = header.snapshotCount() == 0
                || (header.snapshotCount() > 0
                        && header.snapshotCount() <= 65536
                        && image.geometry().offsetInCluster(header.snapshotsOffset()) == 0
                        && header.snapshotsOffset() > 0
                        && header.snapshotsOffset() < size);
        if (!snapshots) {
            String allowed = "a snapshot table in the file";
            throw image.corrupt(HeaderClause.QC_HDR_12, Header.SNAPSHOT_FIELDS, header.snapshotsOffset(), allowed);
        }
    }
}
