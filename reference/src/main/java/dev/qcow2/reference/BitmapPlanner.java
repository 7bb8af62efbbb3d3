package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Stores bitmaps: bits and tables first, then a directory, then the header names that, and what the old directory named
 * and the new one does not is freed after that (QC-BM-26). So each power cut leaves one directory or the other.
 */
final class BitmapPlanner {

    private final Image image;
    private final ImageWriter writer;

    BitmapPlanner(Image image, ImageWriter writer) {
        this.image = image;
        this.writer = writer;
    }

    /** A bitmap that is to be stored; one without bits keeps the table that it has. */
    record Content(BitmapDirectoryEntry entry, Optional<DirtyBits> bits) {}

    /** Stores all bitmaps; returns their entries as they are now. */
    List<BitmapDirectoryEntry> store(List<Content> contents, List<BitmapDirectoryEntry> old) throws DiskException {
        List<BitmapDirectoryEntry> entries = new ArrayList<>();
        for (Content content : contents) {
            entries.add(content.bits().isEmpty() ? content.entry() : writeBits(content));
        }
        HeaderArea area = HeaderArea.of(image);
        Optional<BitmapsExtension> before = extensionOf(image);
        Optional<byte[]> extension = Optional.empty();
        if (!entries.isEmpty()) {
            ByteBuffer directory = BitmapDirectoryEntry.encodeAll(entries);
            long offset = writeNew("the bitmap directory", directory);
            extension = Optional.of(new BitmapsExtension(entries.size(), directory.limit(), offset).encode());
        }
        // QC-BM-27, QC-EXT-11: the extension and its bit come and go together.
        long others = image.header().autoclear() & ~BitmapsExtension.AUTOCLEAR_BIT;
        long bit = entries.isEmpty() ? 0 : BitmapsExtension.AUTOCLEAR_BIT;
        HeaderArea changed =
                area.withExtension(BitmapsExtension.TYPE, extension).with(Header.AUTOCLEAR_FIELD, others | bit);
        writer.apply(changed.plan("the bitmaps", image.geometry().clusterSize()));
        for (BitmapDirectoryEntry entry : old) {
            if (entries.stream().noneMatch(e -> e.tableOffset() == entry.tableOffset())) {
                releaseBits(entry);
            }
        }
        if (before.isPresent() && !old.isEmpty()) {
            release(before.get().directoryOffset(), before.get().directoryBytes());
        }
        return List.copyOf(entries);
    }

    /** The directory, if it counts and can be read; without entries there is none. */
    static List<BitmapDirectoryEntry> directory(Image image) throws DiskException {
        try {
            Optional<BitmapsExtension> extension = extensionOf(image);
            return extension.isEmpty() ? List.of() : BitmapDirectoryEntry.readAll(image, extension.get());
        } catch (MalformedImageException e) {
            return List.of();
        }
    }

    /** The extension, if it counts. */
    static Optional<BitmapsExtension> extensionOf(Image image) throws DiskException {
        boolean valid = (image.header().autoclear() & BitmapsExtension.AUTOCLEAR_BIT) != 0;
        Optional<HeaderExtension> found = HeaderExtension.find(
                image.file().name(), HeaderExtension.list(image.file(), image.header()), BitmapsExtension.TYPE);
        return valid && found.isPresent() ? Optional.of(BitmapsExtension.parse(image, found.get())) : Optional.empty();
    }

    private BitmapDirectoryEntry writeBits(Content content) throws DiskException {
        DirtyBits bits = content.bits().orElseThrow();
        int clusterSize = image.geometry().clusterSize();
        int entries = tableEntries(image, content.entry().granularityBits());
        ByteBuffer table = ByteBuffer.allocate(entries * Geometry.ENTRY_BYTES);
        for (int i = 0; i < entries; i++) {
            long firstBit = i * 8L * clusterSize;
            ByteBuffer cluster = bits.store(firstBit, clusterSize);
            boolean zeros = cluster.equals(ByteBuffer.allocate(clusterSize));
            boolean ones = bits.allOnes(firstBit, 8L * clusterSize);
            long offset = zeros || ones ? 0 : writeNew("bits of a bitmap", cluster);
            table.putLong(new BitmapTableEntry(offset, ones).encode());
        }
        return content.entry().withTable(writeNew("a bitmap table", table.flip()), entries);
    }

    /** QC-BM-05: an entry for each cluster of bits; one at least, for a table of none could not be there. */
    static int tableEntries(Image image, int granularityBits) {
        long bits = DirtyBits.bitsFor(image.header().diskSize(), granularityBits);
        return Math.toIntExact(Math.max(1, image.geometry().clustersFor((bits + 7) / 8)));
    }

    /** Writes something into fresh clusters, to which nothing refers yet; returns where it is. */
    private long writeNew(String what, ByteBuffer bytes) throws DiskException {
        Geometry geometry = image.geometry();
        long clusters = geometry.clustersFor(bytes.limit());
        writer.makeCountable(clusters);
        PlanParts parts = new PlanParts(image);
        HostCluster fresh = new Allocator(image).findCountable(clusters);
        Plan.Builder plan = new Plan.Builder("write " + what)
                .note(Section.DECIDE, BitmapClause.QC_BM_21, clusters + " clusters at " + fresh);
        for (long i = 0; i < clusters; i++) {
            parts.raise(plan, fresh.plus(i));
        }
        ByteBuffer whole = ByteBuffer.allocate(Math.toIntExact(clusters << geometry.clusterBits()));
        whole.put(0, bytes, 0, bytes.limit());
        long offset = geometry.hostOffset(fresh);
        plan.add(Section.COPY, BitmapClause.QC_BM_26, new Step.Write(what, offset, whole));
        writer.apply(plan.build());
        return offset;
    }

    private void releaseBits(BitmapDirectoryEntry entry) throws DiskException {
        for (BitmapTableEntry data : readTable(image, entry)) {
            if (data.dataOffset() != 0) {
                release(data.dataOffset(), image.geometry().clusterSize());
            }
        }
        release(entry.tableOffset(), (long) entry.tableEntries() * Geometry.ENTRY_BYTES);
    }

    private void release(long offset, long bytes) throws DiskException {
        Geometry geometry = image.geometry();
        Plan.Builder plan = new Plan.Builder("give up clusters of bitmaps");
        HostCluster first = geometry.hostCluster(offset);
        new PlanParts(image).release(plan, first, geometry.clustersFor(bytes), BitmapClause.QC_BM_26);
        writer.apply(plan.build());
    }

    /** Reads a table, entry by entry checked. */
    static List<BitmapTableEntry> readTable(Image image, BitmapDirectoryEntry entry) throws DiskException {
        ByteBuffer bytes = image.read(entry.tableOffset(), entry.tableEntries() * Geometry.ENTRY_BYTES);
        List<BitmapTableEntry> table = new ArrayList<>(entry.tableEntries());
        for (int at = 0; at < bytes.limit(); at += Geometry.ENTRY_BYTES) {
            table.add(BitmapTableEntry.parse(image, entry.tableOffset() + at, bytes.getLong(at)));
        }
        return table;
    }

    void apply(Plan plan) throws DiskException {
        writer.apply(plan);
    }

    /** Plans to say on disk that bitmaps are in use, before the disk changes (QC-BM-20). */
    Plan markInUse(List<BitmapDirectoryEntry> entries, List<BitmapDirectoryEntry> marked) throws DiskException {
        long offset = extensionOf(image).orElseThrow().directoryOffset();
        Plan.Builder plan = new Plan.Builder("mark bitmaps as in use");
        for (int i = 0; i < entries.size(); i++) {
            if (!entries.get(i).equals(marked.get(i))) {
                plan.add(
                        Section.LINK,
                        BitmapClause.QC_BM_20,
                        new Step.Write("a bitmap's flags", offset, marked.get(i).encode()));
            }
            offset += entries.get(i).length();
        }
        return plan.flush(Section.LINK, BitmapClause.QC_BM_20).build();
    }
}
