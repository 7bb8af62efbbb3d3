package dev.qcow2.spec.audit;

import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.BitmapLayout;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import dev.qcow2.spec.layout.Structure;
import java.util.List;
import java.util.SplittableRandom;

/** Spoils an image at random places, of which each is a number that means something. */
final class RandomDamage {

    private static final List<ByteField> HEADER_FIELDS = List.of(
            HeaderLayout.L1_SIZE,
            HeaderLayout.L1_TABLE_OFFSET,
            HeaderLayout.REFCOUNT_TABLE_OFFSET,
            HeaderLayout.REFCOUNT_TABLE_CLUSTERS,
            HeaderLayout.NB_SNAPSHOTS,
            HeaderLayout.SNAPSHOTS_OFFSET);
    private static final BitField COPIED = MappingLayout.L2_COPIED;

    private final PatchedImage image;
    private final SplittableRandom random;

    RandomDamage(PatchedImage image, SplittableRandom random) {
        this.image = image;
        this.random = random;
    }

    /** Spoils one place or a few, and says what was done. */
    String spoil() {
        StringBuilder what = new StringBuilder();
        for (int times = 1 + random.nextInt(3); times > 0; times--) {
            what.append(spoilOnce()).append("; ");
        }
        return what.toString();
    }

    private String spoilOnce() {
        int l1Size = (int) image.header(HeaderLayout.L1_SIZE);
        return switch (random.nextInt(9)) {
            case 0 -> spoilCount();
            case 1 -> spoilEntry(image.refcountTableAt(random.nextInt(3)));
            case 2 -> spoilHeader();
            case 3 -> l1Size == 0 ? "nothing" : spoilEntry(image.l1At(random.nextInt(l1Size)));
            case 4 -> spoilExtension();
            case 5 -> image.header(HeaderLayout.NB_SNAPSHOTS) > 0 ? spoilSnapshot() : spoilBitmap();
            default -> l1Size == 0 ? "nothing" : spoilL2(random.nextInt(l1Size));
        };
    }

    private String spoilCount() {
        long cluster = random.nextLong(image.size() / image.clusterSize());
        long count = random.nextInt(4);
        image.count(cluster, count);
        return "count of cluster " + cluster + " = " + count;
    }

    private String spoilHeader() {
        ByteField field = HEADER_FIELDS.get(random.nextInt(HEADER_FIELDS.size()));
        long value = field.width() == 4 ? random.nextInt(4) : clusterOffset();
        image.header(field, value);
        return field.name() + " = " + value;
    }

    private String spoilExtension() {
        long bitmaps = image.extensionAt(ExtensionLayout.TYPE_BITMAPS);
        long encryption = image.extensionAt(ExtensionLayout.TYPE_ENCRYPTION);
        if (bitmaps != 0 && random.nextInt(3) > 0) {
            return spoilField(ExtensionLayout.BITMAPS, bitmaps);
        }
        if (encryption != 0 && random.nextInt(3) > 0) {
            return spoilField(ExtensionLayout.ENCRYPTION, encryption);
        }
        return spoilField(ExtensionLayout.HEAD, image.extensionsAt());
    }

    private String spoilSnapshot() {
        long at = image.header(HeaderLayout.SNAPSHOTS_OFFSET);
        return random.nextInt(4) == 0
                ? spoilField(SnapshotLayout.EXTRA_DATA, at + SnapshotLayout.ENTRY.size())
                : spoilField(SnapshotLayout.ENTRY, at);
    }

    private String spoilBitmap() {
        long extension = image.extensionAt(ExtensionLayout.TYPE_BITMAPS);
        if (extension == 0) {
            return "nothing";
        }
        long directory = image.pristine(ExtensionLayout.BITMAP_DIRECTORY_OFFSET, extension);
        if (random.nextBoolean()) {
            return spoilField(BitmapLayout.DIRECTORY_ENTRY, directory);
        }
        long table = image.pristine(BitmapLayout.TABLE_OFFSET, directory);
        return spoilEntry(table + 8L * random.nextInt((int) image.pristine(BitmapLayout.TABLE_SIZE, directory)));
    }

    private String spoilField(Structure<ByteField> structure, long at) {
        ByteField field =
                structure.fields().get(random.nextInt(structure.fields().size()));
        long old = image.get(field, at);
        long value =
                switch (random.nextInt(5)) {
                    case 0 -> old ^ (1L << random.nextInt(8 * field.width()));
                    case 1 -> clusterOffset();
                    case 2 -> 0;
                    case 3 -> old + 1 + random.nextInt(8);
                    default -> random.nextInt(40);
                };
        image.set(field, at, value);
        return String.format("%s at 0x%x: %x = %x", field.name(), at, old, value);
    }

    private String spoilL2(int l1Index) {
        int entries = (int) image.clusterSize() / (image.extended() ? 16 : 8);
        long at = image.l2At(l1Index, random.nextInt(random.nextBoolean() ? 10 : entries));
        if (image.clusterOf(image.l1At(l1Index)) == 0 || at + 16 > image.size()) {
            return "nothing";
        }
        boolean bitmap = image.extended() && random.nextInt(3) == 0;
        return spoilEntry(bitmap ? at + 8 : at);
    }

    private String spoilEntry(long at) {
        long old = image.entry(at);
        long value =
                switch (random.nextInt(9)) {
                    case 0 -> old ^ COPIED.mask();
                    case 1 -> old ^ MappingLayout.L2_COMPRESSED.mask();
                    case 2 -> old ^ (1L << random.nextInt(64));
                    case 3 -> COPIED.inPlace(old) | clusterOffset();
                    case 4 -> clusterOffset() + 4 * image.clusterSize();
                    case 5 -> 0;
                    case 6 -> old ^ MappingLayout.L2_ZERO.mask();
                    case 7 -> old + random.nextInt(3000) - 1500;
                    default -> old + 512L * random.nextInt(4);
                };
        image.entry(at, value);
        return String.format("entry at 0x%x: %016x = %016x", at, old, value);
    }

    private long clusterOffset() {
        return random.nextLong(image.size() / image.clusterSize()) << image.clusterBits();
    }
}
