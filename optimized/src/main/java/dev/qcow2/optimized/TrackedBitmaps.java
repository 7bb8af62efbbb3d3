package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.BitmapClause.QC_BM_03;
import static dev.qcow2.spec.clause.BitmapClause.QC_BM_07;
import static dev.qcow2.spec.clause.BitmapClause.QC_BM_11;
import static dev.qcow2.spec.clause.BitmapClause.QC_BM_12;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_11;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_12;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_13;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_20;
import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_30;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The persistent bitmaps of an open image. Enabled ones follow the guest in memory: a request sets bits and takes no lock.
 * Before the first change that the stored bits do not show, the in-use flag of each is on the disk (QC-BM-20); when the
 * disk is closed all that changed is written to new clusters, and the header is made to name them.
 */
final class TrackedBitmaps {

    private static final int FLAGS_AT = 12;

    /** One bitmap: what the file has of it, and what it is now. */
    private static final class Bitmap {
        final String name;
        final int granularityBits;
        final BitmapDirectory.@Nullable Entry stored;
        /** Where its entry is in the stored directory. */
        final long entryAt;

        boolean enabled;
        /** The file says that it is in use, or has nothing of it. */
        volatile boolean flagged;

        @Nullable
        BitmapBits bits;

        Bitmap(String name, int granularityBits, BitmapDirectory.@Nullable Entry stored, long entryAt) {
            this.name = name;
            this.granularityBits = granularityBits;
            this.stored = stored;
            this.entryAt = entryAt;
        }

        /** QC-BM-12: it has extra data without which it must not be used; it stays as it is. */
        boolean unknown() {
            return stored != null && !stored.known();
        }

        /** Left in use by somebody else. */
        boolean broken() {
            return stored != null && stored.inUse();
        }
    }

    private final Image image;
    private final BitmapStorage storage;
    private final BitmapDirectory directory;
    private final List<Bitmap> bitmaps = new ArrayList<>();
    private boolean listChanged;
    private volatile Bitmap[] following = {};

    TrackedBitmaps(Image image, TableGrowth growth, BitmapDirectory directory, boolean writable) throws DiskException {
        this.image = image;
        this.storage = new BitmapStorage(image, growth);
        this.directory = directory;
        long at = directory.offset();
        image.allocator().structures().setBitmaps(at, directory.length());
        for (BitmapDirectory.Entry entry : directory.entries()) {
            Bitmap bitmap = new Bitmap(entry.name(), entry.granularityBits(), entry, at);
            bitmap.enabled = entry.enabled();
            bitmaps.add(bitmap);
            at += entry.bytes();
        }
        if (writable) {
            follow();
        }
    }

    /** QC-BM-08: gets the bits of all that must follow writes into memory. */
    private void follow() throws DiskException {
        List<Bitmap> enabled = new ArrayList<>();
        for (Bitmap bitmap : bitmaps) {
            if (bitmap.enabled && !bitmap.broken() && !bitmap.unknown()) {
                bits(bitmap);
                enabled.add(bitmap);
            }
        }
        following = enabled.toArray(new Bitmap[0]);
    }

    private BitmapBits bits(Bitmap bitmap) throws DiskException {
        BitmapBits bits = bitmap.bits;
        if (bits == null) {
            BitmapDirectory.Entry stored = bitmap.stored;
            bits = stored == null ? new BitmapBits(bitmap.granularityBits, image.size()) : storage.load(stored);
            bitmap.bits = bits;
        }
        return bits;
    }

    /** QC-BM-19: notes that a range of the disk is about to change; the range is claimed by a request. */
    void mark(long guestOffset, long length) throws DiskException {
        for (Bitmap bitmap : following) {
            flag(bitmap);
            BitmapBits bits = bitmap.bits;
            if (bits != null && length > 0) {
                bits.mark(guestOffset, length);
            }
        }
    }

    /** Gets ready for a snapshot that is about to be loaded, whose disk may have another length. */
    void beforeLoading(long diskSize) throws DiskException {
        if (diskSize != image.size()) {
            requireResizable(diskSize);
            beforeResize();
        }
        markAll();
    }

    /** QC-BM-23: everything may have changed. */
    void markAll() throws DiskException {
        for (Bitmap bitmap : following) {
            flag(bitmap);
            bits(bitmap).setAll();
        }
    }

    private void flag(Bitmap bitmap) throws DiskException {
        if (bitmap.flagged) {
            return;
        }
        image.checkpoint().writer().lock();
        try {
            BitmapDirectory.Entry stored = bitmap.stored;
            if (!bitmap.flagged && stored != null) {
                int flags = stored.flags() | BitmapDirectory.IN_USE;
                image.host()
                        .write(
                                bitmap.entryAt + FLAGS_AT,
                                ByteBuffer.allocate(4).putInt(flags).flip());
                image.checkpoint().flushHost();
            }
            bitmap.flagged = true;
        } finally {
            image.checkpoint().writer().unlock();
        }
    }

    List<BitmapInfo> list() {
        return bitmaps.stream()
                .map(bitmap -> new BitmapInfo(bitmap.name, bitmap.granularityBits, bitmap.enabled, bitmap.broken()))
                .toList();
    }

    void add(String name, int granularityBits, boolean enabled) throws DiskException {
        int nameBytes = name.getBytes(StandardCharsets.UTF_8).length;
        require(image.header().version() >= 3, QC_BM_03, "version 2 has no bitmaps");
        require(nameBytes > 0 && nameBytes <= BitmapDirectory.MAX_NAME_BYTES, QC_LIM_13, "a name has 1 to 1023 bytes");
        require(
                granularityBits >= BitmapDirectory.LEAST_GRANULARITY_BITS
                        && granularityBits <= BitmapDirectory.MOST_GRANULARITY_BITS,
                QC_LIM_13,
                "a granularity has 9 to 31 bits");
        require(bitmaps.size() < BitmapDirectory.MAX_BITMAPS, QC_LIM_11, "there are 65535 bitmaps");
        require(find(name) == null, QC_BM_11, "there is a bitmap of that name");
        require(fits(granularityBits, image.size()), QC_LIM_12, "the bitmap would have more than 512 MiB");
        require(image.size() > 0, QC_LIM_20, "a disk of 0 bytes");
        new BitmapExtension(image.host(), image.header()).requirePossible();
        Bitmap bitmap = new Bitmap(name, granularityBits, null, 0);
        bitmap.flagged = true;
        bitmap.enabled = enabled;
        bits(bitmap);
        bitmaps.add(bitmap);
        listChanged = true;
        follow();
    }

    private boolean fits(int granularityBits, long diskSize) {
        return BitmapDirectory.tableSizeFor(image.clusterBits(), granularityBits, diskSize) << image.clusterBits()
                <= BitmapDirectory.MAX_BITMAP_BYTES;
    }

    void remove(String name) throws DiskException {
        Bitmap removed = existing(name);
        if (!removed.broken()) {
            // QC-BM-20: until the list is stored a cut brings it back, and nobody will have followed the guest for it.
            flag(removed);
        }
        bitmaps.remove(removed);
        listChanged = true;
        follow();
    }

    void clear(String name) throws DiskException {
        Bitmap bitmap = usable(name);
        flag(bitmap);
        bits(bitmap).clear();
    }

    void setEnabled(String name, boolean enabled) throws DiskException {
        Bitmap bitmap = usable(name);
        flag(bitmap);
        bits(bitmap);
        bitmap.enabled = enabled;
        follow();
    }

    /** QC-BM-28. */
    void merge(String into, String from) throws DiskException {
        Bitmap target = usable(into);
        List<Dirty> dirty = bits(usable(from)).dirty();
        flag(target);
        for (Dirty range : dirty) {
            bits(target).mark(range.guestOffset(), range.length());
        }
    }

    /** The range ends inside the disk. */
    void mark(String name, long guestOffset, long length) throws DiskException {
        Bitmap target = usable(name);
        BitmapBits marked = bits(target);
        flag(target);
        marked.mark(guestOffset, length);
    }

    List<Dirty> dirty(String name) throws DiskException {
        return bits(usable(name)).dirty();
    }

    /** Refuses a new length that the bitmaps can't follow. */
    void requireResizable(long newSize) throws DiskException {
        require(newSize > 0 || bitmaps.isEmpty(), QC_LIM_20, "there are bitmaps");
        for (Bitmap bitmap : bitmaps) {
            require(!bitmap.broken(), QC_MNT_30, "the bitmap \"" + bitmap.name + "\" was left in use");
            requireKnown(bitmap);
            require(fits(bitmap.granularityBits, newSize), QC_LIM_12, "a bitmap would have more than 512 MiB");
        }
    }

    /** Gets ready for another length of the disk. */
    void beforeResize() throws DiskException {
        for (Bitmap bitmap : bitmaps) {
            bits(bitmap);
            flag(bitmap);
        }
    }

    /** QC-BM-22. */
    void resized() {
        for (Bitmap bitmap : bitmaps) {
            BitmapBits bits = bitmap.bits;
            if (bits != null) {
                bits.resize(image.size());
            }
        }
    }

    private @Nullable Bitmap find(String name) {
        return bitmaps.stream()
                .filter(bitmap -> bitmap.name.equals(name))
                .findFirst()
                .orElse(null);
    }

    private Bitmap existing(String name) throws DiskException {
        Bitmap bitmap = find(name);
        if (bitmap == null) {
            throw new RequestRefusedException(image.host().name(), QC_BM_11, "there is no bitmap \"" + name + "\"");
        }
        return bitmap;
    }

    private Bitmap usable(String name) throws DiskException {
        Bitmap bitmap = existing(name);
        require(!bitmap.broken(), QC_BM_07, "the bitmap \"" + name + "\" was left in use");
        requireKnown(bitmap);
        return bitmap;
    }

    private void requireKnown(Bitmap bitmap) throws DiskException {
        require(!bitmap.unknown(), QC_BM_12, "the bitmap \"" + bitmap.name + "\" has extra data that is not known");
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(image.host().name(), clause, reason);
        }
    }

    /** Stores what changed; no request is under way, and both locks are held. */
    void store() throws DiskException {
        boolean changed = listChanged;
        for (Bitmap bitmap : bitmaps) {
            changed |= bitmap.flagged;
        }
        if (!changed) {
            return;
        }
        List<BitmapDirectory.Entry> entries = new ArrayList<>();
        List<BitmapDirectory.Entry> kept = new ArrayList<>();
        for (Bitmap bitmap : bitmaps) {
            BitmapDirectory.Entry stored = bitmap.stored;
            if (bitmap.flagged || stored == null) {
                BitmapDirectory.Entry entry =
                        stored == null ? BitmapDirectory.Entry.of(bitmap.name, bitmap.granularityBits) : stored;
                int flags = entry.flags() & BitmapDirectory.COMPATIBLE;
                entries.add(
                        storage.store(entry, bitmap.enabled ? flags | BitmapDirectory.ENABLED : flags, bits(bitmap)));
            } else {
                entries.add(stored);
                kept.add(stored);
            }
        }
        PendingFrees freed = new PendingFrees();
        for (BitmapDirectory.Entry old : directory.entries()) {
            if (!kept.contains(old)) {
                freeReadable(old, freed);
            }
        }
        storage.freeRange(directory.offset(), directory.length(), freed);
        switchDirectory(entries);
        image.checkpoint().frees().addAll(freed);
        image.checkpoint().run();
    }

    private void freeReadable(BitmapDirectory.Entry old, PendingFrees freed) throws DiskException {
        PendingFrees own = new PendingFrees();
        try {
            storage.free(old, own);
            freed.addAll(own);
        } catch (MalformedImageException e) {
            // What a broken table names is unknown, so it leaks; a repair gives it back.
            own.clear();
        }
    }

    /** QC-BM-26. */
    private void switchDirectory(List<BitmapDirectory.Entry> entries) throws DiskException {
        int length = entries.stream().mapToInt(BitmapDirectory.Entry::bytes).sum();
        ByteBuffer bytes = ByteBuffer.allocate(length);
        entries.forEach(entry -> entry.putInto(bytes));
        long offset = 0;
        if (length > 0) {
            offset = storage.allocate(length);
            image.host().write(offset, bytes.flip());
        }
        image.checkpoint().run();
        new BitmapExtension(image.host(), image.header()).set(entries.size(), length, offset);
        image.allocator().structures().setBitmaps(offset, length);
    }
}
