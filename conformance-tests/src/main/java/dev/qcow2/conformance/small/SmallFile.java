package dev.qcow2.conformance.small;

import dev.qcow2.conformance.small.SmallEntry.Kind;
import dev.qcow2.conformance.small.SmallImage.Snapshot;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;

/**
 * The bytes of a small image. Every structure has a host cluster of its own, whether it is there or
 * not, so that a rule can be broken by changing a field that is easy to find.
 */
final class SmallFile {

    /** Bytes of a cluster. */
    static final int CLUSTER = 512;

    /** Host clusters of the file. */
    static final int HOSTS = 10;

    static final int REFCOUNT_TABLE = 1;
    static final int REFCOUNT_BLOCK = 2;
    static final int L1 = 3;
    static final int L2 = 4;
    static final int SNAPSHOTS = 5;
    static final int SAVED_L1 = 6;
    static final int SAVED_L2 = 7;
    static final int FIRST_DATA = 8;

    static final long COPIED = 1L << 63;
    static final long COMPRESSED = 1L << 62;
    static final long ZERO = 1;

    private final SmallImage image;
    private final int[] counts = new int[HOSTS];
    private final long[] active = new long[SmallImage.CLUSTERS];
    private final long[] saved = new long[SmallImage.CLUSTERS];
    private final long[] l1 = new long[2];
    private long refcountBlock = REFCOUNT_BLOCK * CLUSTER;
    private long savedL1 = SAVED_L1 * CLUSTER;

    SmallFile(SmallImage image) {
        this.image = image;
        boolean own = image.snapshot() == Snapshot.OWN_TABLE;
        boolean shared = image.snapshot() == Snapshot.SHARED_TABLE && image.table();
        for (int always : new int[] {0, REFCOUNT_TABLE, REFCOUNT_BLOCK, L1}) {
            counts[always] = 1;
        }
        counts[L2] = image.table() ? shared ? 2 : 1 : 0;
        counts[SNAPSHOTS] = image.snapshot() == Snapshot.NONE ? 0 : 1;
        counts[SAVED_L1] = counts[SNAPSHOTS];
        counts[SAVED_L2] = own ? 1 : 0;
        for (int host = 0; host < SmallImage.CLUSTERS; host++) {
            counts[FIRST_DATA + host] = image.references(host);
        }
        for (int cluster = 0; cluster < SmallImage.CLUSTERS; cluster++) {
            active[cluster] = entry(image.active().get(cluster), cluster);
            saved[cluster] = own ? entry(image.saved().get(cluster), cluster) : 0;
        }
        // The active table's, and the snapshot's.
        l1[0] = image.table() ? (long) L2 * CLUSTER : 0;
        l1[1] = own ? (long) SAVED_L2 * CLUSTER : l1[0];
        copiedByCounts();
    }

    private static long entry(SmallEntry entry, int cluster) {
        long host = (long) (FIRST_DATA + entry.host()) * CLUSTER;
        return switch (entry.kind()) {
            case UNALLOCATED -> 0;
            case ZERO -> ZERO;
            case ZERO_ALLOCATED -> host | ZERO;
            case NORMAL -> host;
            // QC-L2-12: no further sector, and the streams of the two guest clusters lie side by side.
            case COMPRESSED -> COMPRESSED | (host + (long) cluster * (CLUSTER / 2));
        };
    }

    /** QC-L1-03, QC-L2-03: COPIED in the active tables says whether the stored count is 1. */
    void copiedByCounts() {
        l1[0] = withCopied(l1[0], counts[L2]);
        for (int cluster = 0; cluster < SmallImage.CLUSTERS; cluster++) {
            SmallEntry entry = image.active().get(cluster);
            if (entry.kind().hosted() && !entry.compressed()) {
                active[cluster] = withCopied(active[cluster], counts[FIRST_DATA + entry.host()]);
            }
        }
    }

    private static long withCopied(long entry, int count) {
        return entry != 0 && count == 1 ? entry | COPIED : entry & ~COPIED;
    }

    SmallImage image() {
        return image;
    }

    int count(int host) {
        return counts[host];
    }

    void addToCount(int host, int difference) {
        counts[host] += difference;
    }

    long activeEntry(int cluster) {
        return active[cluster];
    }

    /** Changes bits of an active entry. */
    void flipActive(int cluster, long bits) {
        active[cluster] ^= bits;
    }

    /** Puts another entry in the place of an active one. */
    void setActive(int cluster, long entry) {
        active[cluster] = entry;
    }

    /** Changes bits of the active L1 entry. */
    void flipL1(long bits) {
        l1[0] ^= bits;
    }

    /** Changes bits of the refcount table's entry. */
    void flipRefcountTable(long bits) {
        refcountBlock ^= bits;
    }

    /** Changes bits of the offset of the snapshot's L1 table. */
    void flipSavedL1(long bits) {
        savedL1 ^= bits;
    }

    /** What the guest reads, by the definitions. */
    byte[] guest(List<SmallEntry> entries) {
        byte[] bytes = new byte[SmallImage.CLUSTERS * CLUSTER];
        for (int cluster = 0; cluster < SmallImage.CLUSTERS; cluster++) {
            SmallEntry entry = entries.get(cluster);
            byte[] content =
                    switch (entry.kind()) {
                        case UNALLOCATED, ZERO, ZERO_ALLOCATED -> new byte[CLUSTER];
                        case NORMAL -> plain(entry.host());
                        case COMPRESSED -> unpacked(entry.host(), cluster);
                    };
            System.arraycopy(content, 0, bytes, cluster * CLUSTER, CLUSTER);
        }
        return bytes;
    }

    /** The plain bytes of a data cluster, which must not show where the cluster reads as zero. */
    private static byte[] plain(int host) {
        byte[] bytes = new byte[CLUSTER];
        for (int i = 0; i < CLUSTER; i++) {
            bytes[i] = (byte) (1 + host * 100 + i % 97);
        }
        return bytes;
    }

    private static byte[] unpacked(int host, int cluster) {
        byte[] bytes = new byte[CLUSTER];
        Arrays.fill(bytes, (byte) (0x40 + 2 * host + cluster));
        return bytes;
    }

    private static byte[] packed(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
        deflater.setInput(bytes);
        deflater.finish();
        byte[] stream = new byte[CLUSTER / 2];
        int length = deflater.deflate(stream);
        deflater.end();
        return Arrays.copyOf(stream, length);
    }

    /** The file. */
    byte[] toBytes() {
        ByteBuffer file = ByteBuffer.allocate(HOSTS * CLUSTER);
        header(file);
        file.putLong(REFCOUNT_TABLE * CLUSTER, refcountBlock);
        for (int host = 0; host < HOSTS; host++) {
            // QC-HDR-13: counts of 16 bits, which is all that version 2 has.
            file.putShort(REFCOUNT_BLOCK * CLUSTER + 2 * host, (short) counts[host]);
        }
        file.putLong(L1 * CLUSTER, l1[0]);
        for (int cluster = 0; cluster < SmallImage.CLUSTERS; cluster++) {
            file.putLong(L2 * CLUSTER + 8 * cluster, image.table() ? active[cluster] : 0);
        }
        if (image.snapshot() != Snapshot.NONE) {
            snapshot(file);
        }
        for (int host = 0; host < SmallImage.CLUSTERS; host++) {
            data(file, host);
        }
        return file.array();
    }

    private void header(ByteBuffer file) {
        boolean snapshots = image.snapshot() != Snapshot.NONE;
        file.putInt(0, 0x514649fb).putInt(4, image.version()).putInt(20, 9);
        file.putLong(24, SmallImage.CLUSTERS * CLUSTER);
        file.putInt(36, 1).putLong(40, L1 * CLUSTER);
        file.putLong(48, REFCOUNT_TABLE * CLUSTER).putInt(56, 1);
        file.putInt(60, snapshots ? 1 : 0).putLong(64, snapshots ? SNAPSHOTS * CLUSTER : 0);
        if (image.version() == 3) {
            file.putInt(96, 4).putInt(100, 104);
        }
    }

    private void snapshot(ByteBuffer file) {
        int at = SNAPSHOTS * CLUSTER;
        file.putLong(at, savedL1).putInt(at + 8, 1);
        file.putShort(at + 12, (short) 1).putShort(at + 14, (short) 1);
        // QC-SNAP-07: sizes of the machine's state and of the disk.
        file.putInt(at + 36, 16).putLong(at + 48, SmallImage.CLUSTERS * CLUSTER);
        file.put(at + 56, (byte) '1').put(at + 57, (byte) 's');
        file.putLong(SAVED_L1 * CLUSTER, l1[1] & ~COPIED);
        for (int cluster = 0; cluster < SmallImage.CLUSTERS; cluster++) {
            file.putLong(SAVED_L2 * CLUSTER + 8 * cluster, saved[cluster]);
        }
    }

    private void data(ByteBuffer file, int host) {
        int at = (FIRST_DATA + host) * CLUSTER;
        boolean compressed =
                image.entries().stream().anyMatch(entry -> entry.host() == host && entry.kind() == Kind.COMPRESSED);
        if (!compressed) {
            file.put(at, plain(host));
            return;
        }
        for (int cluster = 0; cluster < SmallImage.CLUSTERS; cluster++) {
            file.put(at + cluster * (CLUSTER / 2), packed(unpacked(host, cluster)));
        }
    }
}
