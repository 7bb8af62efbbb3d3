package dev.qcow2.reference;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The disk as the guest sees it: follows the tables of an image, and its backing chain where they leave bytes open. */
final class Resolver implements Layer {

    private final Image image;
    private final Optional<Layer> backing;

    Resolver(Image image, Optional<Layer> backing) {
        this.image = image;
        this.backing = backing;
    }

    Optional<Layer> backing() {
        return backing;
    }

    Image image() {
        return image;
    }

    boolean hasBacking() {
        return backing.isPresent();
    }

    @Override
    public long size() {
        return image.header().diskSize();
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws DiskException {
        Geometry geometry = image.geometry();
        int limit = into.limit();
        long at = guestOffset;
        while (into.position() < limit) {
            Mapping mapping = image.locate(geometry.guestCluster(at));
            int length = (int) Math.min(limit - into.position(), unitOf(mapping) - at % unitOf(mapping));
            into.limit(into.position() + length);
            readInUnit(mapping, at, into);
            into.limit(limit);
            at += length;
        }
    }

    /** Guest bytes of which a mapping says the same: a subcluster, a cluster, or all that an L2 table would map. */
    long unitOf(Mapping mapping) {
        Geometry geometry = image.geometry();
        if (mapping.kind() == L2Entry.Kind.MIXED) {
            return geometry.subclusterSize();
        }
        return (long) geometry.clusterSize() * (mapping.l1().allocated() ? 1 : geometry.l2Entries());
    }

    private void readInUnit(Mapping mapping, long guestOffset, ByteBuffer into) throws DiskException {
        int inCluster = image.geometry().offsetInCluster(guestOffset);
        switch (mapping.l2().kindAt(inCluster, image.geometry())) {
            case NORMAL -> image.data().read(mapping.l2().hostOffset() + inCluster, guestOffset, into);
            // QC-L2-07, QC-L2-09: zeros, whatever a host cluster or the backing file holds.
            case ZERO_PLAIN, ZERO_ALLOCATED -> putZeros(into);
            case UNALLOCATED -> readBacking(guestOffset, into);
            case COMPRESSED ->
                into.put(mapping.l2().packed().orElseThrow().read(image).slice(inCluster, into.remaining()));
            case MIXED -> throw new IllegalStateException("a subcluster is not mixed");
        }
    }

    /** QC-L2-10: the backing file's bytes. QC-BACK-01: zeros where it ends. */
    private void readBacking(long guestOffset, ByteBuffer into) throws DiskException {
        int limit = into.limit();
        int covered = (int) coveredByBacking(guestOffset, into.remaining());
        if (covered > 0) {
            into.limit(into.position() + covered);
            backing.orElseThrow().read(guestOffset, into);
            into.limit(limit);
        }
        putZeros(into);
    }

    private long coveredByBacking(long guestOffset, long length) throws DiskException {
        // Behind the end of this disk no byte of the backing file shows: machine state lies there.
        return backing.isEmpty()
                ? 0
                : Math.max(0, Math.min(length, Math.min(size(), backing.get().size()) - guestOffset));
    }

    private static void putZeros(ByteBuffer into) {
        into.put(new byte[into.remaining()]);
    }

    @Override
    public void status(long guestOffset, long length, int depth, Extents out) throws DiskException {
        Geometry geometry = image.geometry();
        long end = guestOffset + length;
        for (long at = guestOffset; at < end; ) {
            Mapping mapping = image.locate(geometry.guestCluster(at));
            long step = Math.min(end - at, unitOf(mapping) - at % unitOf(mapping));
            switch (mapping.l2().kindAt(geometry.offsetInCluster(at), geometry)) {
                case NORMAL, COMPRESSED -> out.add(new BlockStatus(at, step, Content.DATA, true, depth));
                case ZERO_PLAIN, ZERO_ALLOCATED -> out.add(new BlockStatus(at, step, Content.ZERO, true, depth));
                case UNALLOCATED -> statusOfBacking(at, step, depth, out);
                case MIXED -> throw new IllegalStateException("a subcluster is not mixed");
            }
            at += step;
        }
    }

    private void statusOfBacking(long guestOffset, long length, int depth, Extents out) throws DiskException {
        long covered = coveredByBacking(guestOffset, length);
        if (covered > 0) {
            backing.orElseThrow().status(guestOffset, covered, depth + 1, out);
        }
        if (covered < length) {
            out.add(new BlockStatus(guestOffset + covered, length - covered, Content.ZERO, false, depth));
        }
    }

    @Override
    public void close() throws DiskException {
        try {
            image.close();
        } finally {
            if (backing.isPresent()) {
                backing.get().close();
            }
        }
    }
}
