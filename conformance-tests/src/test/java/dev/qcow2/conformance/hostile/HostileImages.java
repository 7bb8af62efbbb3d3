package dev.qcow2.conformance.hostile;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import dev.qcow2.spec.layout.Structure;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Makes files that nobody should write, from valid ones or from nothing. The same seed makes the
 * same files; a fuzz target can take {@link #mutated} with its own bytes as the seed.
 */
public final class HostileImages {

    private HostileImages() {}

    /**
     * Cuts an image in the header, at each cluster border, and beside it.
     *
     * @param base a valid image
     * @return one image for each length
     * @throws DiskException never
     */
    public static List<HostileImage> truncated(HostileBase base) throws DiskException {
        Set<Long> lengths = new LinkedHashSet<>();
        long size = base.bytes().length;
        for (long length = 0; length <= 160; length++) {
            lengths.add(length);
        }
        int step = base.clusterSize();
        for (long border = step; border <= size; border += step) {
            lengths.addAll(List.of(border - 1, border, border + 1));
        }
        List<HostileImage> images = new ArrayList<>();
        for (long length : lengths) {
            images.add(base.truncated(length));
        }
        return images;
    }

    /**
     * Puts extremes into each field of the header, one at a time.
     *
     * @param base a valid image
     * @return one image for each field and value
     * @throws DiskException never
     */
    public static List<HostileImage> headerFields(HostileBase base) throws DiskException {
        Structure<ByteField> header =
                base.header(HeaderLayout.VERSION) == 2 ? HeaderLayout.HEADER_V2 : HeaderLayout.HEADER_V3;
        return fields(base, header, 0);
    }

    /**
     * Puts extremes into the fields of the first snapshot's entry.
     *
     * @param base a valid image
     * @return one image for each field and value; none if the base has no snapshot
     * @throws DiskException never
     */
    public static List<HostileImage> snapshotFields(HostileBase base) throws DiskException {
        List<HostileImage> images = new ArrayList<>();
        long place = base.header(HeaderLayout.SNAPSHOTS_OFFSET);
        if (place != 0) {
            images.addAll(fields(base, SnapshotLayout.ENTRY, place));
            images.addAll(fields(base, SnapshotLayout.EXTRA_DATA, place + SnapshotLayout.ENTRY.size()));
        }
        return images;
    }

    private static List<HostileImage> fields(HostileBase base, Structure<ByteField> structure, long place)
            throws DiskException {
        byte[] bytes = base.bytes();
        List<HostileImage> images = new ArrayList<>();
        for (ByteField field : structure.fields()) {
            if (field.isNumber()) {
                long now = field.get(ByteBuffer.wrap(bytes), (int) place);
                for (long value : Extremes.of(field.width(), now, base.clusterSize(), bytes.length)) {
                    images.add(base.with(
                            field.name() + " = 0x" + Long.toHexString(value),
                            place + field.offset(),
                            number(field.width(), value)));
                }
            }
        }
        return images;
    }

    private static byte[] number(int width, long value) {
        byte[] bytes = new byte[width];
        for (int i = 0; i < width; i++) {
            bytes[i] = (byte) (value >>> (8 * (width - 1 - i)));
        }
        return bytes;
    }

    /**
     * Puts extremes into several fields of the header at once.
     *
     * @param base a valid image
     * @param seed decides which
     * @param count how many images
     * @return images
     * @throws DiskException never
     */
    public static List<HostileImage> headerCombinations(HostileBase base, long seed, int count) throws DiskException {
        Random random = new Random(seed);
        List<ByteField> fields = HeaderLayout.HEADER_V3.fields().stream()
                .filter(ByteField::isNumber)
                .toList();
        List<HostileImage> images = new ArrayList<>();
        byte[] bytes = base.bytes();
        for (int i = 0; i < count; i++) {
            ByteBuffer header = ByteBuffer.wrap(bytes.clone(), 0, HeaderLayout.HEADER_V3.size());
            StringBuilder what = new StringBuilder();
            for (int changes = 2 + random.nextInt(3); changes > 0; changes--) {
                // The magic and the version stay, or nearly all of the images would end there.
                ByteField field = fields.get(2 + random.nextInt(fields.size() - 2));
                long now = field.get(header, 0);
                List<Long> values = List.copyOf(Extremes.of(field.width(), now, base.clusterSize(), bytes.length));
                long value = values.get(random.nextInt(values.size()));
                field.set(header, 0, value);
                what.append(field.name())
                        .append(" = 0x")
                        .append(Long.toHexString(value))
                        .append(' ');
            }
            byte[] changed = new byte[HeaderLayout.HEADER_V3.size()];
            header.get(changed);
            images.add(base.with(what.toString().trim(), 0, changed));
        }
        return images;
    }

    /**
     * Spoils entries of the L1 table, of L2 tables and of the refcount table, field by field and with
     * offsets of places that they must not name; and the counts of the first block.
     *
     * @param base a valid image
     * @return one image for each entry and value
     * @throws DiskException never
     */
    public static List<HostileImage> entries(HostileBase base) throws DiskException {
        ByteBuffer bytes = ByteBuffer.wrap(base.bytes());
        long l1 = base.header(HeaderLayout.L1_TABLE_OFFSET);
        long refcounts = base.header(HeaderLayout.REFCOUNT_TABLE_OFFSET);
        List<HostileImage> images = new ArrayList<>();
        long l2 = 0;
        for (int i = 0; i < base.header(HeaderLayout.L1_SIZE); i++) {
            long entry = bytes.getLong((int) l1 + i * 8);
            if (entry != 0 && l2 == 0) {
                l2 = MappingLayout.L1_OFFSET.inPlace(entry);
                images.addAll(entry(base, "L1 entry", MappingLayout.L1_ENTRY, l1 + i * 8L));
            }
        }
        for (int i = 0; i < 18; i++) {
            images.addAll(entry(base, "L2 entry", MappingLayout.L2_STANDARD, l2 + i * 8L));
        }
        images.addAll(entry(base, "refcount table entry", RefcountLayout.TABLE_ENTRY, refcounts));
        images.addAll(entry(base, "second refcount table entry", RefcountLayout.TABLE_ENTRY, refcounts + 8));
        long block = RefcountLayout.BLOCK_OFFSET.inPlace(bytes.getLong((int) refcounts));
        for (long value : new long[] {0, -1, 1, Long.MIN_VALUE, 0x0101_0101_0101_0101L}) {
            for (long place = block; place < block + 64; place += 8) {
                images.add(base.withEntry("refcounts", place, value));
            }
        }
        return images;
    }

    private static List<HostileImage> entry(HostileBase base, String what, Structure<BitField> layout, long place)
            throws DiskException {
        long now = ByteBuffer.wrap(base.bytes()).getLong((int) place);
        Set<Long> values = new LinkedHashSet<>();
        for (BitField field : layout.fields()) {
            values.add(field.set(now, -1));
            values.add(field.set(now, 0));
            values.add(field.set(now, 1));
            values.add(field.set(0, -1));
        }
        long size = base.bytes().length;
        long cluster = base.clusterSize();
        long[] targets = {
            0,
            base.header(HeaderLayout.L1_TABLE_OFFSET),
            base.header(HeaderLayout.REFCOUNT_TABLE_OFFSET),
            base.header(HeaderLayout.REFCOUNT_TABLE_OFFSET) + cluster,
            place & -cluster,
            size & -cluster,
            size + cluster & -cluster,
            (size / 2 & -cluster) | 512,
            1L << 55,
            Long.MAX_VALUE & -cluster,
        };
        for (long target : targets) {
            values.addAll(List.of(target, target | Long.MIN_VALUE, target | 1, target | Long.MIN_VALUE | 1));
        }
        values.addAll(List.of(-1L, Long.MAX_VALUE, 0x5555_5555_5555_5555L, 1L << 62));
        values.remove(now);
        List<HostileImage> images = new ArrayList<>();
        for (long value : values) {
            images.add(base.withEntry(what, place, value));
        }
        return images;
    }

    /**
     * Makes files of random bytes, without and with a valid beginning.
     *
     * @param seed decides the bytes
     * @param count how many of each kind
     * @return images
     * @throws DiskException never
     */
    public static List<HostileImage> random(long seed, int count) throws DiskException {
        Random random = new Random(seed);
        List<HostileImage> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] bytes = new byte[random.nextInt(20_000)];
            random.nextBytes(bytes);
            images.add(alone("random bytes " + i, bytes));
            ByteBuffer marked = ByteBuffer.wrap(bytes.clone());
            if (marked.remaining() >= 8) {
                marked.putInt((int) HeaderLayout.MAGIC_VALUE).putInt(2 + i % 2);
                images.add(alone("random bytes behind magic and version " + i, marked.array()));
            }
        }
        return images;
    }

    /**
     * Changes a valid image at random places: single bits, numbers at extremes, blocks copied over others.
     *
     * @param base a valid image
     * @param random decides where and what
     * @return an image that shares nothing with the base
     * @throws DiskException never
     */
    public static HostileImage mutated(HostileBase base, Random random) throws DiskException {
        byte[] bytes = base.bytes();
        int cluster = base.clusterSize();
        StringBuilder what = new StringBuilder("mutated");
        for (int changes = 1 + random.nextInt(6); changes > 0; changes--) {
            // Metadata stands in the first clusters; most changes go there.
            int reach = random.nextInt(3) > 0 ? Math.min(bytes.length, 6 * cluster) : bytes.length;
            int place = random.nextInt(reach);
            switch (random.nextInt(3)) {
                case 0 -> bytes[place] ^= (byte) (1 << random.nextInt(8));
                case 1 -> {
                    int aligned = Math.min(place & ~7, bytes.length - 8);
                    ByteBuffer view = ByteBuffer.wrap(bytes);
                    List<Long> values = List.copyOf(Extremes.of(8, view.getLong(aligned), cluster, bytes.length));
                    view.putLong(aligned, values.get(random.nextInt(values.size())));
                }
                default -> {
                    int from = random.nextInt(bytes.length);
                    int length = Math.min(bytes.length - Math.max(from, place), 1 + random.nextInt(64));
                    System.arraycopy(bytes, from, bytes, place, length);
                }
            }
            what.append(' ').append(place);
        }
        HostileImage image = base.truncated(bytes.length);
        image.directory().put(HostileBase.IMAGE, MemoryFileContent.of(bytes));
        return new HostileImage(base.name() + ": " + what, image.directory(), image.fileName());
    }

    static HostileImage alone(String name, byte[] bytes) {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        directory.put(HostileBase.IMAGE, MemoryFileContent.of(bytes));
        return new HostileImage(name, directory, HostileBase.IMAGE);
    }
}
