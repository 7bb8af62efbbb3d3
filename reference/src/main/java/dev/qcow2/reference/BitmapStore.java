package dev.qcow2.reference;

import dev.qcow2.reference.BitmapPlanner.Content;
import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The persistent bitmaps of an open image. Those that follow the guest, and those that were changed, live in memory until
 * the disk is closed; the image says meanwhile that the stored bits are not to be trusted.
 */
final class BitmapStore implements Bitmaps {

    private static final long HIGHEST_BITS = Integer.MAX_VALUE;

    /** One bitmap: its entry, and its bits once somebody needs them. */
    private static final class Live {
        private BitmapDirectoryEntry entry;
        private Optional<DirtyBits> bits = Optional.empty();

        private Live(BitmapDirectoryEntry entry) {
            this.entry = entry;
        }
    }

    private final Image image;
    private final BitmapPlanner planner;
    private final boolean writable;
    private final List<Live> bitmaps = new ArrayList<>();
    private List<BitmapDirectoryEntry> stored;
    private boolean changed;

    /** Reads the directory, if there is one that counts. */
    BitmapStore(Image image, ImageWriter writer, boolean writable) throws DiskException {
        this.image = image;
        this.planner = new BitmapPlanner(image, writer);
        this.writable = writable;
        this.stored = BitmapPlanner.directory(image);
        stored.forEach(entry -> bitmaps.add(new Live(entry)));
    }

    @Override
    public List<BitmapInfo> list() {
        return bitmaps.stream()
                .map(b -> new BitmapInfo(b.entry.name(), b.entry.granularityBits(), b.entry.enabled(), b.entry.inUse()))
                .toList();
    }

    private DirtyBits bitsOf(Live live) throws DiskException {
        if (live.bits.isEmpty()) {
            live.bits = Optional.of(load(live.entry));
        }
        return live.bits.get();
    }

    private DirtyBits load(BitmapDirectoryEntry entry) throws DiskException {
        long size = image.header().diskSize();
        require(
                DirtyBits.bitsFor(size, entry.granularityBits()) <= HIGHEST_BITS
                        && entry.tableEntries() == BitmapPlanner.tableEntries(image, entry.granularityBits()),
                BitmapClause.QC_BM_05,
                "the table of bitmap \"" + entry.name() + "\" does not fit the disk");
        DirtyBits bits = new DirtyBits(entry.granularityBits(), size);
        int clusterSize = image.geometry().clusterSize();
        long firstBit = 0;
        for (BitmapTableEntry data : BitmapPlanner.readTable(image, entry)) {
            if (data.dataOffset() != 0) {
                bits.load(firstBit, image.read(data.dataOffset(), clusterSize));
            } else if (data.allOnes()) {
                bits.loadOnes(firstBit, 8L * clusterSize);
            }
            firstBit += 8L * clusterSize;
        }
        return bits;
    }

    /** Says on disk that bitmaps follow the guest from now on, before the guest changes anything (QC-BM-20). */
    void beforeChange() throws DiskException {
        if (changed || bitmaps.stream().noneMatch(BitmapStore::follows)) {
            return;
        }
        markInUse(BitmapStore::follows);
    }

    private void markInUse(Predicate<Live> which) throws DiskException {
        List<BitmapDirectoryEntry> marked = new ArrayList<>(stored);
        for (int i = 0; i < bitmaps.size(); i++) {
            Live live = bitmaps.get(i);
            if (which.test(live)) {
                DirtyBits unused = bitsOf(live);
                marked.set(i, live.entry.withInUse(true));
            }
        }
        if (!marked.equals(stored)) {
            planner.apply(planner.markInUse(stored, marked));
            stored = marked;
            changed = true;
        }
    }

    private static boolean follows(Live live) {
        return live.entry.enabled() && !live.entry.inUse() && live.entry.known();
    }

    /** QC-BM-20: no stored bitmap, enabled or not, is as long as a snapshot of another size. */
    void beforeSnapshot(long snapshotSize) throws DiskException {
        boolean other = snapshotSize != image.header().diskSize();
        markInUse(live -> follows(live) || (other && !live.entry.inUse() && live.entry.known()));
    }

    /** The guest changed a range (QC-BM-19). */
    void changed(long offset, long length) {
        bitmaps.stream().filter(BitmapStore::follows).forEach(b -> b.bits.ifPresent(bits -> bits.mark(offset, length)));
    }

    /** A snapshot was loaded (QC-BM-23). */
    void changedAll() {
        resized();
        bitmaps.stream().filter(BitmapStore::follows).forEach(b -> b.bits.ifPresent(DirtyBits::markAll));
    }

    /** Refuses a length of the disk that the bitmaps can't follow. */
    void requireFollowable(long newSize) throws DiskException {
        require(newSize > 0 || bitmaps.isEmpty(), LimitClause.QC_LIM_20, "there are bitmaps");
        for (Live live : bitmaps) {
            requireKnown(live);
            boolean fits = DirtyBits.bitsFor(newSize, live.entry.granularityBits()) <= HIGHEST_BITS;
            require(fits, LimitClause.QC_LIM_12, "bitmap \"" + live.entry.name() + "\" would be too long");
        }
    }

    /** Gets all bitmaps into memory before their length changes; one that is in use can't follow (QC-MNT-30). */
    void beforeResize() throws DiskException {
        for (Live live : bitmaps) {
            boolean free = !live.entry.inUse();
            require(free, MaintenanceClause.QC_MNT_30, "bitmap \"" + live.entry.name() + "\" is in use");
        }
        // QC-BM-20: those that do not follow the guest too, for what is stored has the old length.
        markInUse(live -> true);
    }

    /** The disk has another size (QC-BM-22). */
    void resized() {
        long size = image.header().diskSize();
        bitmaps.forEach(b -> b.bits.ifPresent(bits -> bits.resize(size)));
        changed |= !bitmaps.isEmpty();
    }

    private void requireWritable() throws DiskException {
        if (!writable) {
            throw new ReadOnlyException(image.file().name());
        }
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(image.file().name(), clause, reason);
        }
    }

    private Live find(String name) throws DiskException {
        Optional<Live> found =
                bitmaps.stream().filter(b -> b.entry.name().equals(name)).findFirst();
        require(found.isPresent(), BitmapClause.QC_BM_11, "there is no bitmap \"" + name + "\"");
        return found.orElseThrow();
    }

    private Live usable(String name) throws DiskException {
        Live live = find(name);
        require(!live.entry.inUse(), BitmapClause.QC_BM_07, "bitmap \"" + name + "\" was left in use");
        requireKnown(live);
        return live;
    }

    private void requireKnown(Live live) throws DiskException {
        String reason = "bitmap \"" + live.entry.name() + "\" has extra data of which nothing is known";
        require(live.entry.known(), BitmapClause.QC_BM_12, reason);
    }

    @Override
    public void add(String name, int granularityBits, boolean enabled) throws DiskException {
        requireWritable();
        int length = name.getBytes(StandardCharsets.UTF_8).length;
        boolean named = length > 0
                && length <= BitmapDirectoryEntry.HIGHEST_NAME_LENGTH
                && bitmaps.stream().noneMatch(b -> b.entry.name().equals(name));
        require(named, BitmapClause.QC_BM_11, "the name is taken, empty or too long");
        boolean granular = granularityBits >= BitmapDirectoryEntry.LOWEST_GRANULARITY_BITS
                && granularityBits <= BitmapDirectoryEntry.HIGHEST_GRANULARITY_BITS
                && DirtyBits.bitsFor(image.header().diskSize(), granularityBits) <= HIGHEST_BITS;
        require(granular, BitmapClause.QC_BM_10, "a granularity that gives too many bits");
        boolean room = bitmaps.size() < BitmapsExtension.HIGHEST_COUNT
                && image.header().version() > 2;
        require(room, BitmapClause.QC_BM_01, "version 2 has no bitmaps, and version 3 up to 65535");
        require(image.header().diskSize() > 0, LimitClause.QC_LIM_20, "a disk of 0 bytes");
        byte[] extension = new BitmapsExtension(1, 1, 1).encode();
        ByteBuffer unused = HeaderArea.of(image)
                .withExtension(BitmapsExtension.TYPE, Optional.of(extension))
                .encode(image.geometry().clusterSize());
        Live live = new Live(BitmapDirectoryEntry.of(name, granularityBits, enabled));
        live.bits = Optional.of(new DirtyBits(granularityBits, image.header().diskSize()));
        bitmaps.add(live);
        changed = true;
        store();
    }

    @Override
    public void remove(String name) throws DiskException {
        requireWritable();
        Live live = find(name);
        bitmaps.remove(live);
        changed = true;
        store();
    }

    @Override
    public void clear(String name) throws DiskException {
        requireWritable();
        DirtyBits bits = bitsOf(usable(name));
        bits.clear();
        changed = true;
        store();
    }

    @Override
    public void setEnabled(String name, boolean enabled) throws DiskException {
        requireWritable();
        Live live = usable(name);
        DirtyBits unused = bitsOf(live);
        live.entry = live.entry.withEnabled(enabled);
        changed = true;
        store();
    }

    @Override
    public void merge(String into, String from) throws DiskException {
        requireWritable();
        DirtyBits target = bitsOf(usable(into));
        DirtyBits source = bitsOf(usable(from));
        target.merge(source);
        changed = true;
        store();
    }

    @Override
    public void mark(String name, long guestOffset, long length) throws DiskException {
        requireWritable();
        long end = Math.min(guestOffset + length, image.header().diskSize());
        if (guestOffset >= 0 && end > guestOffset) {
            bitsOf(usable(name)).mark(guestOffset, end - guestOffset);
            changed = true;
            store();
        }
    }

    @Override
    public List<Dirty> dirty(String name) throws DiskException {
        return bitsOf(usable(name)).ranges();
    }

    /** Stores what changed, and says that the stored bits can be trusted again. */
    void store() throws DiskException {
        if (!changed) {
            return;
        }
        List<Content> contents =
                bitmaps.stream().map(b -> new Content(b.entry, b.bits)).toList();
        stored = planner.store(contents, stored);
        for (int i = 0; i < stored.size(); i++) {
            bitmaps.get(i).entry = stored.get(i);
        }
        changed = false;
    }
}
