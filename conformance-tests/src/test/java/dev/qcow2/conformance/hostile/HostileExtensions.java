package dev.qcow2.conformance.hostile;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes header extensions and backing names that nobody should write. */
public final class HostileExtensions {

    private static final long[] LENGTHS = {
        0,
        1,
        7,
        8,
        9,
        47,
        48,
        49,
        96,
        100,
        1000,
        3900,
        4096,
        0xffff,
        0x7fff_ffffL,
        0x8000_0000L,
        0xffff_fff0L,
        0xffff_fff8L,
        0xffff_ffffL
    };

    private HostileExtensions() {}

    /**
     * Puts an extension of each type and of each absurd length behind the header.
     *
     * @param base a valid image
     * @return images
     * @throws DiskException never
     */
    public static List<HostileImage> lengths(HostileBase base) throws DiskException {
        long[] types = {
            ExtensionLayout.TYPE_END,
            ExtensionLayout.TYPE_BACKING_FORMAT,
            ExtensionLayout.TYPE_FEATURE_NAMES,
            ExtensionLayout.TYPE_BITMAPS,
            ExtensionLayout.TYPE_ENCRYPTION,
            ExtensionLayout.TYPE_DATA_FILE,
            0x1234_5678L,
            0xffff_ffffL
        };
        List<HostileImage> images = new ArrayList<>();
        for (long type : types) {
            for (long length : LENGTHS) {
                ByteBuffer head = ByteBuffer.allocate(8).putInt((int) type).putInt((int) length);
                images.add(base.with(
                        String.format("extension 0x%08x of %d bytes", type, length), headerLength(base), head.array()));
            }
        }
        images.add(twice(base, ExtensionLayout.TYPE_FEATURE_NAMES));
        images.add(twice(base, ExtensionLayout.TYPE_BACKING_FORMAT));
        images.add(endless(base));
        return images;
    }

    private static long headerLength(HostileBase base) throws DiskException {
        return base.header(HeaderLayout.VERSION) == 2 ? 72 : base.header(HeaderLayout.HEADER_LENGTH);
    }

    private static HostileImage twice(HostileBase base, long type) throws DiskException {
        ByteBuffer both = ByteBuffer.allocate(40);
        both.putInt((int) type)
                .putInt(3)
                .put("raw".getBytes(StandardCharsets.US_ASCII))
                .position(16);
        both.putInt((int) type).putInt(3).put("raw".getBytes(StandardCharsets.US_ASCII));
        return base.with(String.format("extension 0x%08x twice", type), headerLength(base), both.array());
    }

    /** Empty extensions up to the very end of the cluster, and none that ends the area. */
    private static HostileImage endless(HostileBase base) throws DiskException {
        int start = (int) headerLength(base);
        ByteBuffer all = ByteBuffer.allocate(base.clusterSize() - start);
        while (all.remaining() >= 8) {
            all.putInt(0x1234_5678).putInt(0);
        }
        return base.with("extensions without end", start, all.array());
    }

    /**
     * Names features that the image then needs, in tables of odd lengths and with odd names.
     *
     * @param base a valid image of version 3
     * @return images
     * @throws DiskException never
     */
    public static List<HostileImage> featureNames(HostileBase base) throws DiskException {
        List<HostileImage> images = new ArrayList<>();
        int start = (int) headerLength(base);
        for (int length : new int[] {0, 1, 2, 3, 47, 48, 49, 95, 96, 150}) {
            for (int bit : new int[] {5, 63, 64, 255}) {
                ByteBuffer cluster = ByteBuffer.wrap(base.bytes(), 0, base.clusterSize());
                // A name of full length has no terminating zero; this one is not UTF-8 either.
                cluster.putInt(start, (int) ExtensionLayout.TYPE_FEATURE_NAMES).putInt(start + 4, length);
                for (int i = 0; i < length; i++) {
                    cluster.put(start + 8 + i, (byte) (i % 48 == 0 ? 0 : i % 48 == 1 ? bit : 0xc3));
                }
                cluster.putLong(start + 8 + (length + 7) / 8 * 8, 0);
                HeaderLayout.INCOMPATIBLE_FEATURES.set(cluster, 0, bit < 64 ? 1L << bit : 1L << 40);
                byte[] bytes = new byte[base.clusterSize()];
                cluster.get(0, bytes);
                images.add(base.with("feature name table of " + length + " bytes names bit " + bit, 0, bytes));
            }
        }
        return images;
    }

    /**
     * Makes images whose backing file's name or format is odd.
     *
     * @param base a valid image without a backing file, but with a file {@code backing} beside it
     * @return images
     * @throws DiskException never
     */
    public static List<HostileImage> backingNames(HostileBase base) throws DiskException {
        int start = (int) headerLength(base);
        List<HostileImage> images = new ArrayList<>();
        byte[] usual = "backing".getBytes(StandardCharsets.UTF_8);
        List<byte[]> names = List.of(
                "missing".getBytes(StandardCharsets.UTF_8),
                "back\0ing".getBytes(StandardCharsets.UTF_8),
                new byte[] {0},
                new byte[] {(byte) 0xc3, 0x28, (byte) 0xff, (byte) 0xfe},
                "/".getBytes(StandardCharsets.UTF_8),
                "..".getBytes(StandardCharsets.UTF_8),
                ".".getBytes(StandardCharsets.UTF_8),
                "a/".repeat(500).getBytes(StandardCharsets.UTF_8),
                "json:{\"driver\":\"raw\"}".getBytes(StandardCharsets.UTF_8),
                "nbd://localhost/x".getBytes(StandardCharsets.UTF_8),
                HostileBase.IMAGE.getBytes(StandardCharsets.UTF_8));
        for (byte[] name : names) {
            images.add(backing(base, start + 64, name, name.length, ""));
        }
        for (String format : new String[] {"qcow2", "raw\0", "RAW", "vmdk", "file", "\u00ff"}) {
            images.add(backing(base, start + 64, usual, usual.length, format));
        }
        for (int length : new int[] {0, 1, 1022, 1023, 1024, 4096, 0x7fff_ffff, 0x8000_0000, -1}) {
            images.add(backing(base, start + 64, usual, length, "raw"));
        }
        long cluster = base.clusterSize();
        for (long place : new long[] {1, 71, start, cluster - 1, cluster - 7, cluster, 1L << 40, -1, Long.MIN_VALUE}) {
            images.add(backing(base, place, usual, usual.length, "raw"));
        }
        return images;
    }

    private static HostileImage backing(HostileBase base, long place, byte[] name, int length, String format)
            throws DiskException {
        byte[] bytes = base.bytes();
        ByteBuffer header = ByteBuffer.wrap(bytes);
        HeaderLayout.BACKING_FILE_OFFSET.set(header, 0, place);
        HeaderLayout.BACKING_FILE_SIZE.set(header, 0, length);
        int start = (int) headerLength(base);
        byte[] formatBytes = format.getBytes(StandardCharsets.UTF_8);
        if (formatBytes.length > 0) {
            header.position(start);
            header.putInt((int) ExtensionLayout.TYPE_BACKING_FORMAT)
                    .putInt(formatBytes.length)
                    .put(formatBytes);
        }
        if (place >= start + 32 && place < base.clusterSize() - name.length) {
            System.arraycopy(name, 0, bytes, (int) place, name.length);
        }
        String shown = new String(name, StandardCharsets.ISO_8859_1).replaceAll("[^a-z/.:]", "?");
        return base.with(
                "backing \"" + shown.substring(0, Math.min(20, shown.length())) + "\" of length " + length + " at "
                        + place + " format \"" + format + "\"",
                0,
                bytes);
    }
}
