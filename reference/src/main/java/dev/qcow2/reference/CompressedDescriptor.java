package dev.qcow2.reference;

import dev.qcow2.spec.clause.CompressionClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What an L2 entry says of a compressed cluster. The wider the cluster, the more bits for the length: with x = 70 -
 * cluster_bits (QC-L2-12),
 *
 * <pre>
 * bits        field                                                                      clause
 *  0 to x-1   host offset of the first byte, a multiple of nothing; bits from 56 are 0   QC-L2-12, QC-CMP-11
 *  x to 61    512-byte sectors that the data touches after the first one                 QC-L2-12
 *    62       1                                                                          QC-L2-02
 *    63       0: host clusters are shared at will                                        QC-L2-03
 * </pre>
 *
 * <p>The data ends somewhere in the last sector; where, only the codec knows. Each host cluster that the sectors touch
 * counts one reference (QC-REF-03), and several guest clusters may have their data in one host cluster.
 *
 * @param hostOffset host offset of the first byte
 * @param length bytes up to the end of the last sector
 */
record CompressedDescriptor(long hostOffset, long length) {

    /** What lengths are counted in. */
    static final int SECTOR = 512;

    private static final long COMPRESSED = 1L << 62;
    private static final long FLAGS = 3L << 62;
    private static final int HOST_OFFSET_BITS = 56;

    /** Decodes an entry that stands at a host offset of the image. */
    static CompressedDescriptor parse(Image image, long at, long bits) throws DiskException {
        if (image.hasDataFile()) {
            throw image.corrupt(DataFileClause.QC_DATA_05, at, bits, "no compressed cluster beside a data file");
        }
        int x = offsetBits(image.geometry());
        long offset = bits & ((1L << x) - 1);
        long furtherSectors = (bits & ~FLAGS) >>> x;
        CompressedDescriptor found = new CompressedDescriptor(offset, (furtherSectors + 1) * SECTOR - offset % SECTOR);
        if (offset >>> HOST_OFFSET_BITS != 0) {
            throw image.corrupt(CompressionClause.QC_CMP_11, at, bits, "a host offset below 2^56");
        }
        // The first byte lies in the file. The last sector may pass its end, and then reads as zeros there.
        if (offset >= image.file().size()) {
            throw image.corrupt(MappingClause.QC_L2_14, at, bits, "an offset inside the file");
        }
        for (HostCluster host : found.hostClusters(image.geometry())) {
            long start = image.geometry().hostOffset(host);
            if (start == 0 || image.header().inL1Table(start) || image.header().inRefcountTable(start)) {
                throw image.corrupt(RefcountClause.QC_REF_16, at, bits, "data outside the header and the tables");
            }
        }
        return found;
    }

    private static int offsetBits(Geometry geometry) {
        return 70 - geometry.clusterBits();
    }

    long encode(Geometry geometry) {
        long furtherSectors = (hostOffset % SECTOR + length) / SECTOR - 1;
        return COMPRESSED | furtherSectors << offsetBits(geometry) | hostOffset;
    }

    /** The host clusters that the data touches: one or two, or three if somebody else is generous. */
    List<HostCluster> hostClusters(Geometry geometry) {
        long first = geometry.hostCluster(hostOffset).index();
        long last = geometry.hostCluster(hostOffset + length - 1).index();
        return LongStream.rangeClosed(first, last).mapToObj(HostCluster::new).toList();
    }

    /** Reads the data and unpacks it: one whole cluster, and never more. */
    ByteBuffer read(Image image) throws DiskException {
        byte[] packed = image.read(hostOffset, Math.toIntExact(length)).array();
        byte[] cluster = new byte[image.geometry().clusterSize()];
        if (!Codec.of(image.header()).unpack(packed, cluster)) {
            throw image.corrupt(
                    CompressionClause.QC_CMP_12, hostOffset, "a broken stream", "data of one whole cluster");
        }
        return ByteBuffer.wrap(cluster);
    }

    @Override
    public String toString() {
        return length + " bytes at " + hostOffset;
    }
}
