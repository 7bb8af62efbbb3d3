package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Guest data: one cluster after the other, each with its entry, its host cluster and what lies behind. */
final class MutantGuest implements Lower {

    private final MutantFile file;
    private final MutantTables tables;
    private final MutantRefcounts counts;
    private final Optional<Lower> backing;
    private final Set<Fault> faults;
    private final int version;
    private final int clusterSize;
    private final long size;

    /** What the last read of the backing file left behind. */
    private final byte[] scratch;

    MutantGuest(
            MutantFile file,
            MutantHeader header,
            MutantTables tables,
            MutantRefcounts counts,
            Optional<Lower> backing,
            Set<Fault> faults) {
        this.file = file;
        this.tables = tables;
        this.counts = counts;
        this.backing = backing;
        this.faults = faults;
        this.version = header.version;
        this.clusterSize = header.clusterSize();
        this.size = header.size;
        this.scratch = new byte[clusterSize];
    }

    /** The part of a request that lies in one guest cluster. */
    private record Piece(long cluster, int from, int length) {}

    private List<Piece> pieces(long offset, long length) {
        List<Piece> pieces = new ArrayList<>();
        for (long at = offset; at < offset + length; ) {
            int from = (int) (at % clusterSize);
            int step = (int) Math.min(clusterSize - from, offset + length - at);
            pieces.add(new Piece(at / clusterSize, from, step));
            at += step;
        }
        return pieces;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void release() throws DiskException {
        file.host().close();
        if (backing.isPresent()) {
            backing.get().release();
        }
    }

    void flush() throws DiskException {
        if (faults.contains(Fault.FLUSH_FORGOTTEN)) {
            return;
        }
        file.flush();
        counts.afterFlush();
    }

    @Override
    public void fetch(long offset, ByteBuffer into) throws DiskException {
        for (Piece piece : pieces(offset, into.remaining())) {
            into.put(bytes(piece));
        }
    }

    private byte[] bytes(Piece piece) throws DiskException {
        long entry = entry(piece.cluster);
        long host = entry & MutantTables.OFFSET;
        // QC-L2-07: the zero flag wins over the host cluster and over the backing file.
        if (isZero(entry)) {
            if ((host != 0 && faults.contains(Fault.ZERO_ALLOCATED_READS_STALE))
                    || (host == 0 && faults.contains(Fault.ZERO_PLAIN_READS_HEADER))) {
                return file.bytes(host + piece.from, piece.length);
            }
            return faults.contains(Fault.ZERO_FALLS_THROUGH_TO_BACKING) ? behind(piece) : new byte[piece.length];
        }
        return host == 0 ? behind(piece) : file.bytes(host + piece.from, piece.length);
    }

    /** QC-L2-10, QC-BACK-01: the backing file's bytes, and zeros where it has none. */
    private byte[] behind(Piece piece) throws DiskException {
        byte[] bytes = new byte[piece.length];
        if (backing.isEmpty()) {
            return bytes;
        }
        long start = piece.cluster * clusterSize + piece.from;
        int there = (int) Math.max(0, Math.min(piece.length, backing.get().size() - start));
        if (there > 0) {
            backing.get().fetch(start, ByteBuffer.wrap(bytes, 0, there));
        }
        if (faults.contains(Fault.SHORT_BACKING_READ_PAST_END)) {
            System.arraycopy(bytes, 0, scratch, 0, there);
            return Arrays.copyOf(scratch, piece.length);
        }
        return bytes;
    }

    private long entry(long cluster) throws DiskException {
        long entry = tables.entry(cluster);
        if ((entry & MutantTables.COMPRESSED) != 0) {
            throw new UnsupportedFeatureException(file.host().name(), MappingClause.QC_L2_12, "compressed clusters");
        }
        return entry;
    }

    private boolean isZero(long entry) {
        return (version == 3 && (entry & MutantTables.ZERO) != 0)
                || (faults.contains(Fault.ZERO_FLAG_IN_VERSION_2) && (entry & MutantTables.ZERO) != 0);
    }

    void write(long offset, ByteBuffer from) throws DiskException {
        for (Piece piece : pieces(offset, from.remaining())) {
            byte[] data = new byte[piece.length];
            from.get(data);
            write(piece, data);
        }
    }

    private void write(Piece piece, byte[] data) throws DiskException {
        long entry = entry(piece.cluster);
        long host = entry & MutantTables.OFFSET;
        boolean alone = entry < 0 || (host != 0 && faults.contains(Fault.SHARED_CLUSTER_OVERWRITTEN));
        if (alone && !isZero(entry)) {
            file.put(host + piece.from, data);
            return;
        }
        if (alone && host != 0) {
            // QC-GUEST-11: the old bytes of the host cluster must not come back around the new ones.
            if (faults.contains(Fault.ZERO_ALLOCATED_REUSED_STALE)) {
                file.put(host + piece.from, data);
            } else {
                file.put(host, lay(new byte[clusterSize], piece, data));
            }
            tables.setEntry(piece.cluster, host | MutantTables.COPIED);
            return;
        }
        if (faults.contains(Fault.TABLE_PUBLISHED_BEFORE_COUNTED)) {
            tables.prepare(piece.cluster);
        }
        long fresh = counts.allocateData(piece.cluster) * clusterSize;
        boolean trusting = faults.contains(Fault.FRESH_NOT_ZEROED);
        if (aroundIsZero(piece, entry) && (trusting || file.host().zero(fresh, clusterSize))) {
            file.put(fresh + piece.from, data);
        } else {
            file.put(fresh, lay(whole(piece.cluster, entry), piece, data));
        }
        long flag = faults.contains(Fault.ENTRY_LOSES_COPIED) ? 0 : MutantTables.COPIED;
        tables.setEntry(piece.cluster, fresh | flag);
        drop(host);
    }

    private static byte[] lay(byte[] cluster, Piece piece, byte[] data) {
        System.arraycopy(data, 0, cluster, piece.from, data.length);
        return cluster;
    }

    /** QC-L2-11: the cluster as the guest sees it, with zeros past the end of the disk. */
    private byte[] whole(long cluster, long entry) throws DiskException {
        Piece all = new Piece(cluster, 0, (int) Math.min(clusterSize, size - cluster * clusterSize));
        byte[] bytes;
        if (((entry & MutantTables.OFFSET) != 0 && faults.contains(Fault.SHARED_PARTIAL_WRITE_LOSES_REST))
                || (entry == 0 && faults.contains(Fault.BACKING_NOT_COPIED_UP))) {
            bytes = new byte[all.length];
        } else if (isZero(entry) && faults.contains(Fault.ZERO_PARTIAL_WRITE_TAKES_BACKING)) {
            bytes = behind(all);
        } else {
            bytes = bytes(all);
        }
        return Arrays.copyOf(bytes, clusterSize);
    }

    private boolean aroundIsZero(Piece piece, long entry) throws DiskException {
        if (entry == 0 && faults.contains(Fault.SKIP_THOUGH_BACKING_HAS_DATA)) {
            return true;
        }
        if (isZero(entry) && faults.contains(Fault.ZERO_PARTIAL_WRITE_TAKES_BACKING)) {
            return false;
        }
        long start = piece.cluster * clusterSize;
        long end = Math.min(size, start + clusterSize);
        long tail = start + piece.from + piece.length;
        return isZeroRange(start, piece.from)
                && (faults.contains(Fault.SKIP_THOUGH_ONLY_HEAD_IS_ZERO) || isZeroRange(tail, end - tail));
    }

    private boolean isZeroRange(long offset, long length) throws DiskException {
        return extents(offset, length).stream().allMatch(e -> e.content() == BlockStatus.Content.ZERO);
    }

    private boolean isWhole(Piece piece) {
        long end = piece.cluster * clusterSize + piece.from + piece.length;
        boolean last = piece.cluster == (size - 1) / clusterSize;
        return piece.from == 0
                && (piece.length == clusterSize
                        || end == size
                        || (last && faults.contains(Fault.LAST_CLUSTER_ZEROED_TOO_FAR)));
    }

    void zero(long offset, long length, ZeroMode mode) throws DiskException {
        for (Piece piece : pieces(offset, length)) {
            boolean flags = version == 3 || faults.contains(Fault.ZERO_FLAG_IN_VERSION_2);
            if (isWhole(piece) && flags) {
                zeroCluster(piece.cluster, mode);
            } else if (isWhole(piece) && backing.isEmpty()) {
                forget(piece.cluster, 0);
            } else if (!isZeroRange(piece.cluster * clusterSize + piece.from, piece.length)) {
                write(piece, new byte[piece.length]);
            }
        }
    }

    private void zeroCluster(long cluster, ZeroMode mode) throws DiskException {
        long entry = entry(cluster);
        long host = entry & MutantTables.OFFSET;
        if (host != 0 && mode == ZeroMode.KEEP_ALLOCATION && faults.contains(Fault.SHARED_KEPT_AS_OWN_ZERO)) {
            tables.setEntry(cluster, host | MutantTables.COPIED | MutantTables.ZERO);
        } else if (entry < 0 && mode == ZeroMode.KEEP_ALLOCATION) {
            tables.setEntry(cluster, entry | MutantTables.ZERO);
        } else {
            forget(cluster, MutantTables.ZERO);
        }
    }

    /** Puts an entry without a host cluster in place of one that may have one. */
    private void forget(long cluster, long next) throws DiskException {
        long entry = entry(cluster);
        if (entry != next && faults.contains(Fault.LOWERED_BEFORE_UNLINKED)) {
            drop(entry & MutantTables.OFFSET);
            tables.setEntry(cluster, next);
        } else if (entry != next) {
            tables.setEntry(cluster, next);
            if (!faults.contains(Fault.ZERO_UNMAP_LEAKS)) {
                drop(entry & MutantTables.OFFSET);
            }
        }
    }

    /** QC-REF-14, QC-REF-15: the count falls only after the entry is gone for good. */
    private void drop(long host) throws DiskException {
        boolean shared = host != 0 && counts.count(host / clusterSize) > 1;
        if (host != 0 && !(shared && faults.contains(Fault.SHARED_NOT_RELEASED))) {
            if (!faults.contains(Fault.REUSED_BEFORE_FLUSH)) {
                file.flush();
            }
            counts.lower(host / clusterSize);
        }
    }

    void discard(long offset, long length) throws DiskException {
        for (Piece piece : pieces(offset, length)) {
            // QC-GUEST-05: a cluster that lies in the range only in part keeps its bytes.
            if (isWhole(piece) || faults.contains(Fault.DISCARD_FREES_TOO_MUCH)) {
                discardCluster(piece.cluster);
            }
        }
    }

    private void discardCluster(long cluster) throws DiskException {
        boolean hides = backing.isPresent();
        if (version == 3 && (hides || entry(cluster) != 0)) {
            // QC-GUEST-04: hidden backing data does not come back.
            forget(cluster, faults.contains(Fault.DISCARD_EXPOSES_BACKING) ? 0 : MutantTables.ZERO);
        } else if (version == 2 && (!hides || faults.contains(Fault.DISCARD_EXPOSES_BACKING))) {
            forget(cluster, 0);
        }
    }

    @Override
    public List<BlockStatus> extents(long offset, long length) throws DiskException {
        Extents extents = new Extents();
        for (Piece piece : pieces(offset, length)) {
            long start = piece.cluster * clusterSize + piece.from;
            long entry = entry(piece.cluster);
            if (isZero(entry)) {
                extents.add(new BlockStatus(start, piece.length, BlockStatus.Content.ZERO, true, 0));
            } else if ((entry & MutantTables.OFFSET) != 0) {
                extents.add(new BlockStatus(start, piece.length, BlockStatus.Content.DATA, true, 0));
            } else {
                addBehind(extents, start, piece.length);
            }
        }
        return extents.list();
    }

    private void addBehind(Extents extents, long start, int length) throws DiskException {
        long end = backing.isPresent() ? backing.get().size() : 0;
        int there = (int) Math.max(0, Math.min(length, end - start));
        if (there > 0 && !faults.contains(Fault.STATUS_FORGETS_BACKING)) {
            for (BlockStatus e : backing.get().extents(start, there)) {
                extents.add(new BlockStatus(e.guestOffset(), e.length(), e.content(), e.allocated(), e.depth() + 1));
            }
        } else {
            there = 0;
        }
        if (there < length) {
            extents.add(new BlockStatus(start + there, length - there, BlockStatus.Content.ZERO, false, 0));
        }
    }

    /** Collects extents and makes neighbours that say the same into one. */
    private static final class Extents {
        private final List<BlockStatus> list = new ArrayList<>();

        void add(BlockStatus next) {
            BlockStatus last = list.isEmpty() ? null : list.get(list.size() - 1);
            if (last != null && last.joins(next)) {
                list.set(
                        list.size() - 1,
                        new BlockStatus(
                                last.guestOffset(),
                                last.length() + next.length(),
                                last.content(),
                                last.allocated(),
                                last.depth()));
            } else {
                list.add(next);
            }
        }

        List<BlockStatus> list() {
            return List.copyOf(list);
        }
    }
}
