package dev.qcow2.reference;

import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Commit and rebase: what is done between an image and its backing file. */
final class BackingChanger {

    private static final int PART = 1 << 16;
    private static final long RAW_DATA_FILE = 2;

    private final Image image;
    private final Resolver resolver;
    private final PlanObserver observer;
    private final ImageWriter writer;

    BackingChanger(Image image, Resolver resolver, PlanObserver observer) {
        this.image = image;
        this.resolver = resolver;
        this.observer = observer;
        this.writer = new ImageWriter(image, resolver, observer);
    }

    /** What a commit writes to. */
    private interface Target {
        void write(long offset, ByteBuffer from) throws DiskException;

        void zero(long offset, long length) throws DiskException;

        void flush() throws DiskException;
    }

    /** A backing file that is an image. */
    record DiskTarget(VirtualDisk disk) implements Target {
        @Override
        public void write(long offset, ByteBuffer from) throws DiskException {
            disk.write(offset, from);
        }

        @Override
        public void zero(long offset, long length) throws DiskException {
            disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
        }

        @Override
        public void flush() throws DiskException {
            disk.flush();
        }
    }

    /** A raw backing file. */
    record RawTarget(HostFile file) implements Target {
        @Override
        public void write(long offset, ByteBuffer from) throws DiskException {
            file.write(offset, from);
        }

        @Override
        public void zero(long offset, long length) throws DiskException {
            if (length > 0 && !file.zero(offset, length)) {
                for (long done = 0; done < length; done += PART) {
                    file.write(offset + done, ByteBuffer.allocate((int) Math.min(PART, length - done)));
                }
            }
        }

        @Override
        public void flush() throws DiskException {
            file.flush();
        }
    }

    /** QC-MNT-24, before anything is opened for writing. */
    void requireCommittable() throws DiskException {
        if (image.header().snapshotCount() > 0) {
            throw new RequestRefusedException(
                    image.file().name(), MaintenanceClause.QC_MNT_24, "the overlay has snapshots");
        }
        if (!resolver.hasBacking()) {
            throw new RequestRefusedException(
                    image.file().name(), BackingClause.QC_BACK_01, "there is no backing file to commit to");
        }
    }

    /** Commits to an image. */
    void commitTo(VirtualDisk disk) throws DiskException {
        List<BlockStatus> own = ownExtents();
        if (disk.size() < image.header().diskSize()) {
            // QC-MNT-23
            disk.resize(image.header().diskSize(), Preallocation.OFF);
        }
        commit(own, new DiskTarget(disk));
    }

    /** Commits to a raw file. */
    void commitTo(HostFile file) throws DiskException {
        List<BlockStatus> own = ownExtents();
        if (file.size() < image.header().diskSize()) {
            // QC-MNT-23
            file.truncate(image.header().diskSize());
        }
        commit(own, new RawTarget(file));
    }

    /**
     * What the overlay itself holds. Known before the backing file changes: the chain reads it through a header of its own,
     * which is an old one as soon as the table moves.
     */
    private List<BlockStatus> ownExtents() throws DiskException {
        Layer.Extents extents = new Layer.Extents();
        resolver.status(0, image.header().diskSize(), 0, extents);
        return extents.list().stream()
                .filter(extent -> extent.allocated() && extent.depth() == 0)
                .toList();
    }

    /** Copies what the overlay itself holds, and only then empties it (QC-MNT-22). */
    private void commit(List<BlockStatus> own, Target target) throws DiskException {
        for (BlockStatus extent : own) {
            if (extent.content() == Content.ZERO) {
                target.zero(extent.guestOffset(), extent.length());
                continue;
            }
            for (long at = extent.guestOffset(); at < extent.end(); at += PART) {
                ByteBuffer part = ByteBuffer.allocate((int) Math.min(PART, extent.end() - at));
                resolver.read(at, part);
                target.write(at, part.flip());
            }
        }
        target.flush();
        new Resizer(image, resolver, observer, true).dropAll();
        image.flush();
    }

    /** Copies up what would read otherwise over another backing file (QC-MNT-25). */
    void keepBytesOver(Optional<Layer> other) throws DiskException {
        Geometry geometry = image.geometry();
        Layer.Extents extents = new Layer.Extents();
        resolver.status(0, geometry.diskSize(), 0, extents);
        long next = 0;
        for (BlockStatus extent : extents.list()) {
            for (BlockStatus part : partsToCompare(extent, other)) {
                long end = geometry.clustersFor(part.end());
                for (long index = geometry.guestCluster(part.guestOffset()).index(); index < end; index++) {
                    if (index >= next) {
                        keepCluster(new GuestCluster(index), other);
                        next = index + 1;
                    }
                }
            }
        }
        image.flush();
    }

    /** What of an extent may read otherwise: nothing of the image's own, and where it is zero, what the other file has. */
    private static List<BlockStatus> partsToCompare(BlockStatus extent, Optional<Layer> other) throws DiskException {
        if (extent.allocated() && extent.depth() == 0) {
            return List.of();
        }
        if (extent.content() != Content.ZERO) {
            return List.of(extent);
        }
        Layer.Extents parts = new Layer.Extents();
        if (other.isPresent() && other.get().size() > extent.guestOffset()) {
            long covered = Math.min(extent.end(), other.get().size()) - extent.guestOffset();
            other.get().status(extent.guestOffset(), covered, 0, parts);
        }
        return parts.list().stream()
                .filter(part -> part.content() != Content.ZERO)
                .toList();
    }

    private void keepCluster(GuestCluster guest, Optional<Layer> other) throws DiskException {
        Geometry geometry = image.geometry();
        long offset = geometry.guestOffset(guest);
        ByteBuffer old = ByteBuffer.allocate(geometry.lengthOf(guest));
        Layer.Extents extents = new Layer.Extents();
        resolver.status(offset, old.capacity(), 0, extents);
        resolver.read(offset, old);
        byte[] fresh = new byte[old.capacity()];
        if (other.isPresent() && other.get().size() > offset) {
            int covered = (int) Math.min(fresh.length, other.get().size() - offset);
            other.get().read(offset, ByteBuffer.wrap(fresh, 0, covered));
        }
        if (!Arrays.equals(old.array(), seenOver(extents, offset, fresh, old.array()))) {
            writer.write(guest, 0, old.flip());
        }
    }

    /** What a cluster would read: its own bytes where it has some, the other file's elsewhere. */
    private static byte[] seenOver(Layer.Extents extents, long offset, byte[] fresh, byte[] old) {
        byte[] seen = fresh.clone();
        for (BlockStatus extent : extents.list()) {
            if (extent.allocated() && extent.depth() == 0) {
                int from = (int) (extent.guestOffset() - offset);
                System.arraycopy(old, from, seen, from, (int) extent.length());
            }
        }
        return seen;
    }

    /** Changes the name and the format, and nothing else (QC-MNT-26). */
    void rename(Optional<Backing> backing) throws DiskException {
        HeaderArea area = renamed(backing);
        ImageOpener.clearAutoclear(image);
        writer.apply(area.plan("the backing file", image.geometry().clusterSize()));
    }

    /** What the header is to become; refuses what can't be. */
    HeaderArea renamed(Optional<Backing> backing) throws DiskException {
        if (backing.isPresent() && (image.header().autoclear() & RAW_DATA_FILE) != 0) {
            throw new RequestRefusedException(
                    image.file().name(), HeaderClause.QC_HDR_30, "a raw data file leaves nothing to a backing file");
        }
        Optional<byte[]> format =
                backing.flatMap(Backing::format).map(f -> f.formatName().getBytes(StandardCharsets.US_ASCII));
        return HeaderArea.of(image)
                .withBackingName(backing.map(Backing::name))
                .withExtension(HeaderExtension.BACKING_FORMAT, format);
    }
}
