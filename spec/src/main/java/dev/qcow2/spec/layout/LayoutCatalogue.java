package dev.qcow2.spec.layout;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Every structure of the format. */
public final class LayoutCatalogue {

    private LayoutCatalogue() {}

    /**
     * Returns the structures whose fields are bytes.
     *
     * @return in the order of the format's chapters
     */
    public static List<Structure<ByteField>> structures() {
        return List.of(
                HeaderLayout.HEADER_V2,
                HeaderLayout.HEADER_V3,
                ExtensionLayout.HEAD,
                ExtensionLayout.FEATURE_NAME_ENTRY,
                ExtensionLayout.BITMAPS,
                ExtensionLayout.ENCRYPTION,
                SnapshotLayout.ENTRY,
                SnapshotLayout.EXTRA_DATA,
                SnapshotLayout.LONG_EXTRA_DATA,
                BitmapLayout.DIRECTORY_ENTRY,
                EncryptionLayout.LUKS_HEADER,
                EncryptionLayout.KEY_SLOT);
    }

    /**
     * Returns the entries and flags whose fields are bits.
     *
     * @return in the order of the format's chapters; compressed descriptors for each cluster size
     */
    public static List<Structure<BitField>> entries() {
        return Stream.concat(
                        Stream.of(
                                HeaderLayout.INCOMPATIBLE,
                                HeaderLayout.COMPATIBLE,
                                HeaderLayout.AUTOCLEAR,
                                RefcountLayout.TABLE_ENTRY,
                                MappingLayout.L1_ENTRY,
                                MappingLayout.L2_STANDARD,
                                MappingLayout.SUBCLUSTER_BITMAP,
                                MappingLayout.COMPRESSED_BITMAP,
                                BitmapLayout.FLAG_BITS,
                                BitmapLayout.TABLE_ENTRY),
                        IntStream.rangeClosed(9, 21).mapToObj(MappingLayout::compressed))
                .toList();
    }
}
