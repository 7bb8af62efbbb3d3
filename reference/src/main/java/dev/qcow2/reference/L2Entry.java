package dev.qcow2.reference;

import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * An entry of an L2 table. Bit 62 is looked at first (QC-L2-02): in a compressed descriptor the other bits mean
 * something else (QC-L2-12).
 *
 * <pre>
 * bits    field of a standard descriptor                                     clause
 *     0   the cluster reads as zeros; version 3 only                         QC-L2-07, QC-L2-08
 *  1- 8   reserved, zero                                                     QC-L2-05
 *  9-55   offset of the host cluster, a multiple of the cluster size, or 0   QC-L2-04, QC-L2-06
 * 56-61   reserved, zero                                                     QC-L2-05
 *    62   compressed                                                         QC-L2-02
 *    63   COPIED: the cluster's count is 1; true in active tables only       QC-L2-03
 * </pre>
 *
 * <p>An extended entry has a {@link SubclusterBitmap} behind that, and no zero flag in bit 0.
 *
 * @param kind what the cluster is
 * @param hostOffset host offset of the cluster; 0 if there is none, or if it is compressed
 * @param copied whether the COPIED flag stands there; never trusted, the count itself is read
 * @param packed where the data of a compressed cluster is; empty for all other kinds
 * @param mixed what each subcluster is, if they differ
 */
record L2Entry(
        Kind kind,
        long hostOffset,
        boolean copied,
        Optional<CompressedDescriptor> packed,
        Optional<SubclusterBitmap> mixed) {

    /** What a guest cluster can be. */
    enum Kind {
        /** The backing file decides, or it reads as zero where there is none (QC-L2-10). */
        UNALLOCATED,
        /** It reads as zero and has no host cluster. */
        ZERO_PLAIN,
        /** It reads as zero and keeps a host cluster, whose bytes are never shown (QC-L2-09). */
        ZERO_ALLOCATED,
        /** Its bytes are those of its host cluster. */
        NORMAL,
        /** Its bytes are packed somewhere. */
        COMPRESSED,
        /** Its subclusters are not all the same; it may have a host cluster or not. */
        MIXED
    }

    static final L2Entry UNALLOCATED = standard(Kind.UNALLOCATED, 0, false);
    static final L2Entry ZERO_PLAIN = standard(Kind.ZERO_PLAIN, 0, false);

    private static final long ZERO = 1;
    private static final long COMPRESSED = 1L << 62;
    private static final long COPIED = 1L << 63;
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    /** Decodes an entry that stands at a host offset of the image, and moves behind it. */
    static L2Entry parse(Image image, long at, ByteBuffer bytes) throws DiskException {
        L2Entry entry = parse(image, at, bytes.getLong());
        return image.geometry().extendedL2()
                ? entry.with(SubclusterBitmap.parse(image, at, bytes.getLong(), entry))
                : entry;
    }

    /** Decodes a standard entry, or the first half of an extended one. */
    static L2Entry parse(Image image, long at, long bits) throws DiskException {
        if ((bits & COMPRESSED) != 0) {
            return compressed(CompressedDescriptor.parse(image, at, bits));
        }
        if ((bits & ~(COPIED | OFFSET | ZERO)) != 0) {
            throw image.corrupt(MappingClause.QC_L2_05, at, bits, "reserved bits of zero");
        }
        boolean zero = (bits & ZERO) != 0;
        if (zero && (image.header().version() == 2 || image.geometry().extendedL2())) {
            throw image.corrupt(MappingClause.QC_L2_08, at, bits, "no zero flag in version 2 and extended entries");
        }
        long offset = bits & OFFSET;
        boolean copied = (bits & COPIED) != 0;
        // QC-DATA-04: in a data file offset 0 is a place, and the COPIED flag says that it is meant.
        if (offset == 0 && (zero || !copied || !image.hasDataFile())) {
            return zero ? ZERO_PLAIN : UNALLOCATED;
        }
        if (!image.hasDataFile()) {
            image.requireClusterStart(offset, MappingClause.QC_L2_04, MappingClause.QC_L2_14, at);
        }
        return standard(zero ? Kind.ZERO_ALLOCATED : Kind.NORMAL, offset, copied);
    }

    private static L2Entry standard(Kind kind, long hostOffset, boolean copied) {
        return new L2Entry(kind, hostOffset, copied, Optional.empty(), Optional.empty());
    }

    static L2Entry compressed(CompressedDescriptor packed) {
        return new L2Entry(Kind.COMPRESSED, 0, false, Optional.of(packed), Optional.empty());
    }

    /** The same entry with other subclusters; a compressed one has none. */
    L2Entry with(SubclusterBitmap bitmap) {
        Kind whole = kind == Kind.COMPRESSED ? kind : bitmap.kind(hasHostCluster());
        return new L2Entry(
                whole, hostOffset, copied, packed, whole == Kind.MIXED ? Optional.of(bitmap) : Optional.empty());
    }

    SubclusterBitmap subclusters() {
        return mixed.orElseGet(() -> SubclusterBitmap.of(kind));
    }

    /** What the part of the cluster is that has a byte. */
    Kind kindAt(int offsetInCluster, Geometry geometry) {
        return mixed.map(m -> m.kindOf(offsetInCluster / geometry.subclusterSize()))
                .orElse(kind);
    }

    /** An entry for a cluster that has exactly this one reference (QC-L2-03). */
    static L2Entry owned(Kind kind, long hostOffset) {
        return standard(kind, hostOffset, true);
    }

    /** The same entry with or without the COPIED flag, which only entries with a host cluster of their own carry. */
    L2Entry withCopied(boolean flag) {
        return new L2Entry(kind, hostOffset, flag && hasHostCluster(), packed, mixed);
    }

    ByteBuffer encode(Geometry geometry) {
        ByteBuffer bytes = ByteBuffer.allocate(geometry.l2EntryBytes());
        long flags = copied ? COPIED : 0;
        long zero = geometry.extendedL2() ? 0 : ZERO;
        bytes.putLong(
                switch (kind) {
                    case UNALLOCATED -> 0;
                    case ZERO_PLAIN -> zero;
                    case ZERO_ALLOCATED -> hostOffset | flags | zero;
                    case NORMAL, MIXED -> hostOffset | flags;
                    case COMPRESSED -> packed.orElseThrow().encode(geometry);
                });
        return (geometry.extendedL2() ? bytes.putLong(subclusters().bits()) : bytes).flip();
    }

    boolean hasHostCluster() {
        return hostOffset != 0 || copied;
    }

    /** The host clusters that this entry refers to, each once. */
    List<HostCluster> hostClusters(Geometry geometry) {
        return hasHostCluster()
                ? List.of(geometry.hostCluster(hostOffset))
                : packed.map(p -> p.hostClusters(geometry)).orElse(List.of());
    }

    @Override
    public String toString() {
        String place = hasHostCluster() ? " at " + hostOffset + (copied ? ", COPIED" : "") : "";
        return kind
                + place
                + packed.map(p -> ", " + p).orElse("")
                + mixed.map(m -> ", " + m).orElse("");
    }
}
