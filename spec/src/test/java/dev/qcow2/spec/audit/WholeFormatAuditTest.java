package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.SubclusterClause;
import dev.qcow2.spec.layout.BitmapLayout;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.EncryptionLayout;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images of every feature that QEMU made, with one rule broken each; QEMU counts the same, or does not open them. */
class WholeFormatAuditTest {

    @TempDir
    static Path directory = Path.of("");

    @BeforeEach
    void assumeQemu() {
        QemuTools.assumeInstalled();
    }

    private static PatchedImage load(QemuImages made) throws Exception {
        return made.load(directory);
    }

    /** Both judges agree on the image, and ours names the rule. */
    private static AuditReport expect(PatchedImage image, Kind kind, Clause clause) throws Exception {
        AuditReport report = Agreement.of(directory, image.bytes(), clause.toString());
        assertThat(report.findings())
                .as(report.toText())
                .anyMatch(finding -> finding.kind() == kind && finding.clause() == clause);
        return report;
    }

    private static void expectRefusal(PatchedImage image) throws Exception {
        assertThat(Agreement.of(directory, image.bytes(), "to be refused")).isSameAs(Agreement.REFUSED);
    }

    @Test
    @DisplayName(
            "QC-CMP-05 QC-CMP-07 QC-CMP-08 QC-REF-19: each host cluster that compressed data touches is counted, by sectors")
    void compressedSectors() throws Exception {
        PatchedImage image = load(QemuImages.COMPRESSED_WHOLE);
        AuditReport right = Agreement.of(directory, image.bytes(), "as it was made");
        assertThat(right.clean()).isTrue();
        assertThat(right.clusters().compressed()).isGreaterThan(30);
        int sectorBits = MappingLayout.compressedSectors(image.clusterBits()).offset();
        int grown = 0;
        for (int index = 0; index < 75; index++) {
            PatchedImage spoilt = load(QemuImages.COMPRESSED_WHOLE);
            long at = spoilt.l2At(0, index);
            if (MappingLayout.L2_COMPRESSED.isSet(spoilt.entry(at))) {
                // Seven more sectors nearly always touch one host cluster more, whose count is too low then.
                spoilt.entry(at, spoilt.entry(at) + (7L << sectorBits));
                grown += Agreement.of(directory, spoilt.bytes(), "entry " + index)
                                        .corruptions()
                                > 0
                        ? 1
                        : 0;
            }
        }
        assertThat(grown).isGreaterThan(10);
    }

    @Test
    @DisplayName("QC-CMP-15 QC-L2-14: compressed data may name the sector in which the file ends")
    void endOfFile() throws Exception {
        for (QemuImages made : new QemuImages[] {QemuImages.COMPRESSED_LARGE, QemuImages.COMPRESSED_SMALL}) {
            byte[] bytes = load(made).bytes();
            byte[] cut = Arrays.copyOf(bytes, bytes.length - 100);
            assertThat(Agreement.of(directory, cut, "cut off in a sector").clean())
                    .isTrue();
        }
        // A table that ends less than a cluster behind the sector in which the file ends is counted.
        PatchedImage image = load(QemuImages.BITMAPS_LARGE);
        int sectors = image.size() & -512;
        image.header(HeaderLayout.L1_TABLE_OFFSET, sectors - 2048);
        byte[] cut = Arrays.copyOf(image.bytes(), sectors - 412);
        assertThat(Agreement.of(directory, cut, "a table behind the end").corruptions())
                .isPositive();
    }

    @Test
    @DisplayName("QC-SUB-06 QC-SUB-07 QC-SUB-08 QC-SUB-09: bitmaps of subclusters that contradict themselves")
    void subclusters() throws Exception {
        PatchedImage both = load(QemuImages.EXTENDED);
        both.entry(both.l2At(0, 0) + 8, 0x1_0000_0001L);
        expect(both, Kind.CORRUPTION, SubclusterClause.QC_SUB_06);
        PatchedImage nowhere = load(QemuImages.EXTENDED);
        nowhere.entry(nowhere.l2At(0, 40) + 8, 1);
        expect(nowhere, Kind.CORRUPTION, SubclusterClause.QC_SUB_07);
        PatchedImage packed = load(QemuImages.EXTENDED);
        assertThat(MappingLayout.L2_COMPRESSED.isSet(packed.entry(packed.l2At(0, 10))))
                .isTrue();
        packed.entry(packed.l2At(0, 10) + 8, 1L << 40);
        expect(packed, Kind.CORRUPTION, SubclusterClause.QC_SUB_08);
        PatchedImage zero = load(QemuImages.EXTENDED);
        zero.bits(MappingLayout.L2_ZERO, zero.l2At(0, 0), 1);
        expect(zero, Kind.BREACH, MappingClause.QC_L2_08);
    }

    @Test
    @DisplayName("QC-SUB-12: a cluster counts once, however many of its subclusters are allocated")
    void subclustersCountOnce() throws Exception {
        PatchedImage image = load(QemuImages.EXTENDED);
        image.entry(image.l2At(0, 0) + 8, 1);
        assertThat(Agreement.of(directory, image.bytes(), "one subcluster").clean())
                .isTrue();
    }

    @Test
    @DisplayName("QC-DATA-02 QC-DATA-03 QC-DATA-04 QC-DATA-05 QC-L2-15: entries of an image with a data file")
    void dataFile() throws Exception {
        PatchedImage first = load(QemuImages.DATA_FILE);
        assertThat(first.entry(first.l2At(0, 0))).isEqualTo(MappingLayout.L2_COPIED.mask());
        PatchedImage elsewhere = load(QemuImages.DATA_FILE);
        elsewhere.entry(elsewhere.l2At(0, 1), elsewhere.entry(elsewhere.l2At(0, 2)));
        assertThat(expect(elsewhere, Kind.BREACH, DataFileClause.QC_DATA_02).corruptions())
                .isZero();
        PatchedImage flag = load(QemuImages.DATA_FILE);
        flag.bits(MappingLayout.L2_COPIED, flag.l2At(0, 1), 0);
        expect(flag, Kind.CORRUPTION, MappingClause.QC_L2_03);
        PatchedImage packed = load(QemuImages.DATA_FILE);
        packed.entry(packed.l2At(0, 1), MappingLayout.L2_COMPRESSED.mask() | 5000);
        expect(packed, Kind.CORRUPTION, DataFileClause.QC_DATA_05);
    }

    @Test
    @DisplayName("QC-DATA-07 QC-LIM-14: a data file without a name is for the user to name, an empty name is none")
    void dataFileName() throws Exception {
        PatchedImage unnamed = load(QemuImages.DATA_FILE);
        unnamed.set(ExtensionLayout.TYPE, unnamed.extensionsAt(), 0x1234);
        assertThat(expect(unnamed, Kind.WARNING, DataFileClause.QC_DATA_07).clean())
                .isTrue();
        PatchedImage empty = load(QemuImages.DATA_FILE);
        empty.set(ExtensionLayout.LENGTH, empty.extensionsAt(), 0);
        empty.set(ExtensionLayout.TYPE, empty.extensionsAt() + 8, ExtensionLayout.TYPE_END);
        empty.set(ExtensionLayout.LENGTH, empty.extensionsAt() + 8, 0);
        expect(empty, Kind.BREACH, LimitClause.QC_LIM_14);
    }

    @Test
    @DisplayName("QC-EXT-06: a backing format whose name is longer than QEMU takes is worth a warning")
    void backingFormat() throws Exception {
        PatchedImage image = load(QemuImages.EXTENDED_OVERLAY);
        image.set(ExtensionLayout.LENGTH, image.extensionsAt(), 24);
        expect(image, Kind.WARNING, ExtensionClause.QC_EXT_06);
    }

    @Test
    @DisplayName("QC-DATA-06: an image with a data file has no snapshots")
    void dataFileSnapshots() throws Exception {
        PatchedImage image = load(QemuImages.DATA_FILE);
        image.header(HeaderLayout.NB_SNAPSHOTS, 1);
        image.header(HeaderLayout.SNAPSHOTS_OFFSET, image.header(HeaderLayout.L1_TABLE_OFFSET));
        AuditReport report = Agreement.audit(image.bytes());
        assertThat(report.findings()).extracting(Finding::clause).contains(DataFileClause.QC_DATA_06);
    }

    @Test
    @DisplayName("QC-HDR-30: the raw bit without a data file, and with a backing file")
    void rawBit() throws Exception {
        PatchedImage image = load(QemuImages.VERSION_3);
        image.header(HeaderLayout.AUTOCLEAR_FEATURES, HeaderLayout.RAW_EXTERNAL_DATA.mask());
        assertThat(Agreement.audit(image.bytes()).findings())
                .extracting(Finding::clause)
                .contains(HeaderClause.QC_HDR_30);
        PatchedImage overlay = load(QemuImages.DATA_FILE_RAW);
        overlay.header(HeaderLayout.BACKING_FILE_OFFSET, 600);
        overlay.header(HeaderLayout.BACKING_FILE_SIZE, 5);
        assertThat(Agreement.audit(overlay.bytes()).findings())
                .extracting(Finding::clause)
                .contains(HeaderClause.QC_HDR_30);
    }

    @Test
    @DisplayName(
            "QC-CRY-04 QC-CRY-12 QC-EXT-10: the encryption header is there exactly for LUKS, in whole clusters, and counted")
    void encryptionPlace() throws Exception {
        PatchedImage image = load(QemuImages.LUKS);
        long extension = image.extensionAt(ExtensionLayout.TYPE_ENCRYPTION);
        PatchedImage plain = load(QemuImages.LUKS);
        plain.header(HeaderLayout.CRYPT_METHOD, 1);
        expectRefusal(plain);
        PatchedImage missing = load(QemuImages.LUKS);
        missing.set(ExtensionLayout.TYPE, image.extensionsAt(), 0x1234);
        expectRefusal(missing);
        PatchedImage misaligned = load(QemuImages.LUKS);
        misaligned.set(ExtensionLayout.ENCRYPTION_OFFSET, extension, 5000);
        expectRefusal(misaligned);
        PatchedImage tiny = load(QemuImages.LUKS);
        tiny.set(ExtensionLayout.ENCRYPTION_LENGTH, extension, 500);
        expectRefusal(tiny);
        PatchedImage counted = load(QemuImages.LUKS);
        long cluster = image.pristine(ExtensionLayout.ENCRYPTION_OFFSET, extension) >>> image.clusterBits();
        counted.count(cluster + 7, 0);
        assertThat(Agreement.of(directory, counted.bytes(), "count").corruptions())
                .isEqualTo(1);
    }

    @Test
    @DisplayName(
            "QC-CRY-05 QC-CRY-09 QC-CRY-10 QC-CRY-13 QC-CRY-15 QC-LIM-09: numbers of a LUKS header that lead nowhere")
    void encryptionHeader() throws Exception {
        int slot = EncryptionLayout.LUKS_HEADER.size();
        breakLuks(CryptClause.QC_CRY_05, EncryptionLayout.MAGIC_HEAD, 0, 1);
        breakLuks(CryptClause.QC_CRY_05, EncryptionLayout.MAGIC_TAIL, 0, 1);
        breakLuks(CryptClause.QC_CRY_05, EncryptionLayout.VERSION, 0, 2);
        breakLuks(CryptClause.QC_CRY_06, EncryptionLayout.KEY_BYTES, 0, 0);
        breakLuks(CryptClause.QC_CRY_13, EncryptionLayout.PAYLOAD_OFFSET, 0, 0);
        breakLuks(CryptClause.QC_CRY_15, EncryptionLayout.SLOT_STATE, slot + 48, 7);
        breakLuks(LimitClause.QC_LIM_09, EncryptionLayout.SLOT_ITERATIONS, slot, 0);
        breakLuks(CryptClause.QC_CRY_09, EncryptionLayout.SLOT_MATERIAL_OFFSET, slot, 0x1000_0000);
        breakLuks(CryptClause.QC_CRY_10, EncryptionLayout.SLOT_STRIPES, slot, 3999);
    }

    private static void breakLuks(Clause clause, ByteField field, int base, long value) throws Exception {
        PatchedImage image = load(QemuImages.LUKS);
        long header =
                image.pristine(ExtensionLayout.ENCRYPTION_OFFSET, image.extensionAt(ExtensionLayout.TYPE_ENCRYPTION));
        image.set(field, header + base, value);
        expect(image, Kind.BREACH, clause);
    }

    @Test
    @DisplayName(
            "QC-BM-02 QC-BM-04 QC-BM-05 QC-BM-06 QC-BM-09 QC-BM-11 QC-BM-12 QC-LIM-12 QC-LIM-13: bitmap directory entries")
    void bitmapDirectory() throws Exception {
        breakBitmap(
                Kind.CORRUPTION, BitmapClause.QC_BM_05, (image, at) -> image.set(BitmapLayout.TABLE_OFFSET, at, 700));
        breakBitmap(Kind.CORRUPTION, LimitClause.QC_LIM_12, (image, at) -> image.set(BitmapLayout.TABLE_SIZE, at, 0));
        breakBitmap(Kind.BREACH, BitmapClause.QC_BM_05, (image, at) -> image.set(BitmapLayout.TABLE_SIZE, at, 4));
        breakBitmap(
                Kind.BREACH, BitmapClause.QC_BM_05, (image, at) -> image.set(BitmapLayout.GRANULARITY_BITS, at, 20));
        breakBitmap(
                Kind.CORRUPTION, LimitClause.QC_LIM_13, (image, at) -> image.set(BitmapLayout.GRANULARITY_BITS, at, 8));
        breakBitmap(Kind.CORRUPTION, BitmapClause.QC_BM_06, (image, at) -> image.set(BitmapLayout.FLAGS, at, 8));
        breakBitmap(Kind.WARNING, BitmapClause.QC_BM_12, (image, at) -> image.set(BitmapLayout.FLAGS, at, 4));
        breakBitmap(Kind.CORRUPTION, BitmapClause.QC_BM_09, (image, at) -> image.set(BitmapLayout.TYPE, at, 2));
        breakBitmap(Kind.BREACH, BitmapClause.QC_BM_11, (image, at) -> image.set(BitmapLayout.NAME_SIZE, at + 32, 0));
        breakBitmap(Kind.CORRUPTION, BitmapClause.QC_BM_02, (image, at) -> image.set(BitmapLayout.NAME_SIZE, at, 90));
        PatchedImage padding = load(QemuImages.BITMAPS_LARGE);
        padding.entry(directoryOf(padding) + 24, padding.entry(directoryOf(padding) + 24) | 1);
        // QEMU does not look.
        assertThat(expect(padding, Kind.BREACH, BitmapClause.QC_BM_04).corruptions())
                .isZero();
        PatchedImage twins = load(QemuImages.BITMAPS_LARGE);
        twins.entry(directoryOf(twins) + 32 + 24, twins.entry(directoryOf(twins) + 24));
        expect(twins, Kind.BREACH, BitmapClause.QC_BM_11);
    }

    private static long directoryOf(PatchedImage image) {
        long extension = image.extensionAt(ExtensionLayout.TYPE_BITMAPS);
        return image.pristine(ExtensionLayout.BITMAP_DIRECTORY_OFFSET, extension);
    }

    private static void breakBitmap(Kind kind, Clause clause, BiConsumer<PatchedImage, Long> how) throws Exception {
        PatchedImage image = load(QemuImages.BITMAPS_LARGE);
        how.accept(image, directoryOf(image));
        AuditReport report = Agreement.of(directory, image.bytes(), clause.toString());
        assertThat(report.findings())
                .as(report.toText())
                .anyMatch(finding -> finding.kind() == kind && finding.clause() == clause);
    }

    @Test
    @DisplayName("QC-BM-14 QC-BM-15 QC-BM-16 QC-BM-18 QC-BM-21: bitmap tables and the clusters of bits")
    void bitmapTables() throws Exception {
        PatchedImage image = load(QemuImages.BITMAPS_LARGE);
        long table = image.pristine(BitmapLayout.TABLE_OFFSET, directoryOf(image));
        assertThat(image.get(BitmapLayout.TABLE_SIZE, directoryOf(image))).isEqualTo(5);
        PatchedImage flagged = load(QemuImages.BITMAPS_LARGE);
        flagged.entry(table, flagged.entry(table) | 1);
        expect(flagged, Kind.CORRUPTION, BitmapClause.QC_BM_14);
        PatchedImage ones = load(QemuImages.BITMAPS_LARGE);
        ones.entry(table + 8, 1);
        assertThat(Agreement.of(directory, ones.bytes(), "all ones").corruptions())
                .isZero();
        PatchedImage counted = load(QemuImages.BITMAPS_LARGE);
        counted.count(table >>> image.clusterBits(), 0);
        assertThat(Agreement.of(directory, counted.bytes(), "count").corruptions())
                .isEqualTo(1);
        PatchedImage tail = load(QemuImages.BITMAPS);
        long first = tail.pristine(BitmapLayout.TABLE_OFFSET, directoryOf(tail));
        long bits = BitmapLayout.DATA_OFFSET.inPlace(tail.entry(first));
        assertThat(bits).isPositive();
        tail.entry(bits + 4088, 1);
        assertThat(expect(tail, Kind.BREACH, BitmapClause.QC_BM_18).corruptions())
                .isZero();
    }

    @Test
    @DisplayName("QC-LIM-11 QC-BM-01 QC-BM-02: a bitmaps extension that claims too much, or reserved bytes, is refused")
    void bitmapsExtension() throws Exception {
        ByteField[] fields = {
            ExtensionLayout.NB_BITMAPS,
            ExtensionLayout.BITMAP_DIRECTORY_SIZE,
            ExtensionLayout.BITMAPS_RESERVED,
            ExtensionLayout.BITMAP_DIRECTORY_OFFSET
        };
        long[] values = {70_000, 65L << 20, 1, 700};
        for (int index = 0; index < fields.length; index++) {
            PatchedImage image = load(QemuImages.BITMAPS_LARGE);
            image.set(fields[index], image.extensionAt(ExtensionLayout.TYPE_BITMAPS), values[index]);
            expectRefusal(image);
        }
    }

    @Test
    @DisplayName("QC-BM-07 QC-BM-20: a bitmap that was left in use is counted, and its length is not judged")
    void bitmapInUse() throws Exception {
        PatchedImage image = load(QemuImages.BITMAPS_IN_USE);
        long at = directoryOf(image);
        assertThat(BitmapLayout.IN_USE.isSet(image.get(BitmapLayout.FLAGS, at))).isTrue();
        PatchedImage resized = load(QemuImages.BITMAPS_LARGE);
        resized.set(BitmapLayout.FLAGS, directoryOf(resized), BitmapLayout.IN_USE.mask());
        resized.set(BitmapLayout.GRANULARITY_BITS, directoryOf(resized), 20);
        assertThat(Agreement.of(directory, resized.bytes(), "in use").clean()).isTrue();
    }

    @Test
    @DisplayName(
            "QC-HDR-16 QC-MNT-08 QC-MNT-16: what a dirty image lacks in counts are corruptions, as QEMU counts them")
    void dirty() throws Exception {
        for (QemuImages made : new QemuImages[] {QemuImages.DIRTY, QemuImages.DIRTY_EXTENDED}) {
            AuditReport report = Agreement.of(directory, load(made).bytes(), made.name());
            assertThat(report.corruptions()).isPositive();
            assertThat(report.warnings()).isPositive();
        }
    }

    @Test
    @DisplayName(
            "QC-SNAP-11 QC-L1-07: machine state behind the disk's end is counted, and worth a warning in the active table")
    void machineState() throws Exception {
        AuditReport report = Agreement.of(directory, load(QemuImages.VM_STATE).bytes(), "machine state");
        assertThat(report.clean()).isTrue();
        assertThat(report.warnings()).isPositive();
    }

    @Test
    @DisplayName("QC-SNAP-12 QC-SNAP-15: snapshots of other sizes have L1 tables of their own length")
    void otherSizes() throws Exception {
        PatchedImage image = load(QemuImages.RESIZED);
        assertThat(Agreement.of(directory, image.bytes(), "resized").clean()).isTrue();
    }
}
