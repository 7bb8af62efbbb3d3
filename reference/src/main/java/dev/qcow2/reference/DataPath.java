package dev.qcow2.reference;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskClosedException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The requests of the guest to an open disk: checks each request as a whole, then carries it out cluster by cluster. One request at a time.
 */
abstract class DataPath implements VirtualDisk {

    private final Image image;
    private final Resolver resolver;
    private final ImageWriter writer;
    private final boolean writable;
    private boolean closed;

    DataPath(Image image, Resolver resolver, ImageWriter writer, boolean writable) {
        this.image = image;
        this.resolver = resolver;
        this.writer = writer;
        this.writable = writable;
    }

    /** What is done to the part of a request that lies in one guest cluster; returns guest bytes that are done with. */
    @FunctionalInterface
    private interface ClusterAction {
        long perform(GuestCluster guest, int offsetInCluster, int length) throws DiskException;
    }

    @Override
    public synchronized long size() throws DiskException {
        requireOpen();
        return image.header().diskSize();
    }

    @Override
    public synchronized void read(long guestOffset, ByteBuffer into) throws DiskException {
        requireOpen();
        requireInside(guestOffset, into.remaining());
        resolver.read(guestOffset, into);
    }

    @Override
    public synchronized void write(long guestOffset, ByteBuffer from) throws DiskException {
        requireWritable();
        requireInside(guestOffset, from.remaining());
        ByteBuffer rest = from.duplicate();
        forEachCluster(guestOffset, from.remaining(), (guest, offsetInCluster, length) -> {
            writer.write(guest, offsetInCluster, rest.slice(rest.position(), length));
            rest.position(rest.position() + length);
            return length;
        });
        from.position(from.limit());
    }

    @Override
    public synchronized void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        requireWritable();
        requireInside(guestOffset, length);
        forEachCluster(guestOffset, length, (guest, offsetInCluster, partLength) -> {
            if (partLength < image.geometry().lengthOf(guest)) {
                new SubclusterWriter(image, writer).zeroPart(guest, offsetInCluster, partLength);
                return partLength;
            }
            return doneWith(guest, writer.zero(guest, mode), partLength);
        });
    }

    @Override
    public synchronized void discard(long guestOffset, long length) throws DiskException {
        requireWritable();
        requireInside(guestOffset, length);
        forEachCluster(guestOffset, length, (guest, offsetInCluster, partLength) -> {
            // QC-GUEST-05: a cluster that lies in the range in part keeps all its bytes.
            return partLength < image.geometry().lengthOf(guest)
                    ? partLength
                    : doneWith(guest, writer.discard(guest), partLength);
        });
    }

    /** Where a whole L2 table is missing and one of its clusters needed nothing, none of them does. */
    private long doneWith(GuestCluster guest, Fate fate, int length) throws DiskException {
        Geometry geometry = image.geometry();
        boolean noTable = fate == Fate.NOTHING && !image.locate(guest).l1().allocated();
        return noTable ? (long) (geometry.l2Entries() - geometry.l2Index(guest)) << geometry.clusterBits() : length;
    }

    private void forEachCluster(long guestOffset, long length, ClusterAction action) throws DiskException {
        Geometry geometry = image.geometry();
        for (long done = 0; done < length; ) {
            GuestCluster guest = geometry.guestCluster(guestOffset + done);
            int offsetInCluster = geometry.offsetInCluster(guestOffset + done);
            int part = (int) Math.min(length - done, geometry.clusterSize() - offsetInCluster);
            done += action.perform(guest, offsetInCluster, part);
        }
    }

    @Override
    public synchronized void flush() throws DiskException {
        requireOpen();
        // QC-GUEST-06: nothing is held back in memory, so the host's flush is all that is needed.
        if (writable) {
            image.flush();
        }
    }

    @Override
    public synchronized List<BlockStatus> status(long guestOffset, long length) throws DiskException {
        requireOpen();
        requireInside(guestOffset, length);
        Layer.Extents extents = new Layer.Extents();
        resolver.status(guestOffset, length, 0, extents);
        return extents.list();
    }

    @Override
    public synchronized List<MappedExtent> map(long guestOffset, long length) throws DiskException {
        requireOpen();
        requireInside(guestOffset, length);
        return HostMap.of(resolver, guestOffset, length);
    }

    @Override
    public synchronized void close() throws DiskException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (writable) {
                image.flush();
            }
        } finally {
            resolver.close();
        }
    }

    /** QC-GUEST-08. */
    final void requireOpen() throws DiskException {
        if (closed) {
            throw new DiskClosedException(image.file().name());
        }
    }

    /** QC-GUEST-07. */
    final void requireWritable() throws DiskException {
        requireOpen();
        if (!writable) {
            throw new ReadOnlyException(image.file().name());
        }
    }

    /** QC-GUEST-02: refused as a whole, before anything is done. */
    final void requireInside(long guestOffset, long length) throws DiskException {
        long size = image.header().diskSize();
        if (guestOffset < 0 || length < 0 || guestOffset > size || length > size - guestOffset) {
            throw new OutOfBoundsException(guestOffset, length, size);
        }
    }
}
