package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.layout.BitmapLayout;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Persistent bitmaps, asked for by requests and looked at on disk. */
class BitmapRulesFromOutsideTest {

    private static final CreateOptions SMALL = CreateOptions.ofSize(1 << 20).withClusterBits(12);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private static Bitmaps bitmaps(VirtualDisk disk) throws DiskException {
        try {
            return disk.bitmaps();
        } catch (UnsupportedFeatureException e) {
            return abort("it does not have " + e.feature());
        }
    }

    /** Returns where the data of the bitmaps extension starts, or 0. */
    private static long extension(RuleImage image) throws DiskException {
        long at = image.header(HeaderLayout.HEADER_LENGTH);
        while (true) {
            long type = image.get(ExtensionLayout.TYPE, at);
            if (type == ExtensionLayout.TYPE_END || type == ExtensionLayout.TYPE_BITMAPS) {
                return type == ExtensionLayout.TYPE_END ? 0 : at + ExtensionLayout.HEAD.size();
            }
            at += ExtensionLayout.HEAD.size() + ((image.get(ExtensionLayout.LENGTH, at) + 7) & ~7L);
        }
    }

    private static long directory(RuleImage image) throws DiskException {
        return image.get(ExtensionLayout.BITMAP_DIRECTORY_OFFSET, extension(image));
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-BM-01 QC-BM-08 QC-BM-10 QC-BM-13 QC-BM-17 QC-BM-20: a bitmap on disk, in use while it is, and stored afterwards")
    void onDisk(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("b", 12, true);
        }
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            disk.write(5000, ByteBuffer.wrap(text(1, 10)));
            disk.write(3 << 12, ByteBuffer.wrap(text(1, 4097)));
            disk.flush();
            assertThat(BitmapLayout.IN_USE.isSet(image.get(BitmapLayout.FLAGS, directory(image))))
                    .isTrue();
            assertThat(bitmaps(disk).dirty("b")).containsExactly(new Dirty(4096, 4096), new Dirty(3 << 12, 8192));
        }
        image.mustBeClean();
        long entry = directory(image);
        assertThat(HeaderLayout.BITMAPS.isSet(image.header(HeaderLayout.AUTOCLEAR_FEATURES)))
                .isTrue();
        assertThat(image.get(ExtensionLayout.NB_BITMAPS, extension(image))).isEqualTo(1);
        assertThat(image.get(BitmapLayout.FLAGS, entry)).isEqualTo(BitmapLayout.ENABLED.mask());
        assertThat(image.get(BitmapLayout.GRANULARITY_BITS, entry)).isEqualTo(12);
        assertThat(image.get(BitmapLayout.EXTRA_DATA_SIZE, entry)).isZero();
        long table = image.get(BitmapLayout.TABLE_OFFSET, entry);
        long bits = BitmapLayout.DATA_OFFSET.inPlace(image.longAt(table));
        // Clusters 1, 3 and 4, from the least significant bit upwards.
        assertThat(image.bytes()[(int) bits]).isEqualTo((byte) 0b11010);
        try (VirtualDisk disk = image.open()) {
            assertThat(bitmaps(disk).dirty("b")).containsExactly(new Dirty(4096, 4096), new Dirty(3 << 12, 8192));
            assertThat(bitmaps(disk).list()).containsExactly(new BitmapInfo("b", 12, true, false));
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-BM-19 QC-BM-23 QC-BM-24: zeroes, discards and snapshots make dirty what is enabled, and nothing else")
    void whatMakesDirty(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("on", 16, true);
            bitmaps(disk).add("off", 16, false);
            disk.createSnapshot("one");
            disk.writeZeroes(65_536, 1, ZeroMode.MAY_UNMAP);
            disk.discard(5 << 16, 4096);
            assertThat(bitmaps(disk).dirty("on"))
                    .containsExactly(new Dirty(65_536, 65_536), new Dirty(5 << 16, 65_536));
            disk.applySnapshot("1");
            assertThat(bitmaps(disk).dirty("on")).containsExactly(new Dirty(0, 1 << 20));
            assertThat(bitmaps(disk).dirty("off")).isEmpty();
            bitmaps(disk).clear("on");
            assertThat(bitmaps(disk).dirty("on")).isEmpty();
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BM-26 QC-BM-27 QC-BM-28 QC-BM-11: merging, names, and what is left when the last bitmap is gone")
    void mergeAndRemove(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("fine", 12, true);
            bitmaps(disk).add("coarse", 16, false);
            assertThatThrownBy(() -> bitmaps(disk).add("fine", 12, true)).isInstanceOf(DiskException.class);
            disk.write(70_000, ByteBuffer.wrap(text(1, 10)));
            bitmaps(disk).merge("coarse", "fine");
            assertThat(bitmaps(disk).dirty("coarse")).containsExactly(new Dirty(65_536, 65_536));
        }
        image.mustBeClean();
        for (String name : new String[] {"fine", "coarse"}) {
            assertThat(extension(image)).isPositive();
            try (VirtualDisk disk = image.open()) {
                bitmaps(disk).remove(name);
            }
            image.mustBeClean();
        }
        assertThat(extension(image)).isZero();
        assertThat(HeaderLayout.BITMAPS.isSet(image.header(HeaderLayout.AUTOCLEAR_FEATURES)))
                .isFalse();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BM-22 QC-BM-05 QC-BM-18: a bitmap is as long as the disk, also after a resize")
    void resized(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("b", 9, true);
            disk.write(5000, ByteBuffer.wrap(text(1, 10)));
            disk.write((1 << 20) - 10, ByteBuffer.wrap(text(1, 10)));
            for (int size : new int[] {64 << 20, 6000, 1 << 20}) {
                disk.resize(size, Preallocation.OFF);
                assertThat(bitmaps(disk).dirty("b").get(0)).isEqualTo(new Dirty(4608, 512));
            }
        } catch (UnsupportedFeatureException e) {
            abort("it does not have " + e.feature());
        }
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-LIM-20: no bitmap on a disk of 0 bytes, whichever way that could come about")
    void emptyDisk(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            Bitmaps bitmaps = bitmaps(disk);
            disk.resize(0, Preallocation.OFF);
            assertThatThrownBy(() -> bitmaps.add("b", 12, true)).isInstanceOf(RequestRefusedException.class);
            String empty = disk.createSnapshot("empty").id();
            disk.resize(10_000, Preallocation.OFF);
            bitmaps.add("b", 12, true);
            assertThatThrownBy(() -> disk.resize(0, Preallocation.OFF)).isInstanceOf(RequestRefusedException.class);
            assertThatThrownBy(() -> disk.applySnapshot(empty)).isInstanceOf(RequestRefusedException.class);
            assertThat(disk.size()).isEqualTo(10_000);
            bitmaps.remove("b");
            disk.applySnapshot(empty);
            assertThat(disk.size()).isEqualTo(0);
        }
        image.mustBeClean();
    }

    /** Gives the only bitmap extra data, and returns where that starts. */
    private static long putExtraData(RuleImage image, byte[] extra, long flags) throws DiskException {
        long entry = directory(image);
        int head = 24;
        int nameBytes = (int) image.get(BitmapLayout.NAME_SIZE, entry);
        byte[] name = Arrays.copyOfRange(image.bytes(), (int) entry + head, (int) entry + head + nameBytes);
        image.put(entry + head, extra);
        image.put(entry + head + extra.length, name);
        image.set(BitmapLayout.EXTRA_DATA_SIZE, entry, extra.length);
        image.set(BitmapLayout.FLAGS, entry, flags);
        long length = (0L + head + extra.length + nameBytes + 7) & ~7L;
        image.set(ExtensionLayout.BITMAP_DIRECTORY_SIZE, extension(image), length);
        return entry + head;
    }

    private static byte[] bytesAt(RuleImage image, long at, int length) throws DiskException {
        return Arrays.copyOfRange(image.bytes(), (int) at, (int) at + length);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BM-12: a bitmap whose extra data may be ignored is used, and the extra data is kept")
    void compatibleExtraData(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("b", 12, true);
        }
        byte[] extra = text(5, 13);
        long flags = BitmapLayout.ENABLED.mask() | BitmapLayout.EXTRA_DATA_COMPATIBLE.mask();
        putExtraData(image, extra, flags);
        try (VirtualDisk disk = image.open()) {
            disk.write(4096, ByteBuffer.wrap(text(1, 10)));
            disk.flush();
        }
        try (VirtualDisk disk = image.open()) {
            assertThat(bitmaps(disk).dirty("b")).containsExactly(new Dirty(4096, 4096));
            disk.resize(2 << 20, Preallocation.OFF);
        }
        assertThat(image.get(BitmapLayout.FLAGS, directory(image))).isEqualTo(flags);
        assertThat(bytesAt(image, directory(image) + 24, extra.length)).isEqualTo(extra);
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BM-12: a bitmap whose extra data must be known is not used, and stays byte for byte")
    void unknownExtraData(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("b", 12, true);
            disk.write(4096, ByteBuffer.wrap(text(1, 10)));
        }
        putExtraData(image, text(5, 1000), BitmapLayout.ENABLED.mask());
        int length = (int) image.get(ExtensionLayout.BITMAP_DIRECTORY_SIZE, extension(image));
        byte[] before = bytesAt(image, directory(image), length);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, 10)));
            assertThat(bitmaps(disk).list()).containsExactly(new BitmapInfo("b", 12, true, false));
            mustBeRefused(() -> bitmaps(disk).dirty("b"));
            mustBeRefused(() -> bitmaps(disk).clear("b"));
            mustBeRefused(() -> bitmaps(disk).setEnabled("b", false));
            mustBeRefused(() -> disk.resize(2 << 20, Preallocation.OFF));
            bitmaps(disk).add("other", 12, true);
            mustBeRefused(() -> bitmaps(disk).merge("other", "b"));
            disk.write(9000, ByteBuffer.wrap(text(1, 10)));
        }
        assertThat(bytesAt(image, directory(image), length)).isEqualTo(before);
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            assertThat(bitmaps(disk).dirty("other")).containsExactly(new Dirty(8192, 4096));
            bitmaps(disk).remove("b");
            disk.resize(2 << 20, Preallocation.OFF);
        }
        image.mustBeClean();
    }

    private static void mustBeRefused(ThrowingCallable request) {
        assertThatThrownBy(request).isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                .isEqualTo(BitmapClause.QC_BM_12));
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-BM-11: the bytes of a name are kept, also where they are no text")
    void bytesOfNames(DiskDriver driver) throws Exception {
        RuleImage image = new RuleImage(driver, SMALL);
        try (VirtualDisk disk = image.open()) {
            bitmaps(disk).add("xx", 12, true);
            bitmaps(disk).add("next", 12, true);
        }
        // One byte of text that is three when it was read and written as text.
        image.put(directory(image) + 24, new byte[] {(byte) 0xe9, (byte) 0xe8});
        int length = (int) image.get(ExtensionLayout.BITMAP_DIRECTORY_SIZE, extension(image));
        try (VirtualDisk disk = image.open()) {
            disk.write(4096, ByteBuffer.wrap(text(1, 10)));
            disk.flush();
            assertThat(BitmapLayout.IN_USE.isSet(image.get(BitmapLayout.FLAGS, directory(image) + 32)))
                    .isTrue();
        }
        assertThat(image.get(ExtensionLayout.BITMAP_DIRECTORY_SIZE, extension(image)))
                .isEqualTo(length);
        assertThat(bytesAt(image, directory(image) + 24, 2)).isEqualTo(new byte[] {(byte) 0xe9, (byte) 0xe8});
        try (VirtualDisk disk = image.open()) {
            assertThat(bitmaps(disk).dirty("next")).containsExactly(new Dirty(4096, 4096));
        }
        image.mustBeClean();
    }
}
