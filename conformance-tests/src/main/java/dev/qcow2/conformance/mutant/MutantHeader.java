package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/** The header's numbers as they were when the image was opened, and where its extensions are. */
final class MutantHeader {

    static final int MAGIC = 0x514649fb;
    static final int BACKING_FORMAT = 0xe2792aca;

    final int version;
    final int clusterBits;
    final long size;
    final int refcountOrder;
    final int headerLength;
    final long autoclear;
    final int l1Size;
    final long l1Offset;
    final long refcountTableOffset;
    final int refcountTableClusters;
    final int snapshotCount;
    final long snapshotOffset;
    final Optional<String> backingName;
    final Optional<String> backingFormat;
    private final String fileName;

    private MutantHeader(String fileName, MutantFile file, Set<Fault> faults) throws DiskException {
        this.fileName = fileName;
        ByteBuffer fixed = file.buffer(0, 104);
        demand(file.host().size() >= 72 && fixed.getInt(0) == MAGIC, HeaderClause.QC_HDR_01, 0, "the magic");
        version = fixed.getInt(4);
        demand(version == 2 || version == 3, HeaderClause.QC_HDR_02, 4, "2 or 3");
        boolean third = version == 3 || faults.contains(Fault.VERSION_2_READ_AS_3);
        clusterBits = fixed.getInt(20);
        demand(clusterBits >= 9, HeaderClause.QC_HDR_06, 20, "9 or more");
        demand(clusterBits <= 21, LimitClause.QC_LIM_01, 20, "21 or less");
        size = fixed.getLong(24);
        demand(size >= 0, LimitClause.QC_LIM_06, 24, "below 2^63");
        refuse(fixed.getInt(32) != 0, HeaderClause.QC_HDR_08, "encryption");
        long known = faults.contains(Fault.UNKNOWN_INCOMPATIBLE_BIT_IGNORED) ? ~0L : 3;
        long unknown = third ? fixed.getLong(72) & ~known : 0;
        // QC-HDR-15: a bit that is not known may change the meaning of anything.
        refuse(unknown != 0, HeaderClause.QC_HDR_15, "incompatible bit " + Long.numberOfTrailingZeros(unknown));
        autoclear = third ? fixed.getLong(88) : 0;
        refcountOrder = third ? fixed.getInt(96) : 4;
        demand(refcountOrder >= 0 && refcountOrder <= 6, HeaderClause.QC_HDR_24, 96, "0 to 6");
        headerLength = third ? fixed.getInt(100) : 72;
        demand(
                headerLength >= (third ? 104 : 72) && headerLength <= 1 << clusterBits,
                HeaderClause.QC_HDR_14,
                100,
                "104 or more");
        l1Size = fixed.getInt(36);
        demand(l1Size >= 0 && l1Size <= 1 << 22, LimitClause.QC_LIM_02, 36, "at most 32 MiB");
        l1Offset = aligned(fixed, 40, HeaderClause.QC_HDR_09);
        refcountTableOffset = aligned(fixed, 48, HeaderClause.QC_HDR_10);
        refcountTableClusters = fixed.getInt(56);
        demand(
                refcountTableClusters > 0 && (long) refcountTableClusters << clusterBits <= 8 << 20,
                LimitClause.QC_LIM_03,
                56,
                "1 cluster to 8 MiB");
        snapshotCount = fixed.getInt(60);
        demand(snapshotCount >= 0 && snapshotCount <= 65536, LimitClause.QC_LIM_05, 60, "at most 65536");
        snapshotOffset = aligned(fixed, 64, HeaderClause.QC_HDR_12);
        backingName = name(fixed, file);
        boolean fixedPlace = faults.contains(Fault.HEADER_LENGTH_IGNORED) && version == 3;
        backingFormat = extension(file, fixedPlace ? 104 : headerLength, BACKING_FORMAT);
    }

    static MutantHeader read(String fileName, MutantFile file, Set<Fault> faults) throws DiskException {
        return new MutantHeader(fileName, file, faults);
    }

    int clusterSize() {
        return 1 << clusterBits;
    }

    private long aligned(ByteBuffer fixed, int place, Clause clause) throws DiskException {
        long value = fixed.getLong(place);
        demand(value >= 0 && (value & (clusterSize() - 1)) == 0, clause, place, "a multiple of the cluster size");
        return value;
    }

    private Optional<String> name(ByteBuffer fixed, MutantFile file) throws DiskException {
        long offset = fixed.getLong(8);
        int length = fixed.getInt(16);
        if (offset == 0) {
            return Optional.empty();
        }
        demand(length >= 1 && length <= 1023, HeaderClause.QC_HDR_05, 16, "1 to 1023");
        demand(offset > 0 && offset + length <= clusterSize(), ExtensionClause.QC_EXT_08, 8, "the first cluster");
        return Optional.of(new String(file.bytes(offset, length), StandardCharsets.UTF_8));
    }

    /** QC-EXT-01 and QC-EXT-02: finds an extension by its type. */
    private Optional<String> extension(MutantFile file, int start, int wanted) throws DiskException {
        byte[] bytes = file.bytes(0, clusterSize());
        ByteBuffer cluster = ByteBuffer.wrap(bytes);
        int at = start;
        while (at + 8 <= clusterSize() && cluster.getInt(at) != 0) {
            int length = cluster.getInt(at + 4);
            demand(length >= 0 && length <= clusterSize() - at - 8, ExtensionClause.QC_EXT_03, at, "the first cluster");
            if (cluster.getInt(at) == wanted) {
                return Optional.of(new String(bytes, at + 8, length, StandardCharsets.UTF_8));
            }
            at += 8 + (length + 7) / 8 * 8;
        }
        return Optional.empty();
    }

    private void demand(boolean holds, Clause clause, long place, String allowed) throws DiskException {
        if (!holds) {
            throw new MalformedImageException(fileName, clause, place, "something else", allowed);
        }
    }

    private void refuse(boolean refused, Clause clause, String feature) throws DiskException {
        if (refused) {
            throw new UnsupportedFeatureException(fileName, clause, feature);
        }
    }
}
