package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.noise;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import com.github.luben.zstd.Zstd;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compressed clusters that were put into an image by hand, and those that an implementation writes. */
class CompressionRulesFromOutsideTest {

    private static final int CLUSTER_BITS = 14;
    private static final int CLUSTER = 1 << CLUSTER_BITS;

    static Stream<Arguments> kinds() {
        return RuleImage.drivers()
                .flatMap(driver -> Stream.of(Compression.values()).map(kind -> Arguments.of(driver, kind)));
    }

    private static RuleImage image(DiskDriver driver, Compression compression, long size) throws DiskException {
        RuleImage image = new RuleImage(
                driver,
                CreateOptions.ofSize(size)
                        .withClusterBits(CLUSTER_BITS)
                        .withFeatures(FormatFeatures.PLAIN.withCompression(compression)));
        boolean named = HeaderLayout.COMPRESSION.isSet(image.header(HeaderLayout.INCOMPATIBLE_FEATURES));
        if (named != (compression == Compression.ZSTD)) {
            abort(driver + " does not make images with " + compression);
        }
        return image;
    }

    /** As {@link #image}, and its first cluster is a normal one, whose host cluster can be filled by hand. */
    private static RuleImage prepared(DiskDriver driver, Compression compression) throws DiskException {
        RuleImage image = image(driver, compression, 8 * CLUSTER);
        try (VirtualDisk disk = image.open()) {
            disk.write(0, ByteBuffer.wrap(text(1, CLUSTER)));
            disk.write(4 * CLUSTER, ByteBuffer.wrap(text(2, CLUSTER)));
        }
        return image;
    }

    private static byte[] pack(Compression compression, byte[] bytes) {
        if (compression == Compression.ZSTD) {
            return Zstd.compress(bytes);
        }
        Deflater deflater = new Deflater(9, true);
        deflater.setInput(bytes);
        deflater.finish();
        byte[] packed = new byte[2 * bytes.length + 100];
        int length = deflater.deflate(packed);
        deflater.end();
        return Arrays.copyOf(packed, length);
    }

    private static long descriptor(long hostOffset, int length) {
        long further = ((hostOffset + length - 1) >>> 9) - (hostOffset >>> 9);
        return MappingLayout.L2_COMPRESSED.mask()
                | MappingLayout.compressedSectors(CLUSTER_BITS).set(0, further)
                | hostOffset;
    }

    /** Reads; skips the test if the driver does not know compressed clusters. */
    private static byte[] readOrSkip(VirtualDisk disk, long offset, int length) throws DiskException {
        try {
            return read(disk, offset, length);
        } catch (UnsupportedFeatureException e) {
            return abort("it does not have " + e.feature());
        }
    }

    private static void writeOrSkip(VirtualDisk disk, long offset, byte[] bytes) throws DiskException {
        try {
            disk.writeCompressed(offset, ByteBuffer.wrap(bytes));
        } catch (UnsupportedFeatureException e) {
            abort("it does not have " + e.feature());
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @DisplayName(
            "QC-CMP-02 QC-CMP-03 QC-CMP-04 QC-CMP-06 QC-CMP-07 QC-CMP-09 QC-CMP-10 QC-CMP-17: two clusters packed by hand into one")
    void packedByHand(DiskDriver driver, Compression compression) throws Exception {
        RuleImage image = prepared(driver, compression);
        long host = image.host(0);
        byte[] filled = noise(7, CLUSTER);
        byte[] first = pack(compression, text(3, CLUSTER));
        byte[] second = pack(compression, text(4, CLUSTER));
        System.arraycopy(first, 0, filled, 37, first.length);
        System.arraycopy(second, 0, filled, 37 + first.length, second.length);
        image.put(host, filled);
        image.putLong(image.entryAt(0), descriptor(host + 37, first.length));
        image.putLong(image.entryAt(1), descriptor(host + 37 + first.length, second.length));
        image.count(host, 2);
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            assertThat(readOrSkip(disk, 0, CLUSTER)).isEqualTo(text(3, CLUSTER));
            assertThat(read(disk, CLUSTER + 100, 300)).isEqualTo(Arrays.copyOfRange(text(4, CLUSTER), 100, 400));
            disk.write(10, ByteBuffer.wrap(new byte[] {1}));
        }
        assertThat(MappingLayout.L2_COMPRESSED.isSet(image.entry(0))).isFalse();
        assertThat(image.host(0)).isNotEqualTo(host);
        assertThat(image.count(host)).isEqualTo(1);
        assertThat(Arrays.copyOfRange(image.bytes(), (int) host, (int) host + CLUSTER))
                .isEqualTo(filled);
        byte[] expected = text(3, CLUSTER);
        expected[10] = 1;
        try (VirtualDisk disk = image.open()) {
            assertThat(read(disk, 0, CLUSTER)).isEqualTo(expected);
            assertThat(read(disk, CLUSTER, CLUSTER)).isEqualTo(text(4, CLUSTER));
            disk.write(CLUSTER, ByteBuffer.wrap(text(5, CLUSTER)));
        }
        assertThat(image.count(host)).isZero();
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @DisplayName("QC-CMP-03: a cluster may be packed in several frames of zstandard")
    void severalFrames(DiskDriver driver, Compression compression) throws Exception {
        if (compression != Compression.ZSTD) {
            return;
        }
        RuleImage image = prepared(driver, compression);
        long host = image.host(0);
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        frames.write(Zstd.compress(text(3, CLUSTER / 2)));
        frames.write(Zstd.compress(text(4, CLUSTER / 2)));
        image.put(host, frames.toByteArray());
        image.putLong(image.entryAt(0), descriptor(host, frames.size()));
        try (VirtualDisk disk = image.open()) {
            byte[] found = readOrSkip(disk, 0, CLUSTER);
            assertThat(Arrays.copyOf(found, CLUSTER / 2)).isEqualTo(text(3, CLUSTER / 2));
            assertThat(Arrays.copyOfRange(found, CLUSTER / 2, CLUSTER)).isEqualTo(text(4, CLUSTER / 2));
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @DisplayName(
            "QC-CMP-12 QC-LIM-10: data that is broken, or too short, is an error; the rest of the disk is still there")
    void brokenData(DiskDriver driver, Compression compression) throws Exception {
        byte[] good = pack(compression, text(3, CLUSTER));
        byte[][] bad = {
            noise(9, 1000), new byte[600], Arrays.copyOf(good, 40), pack(compression, text(3, CLUSTER / 2)),
        };
        for (byte[] data : bad) {
            RuleImage image = prepared(driver, compression);
            long host = image.host(0);
            image.put(host, Arrays.copyOf(data, CLUSTER));
            image.putLong(image.entryAt(0), descriptor(host, data.length));
            try (VirtualDisk disk = image.open()) {
                assertThat(readOrSkip(disk, 4 * CLUSTER, CLUSTER)).isEqualTo(text(2, CLUSTER));
                assertThatThrownBy(() -> read(disk, 0, 100)).isInstanceOf(ImageException.class);
                assertThat(read(disk, 4 * CLUSTER, CLUSTER)).isEqualTo(text(2, CLUSTER));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @DisplayName("QC-CMP-11 QC-L2-14: compressed data behind the end of the file is an error")
    void outsideOfTheFile(DiskDriver driver, Compression compression) throws Exception {
        RuleImage image = prepared(driver, compression);
        image.putLong(image.entryAt(0), descriptor(1L << 50, 700));
        try (VirtualDisk disk = image.open()) {
            assertThatThrownBy(() -> read(disk, 0, 100)).isInstanceOf(ImageException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @DisplayName(
            "QC-CMP-01 QC-CMP-08 QC-CMP-13 QC-CMP-14 QC-LIM-15: what is written compressed, and what does not get smaller")
    void written(DiskDriver driver, Compression compression) throws Exception {
        long size = 6 * CLUSTER + 1000;
        RuleImage image = image(driver, compression, size);
        byte[] content = new byte[(int) size];
        System.arraycopy(text(1, 3 * CLUSTER), 0, content, 0, 3 * CLUSTER);
        System.arraycopy(noise(2, CLUSTER), 0, content, 3 * CLUSTER, CLUSTER);
        System.arraycopy(text(3, 1000), 0, content, 6 * CLUSTER, 1000);
        try (VirtualDisk disk = image.open()) {
            writeOrSkip(disk, 0, Arrays.copyOf(content, 4 * CLUSTER));
            disk.writeCompressed(6 * CLUSTER, ByteBuffer.wrap(content, 6 * CLUSTER, 1000));
            assertThat(read(disk, 0, (int) size)).isEqualTo(content);
        }
        image.mustBeClean();
        for (int cluster : new int[] {0, 1, 2, 6}) {
            long entry = image.entry(cluster);
            assertThat(MappingLayout.L2_COMPRESSED.isSet(entry)).isTrue();
            assertThat(MappingLayout.L2_COPIED.isSet(entry)).isFalse();
            assertThat(MappingLayout.compressedSectors(CLUSTER_BITS).get(entry)).isLessThan(CLUSTER / 512);
        }
        assertThat(MappingLayout.L2_COMPRESSED.isSet(image.entry(3))).isFalse();
        assertThat(image.count(image.host(3))).isEqualTo(1);
        long data = MappingLayout.compressedOffset(CLUSTER_BITS).get(image.entry(0));
        boolean frame = (image.longAt(data) >>> 32) == 0x28b52ffdL;
        assertThat(frame).isEqualTo(compression == Compression.ZSTD);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @DisplayName(
            "QC-CMP-05 QC-CMP-15 QC-REF-19: data goes on into the next host cluster, counts in both, and may end with the file")
    void acrossHostClusters(DiskDriver driver, Compression compression) throws Exception {
        RuleImage image = prepared(driver, compression);
        // Two clusters behind the file: the data is in the end of one and in the start of the other, which the file
        // cuts.
        long first = (image.bytes().length + CLUSTER - 1L) / CLUSTER * CLUSTER;
        byte[] packed = pack(compression, text(3, CLUSTER));
        long start = first + CLUSTER - 1;
        long old = image.host(0);
        image.replace(Arrays.copyOf(image.bytes(), (int) start + packed.length));
        image.put(start, packed);
        image.putLong(image.entryAt(0), descriptor(start, packed.length));
        image.count(old, 0);
        image.count(first, 1);
        image.count(first + CLUSTER, 1);
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            assertThat(readOrSkip(disk, 0, CLUSTER)).isEqualTo(text(3, CLUSTER));
            disk.createSnapshot("one");
            disk.write(5, ByteBuffer.wrap(new byte[] {1}));
            disk.applySnapshot("1");
            assertThat(read(disk, 0, CLUSTER)).isEqualTo(text(3, CLUSTER));
        }
        assertThat(image.count(first)).isEqualTo(2);
        assertThat(image.count(first + CLUSTER)).isEqualTo(2);
        image.mustBeClean();
        try (VirtualDisk disk = image.open()) {
            disk.deleteSnapshot("1");
            disk.write(0, ByteBuffer.wrap(text(5, CLUSTER)));
        }
        assertThat(image.count(first)).isZero();
        assertThat(image.count(first + CLUSTER)).isZero();
        image.mustBeClean();
    }
}
