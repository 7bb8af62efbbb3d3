package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.SubclusterClause;
import java.util.List;

/** L1 entries and the kinds of L2 entries. */
public final class MappingLayout {

    /** Zeros below the offset. */
    public static final BitField L1_RESERVED_LOW =
            new BitField("reserved_low", 0, 9, "zero", V2, MappingClause.QC_L1_02);
    /** Place of an L2 table. */
    public static final BitField L1_OFFSET =
            new BitField("l2_offset", 9, 47, "host offset of an L2 table, or 0", V2, MappingClause.QC_L1_01);
    /** Zeros above the offset. */
    public static final BitField L1_RESERVED_HIGH =
            new BitField("reserved_high", 56, 7, "zero", V2, MappingClause.QC_L1_02);
    /** The L2 table's count is 1. */
    public static final BitField L1_COPIED =
            new BitField("copied", 63, 1, "the L2 table's count is 1", V2, MappingClause.QC_L1_03);
    /** One entry of an L1 table. */
    public static final Structure<BitField> L1_ENTRY =
            new Structure<>("L1 entry", 64, List.of(L1_RESERVED_LOW, L1_OFFSET, L1_RESERVED_HIGH, L1_COPIED));

    /** The cluster reads as zero. */
    public static final BitField L2_ZERO =
            new BitField("zero", 0, 1, "the cluster reads as zero", V3, MappingClause.QC_L2_07);
    /** Zeros below the offset. */
    public static final BitField L2_RESERVED_LOW =
            new BitField("reserved_low", 1, 8, "zero", V2, MappingClause.QC_L2_05);
    /** Place of a host cluster. */
    public static final BitField L2_OFFSET =
            new BitField("host_offset", 9, 47, "host offset of the cluster, or 0", V2, MappingClause.QC_L2_04);
    /** Zeros above the offset. */
    public static final BitField L2_RESERVED_HIGH =
            new BitField("reserved_high", 56, 6, "zero", V2, MappingClause.QC_L2_05);
    /** Which kind of entry it is. */
    public static final BitField L2_COMPRESSED =
            new BitField("compressed", 62, 1, "0 standard, 1 compressed", V2, MappingClause.QC_L2_02);
    /** The cluster's count is 1. */
    public static final BitField L2_COPIED =
            new BitField("copied", 63, 1, "the cluster's count is 1", V2, MappingClause.QC_L2_03);
    /** A standard L2 entry. */
    public static final Structure<BitField> L2_STANDARD = new Structure<>(
            "L2 entry, standard",
            64,
            List.of(L2_ZERO, L2_RESERVED_LOW, L2_OFFSET, L2_RESERVED_HIGH, L2_COMPRESSED, L2_COPIED));

    /** One bit per subcluster: it is allocated. */
    public static final BitField SUBCLUSTER_ALLOCATED =
            new BitField("allocated", 0, 32, "one bit per subcluster: allocated", V3, SubclusterClause.QC_SUB_03);
    /** One bit per subcluster: it reads as zero. */
    public static final BitField SUBCLUSTER_ZERO =
            new BitField("zero", 32, 32, "one bit per subcluster: reads as zero", V3, SubclusterClause.QC_SUB_04);
    /** The second half of an extended L2 entry. */
    public static final Structure<BitField> SUBCLUSTER_BITMAP =
            new Structure<>("L2 entry, subcluster bitmap", 64, List.of(SUBCLUSTER_ALLOCATED, SUBCLUSTER_ZERO));

    /** What a compressed cluster has in place of a bitmap. */
    public static final BitField NO_SUBCLUSTERS =
            new BitField("reserved", 0, 64, "zero", V3, SubclusterClause.QC_SUB_08);
    /** The second half of an extended L2 entry for compressed data. */
    public static final Structure<BitField> COMPRESSED_BITMAP =
            new Structure<>("L2 entry, bitmap of a compressed cluster", 64, List.of(NO_SUBCLUSTERS));

    private MappingLayout() {}

    /**
     * Returns where the compressed data of an entry starts.
     *
     * @param clusterBits 9 to 21
     * @return the field of the host offset, which is no multiple of anything
     */
    public static BitField compressedOffset(int clusterBits) {
        return new BitField(
                "host_offset", 0, offsetBits(clusterBits), "host offset of the data", V2, MappingClause.QC_L2_12);
    }

    /**
     * Returns how many sectors the compressed data of an entry touches after its first.
     *
     * @param clusterBits 9 to 21
     * @return the field of the number of further 512-byte sectors
     */
    public static BitField compressedSectors(int clusterBits) {
        int from = offsetBits(clusterBits);
        return new BitField(
                "further_sectors", from, 62 - from, "512-byte sectors after the first", V2, MappingClause.QC_L2_12);
    }

    /**
     * Returns the table of a compressed L2 entry.
     *
     * @param clusterBits 9 to 21
     * @return four fields
     */
    public static Structure<BitField> compressed(int clusterBits) {
        return new Structure<>(
                "L2 entry, compressed, cluster_bits " + clusterBits,
                64,
                List.of(compressedOffset(clusterBits), compressedSectors(clusterBits), L2_COMPRESSED, L2_COPIED));
    }

    // QC-L2-12: the wider the cluster, the more bits for its length, the fewer for its offset.
    private static int offsetBits(int clusterBits) {
        return 62 - (clusterBits - 8);
    }
}
