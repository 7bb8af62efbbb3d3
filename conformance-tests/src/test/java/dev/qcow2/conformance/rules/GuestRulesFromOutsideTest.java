package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.model.BaseContent;
import dev.qcow2.spec.model.GuestModel;
import dev.qcow2.spec.model.GuestModel.DiscardRule;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the guest sees, in whatever form its clusters are stored. */
class GuestRulesFromOutsideTest {

    private static final int CLUSTER = 1 << 16;
    private static final int SIZE = 6 * CLUSTER + 1000;

    /** A form in which an image may store its clusters. */
    enum Form {
        PLAIN,
        ZSTD,
        EXTENDED_L2,
        DATA_FILE,
        RAW_DATA_FILE,
        LUKS,
        LEGACY_AES;

        FormatFeatures features() {
            FormatFeatures plain = FormatFeatures.PLAIN;
            return switch (this) {
                case PLAIN -> plain;
                case ZSTD -> plain.withCompression(Compression.ZSTD);
                case EXTENDED_L2 -> plain.withExtendedL2();
                case DATA_FILE -> plain.withDataFile("data", false);
                case RAW_DATA_FILE -> plain.withDataFile("data", true);
                case LUKS -> plain.withEncryption(new Encryption(Cipher.LUKS_AES_256_XTS_PLAIN64, passphrase(), 1000));
                case LEGACY_AES -> plain.withEncryption(new Encryption(Cipher.LEGACY_AES_128_CBC, passphrase(), 1000));
            };
        }

        boolean takesCompressed() {
            return this == PLAIN || this == ZSTD || this == EXTENDED_L2;
        }
    }

    private static Passphrase passphrase() {
        return Passphrase.of("open sesame");
    }

    static Stream<Arguments> forms() {
        return RuleImage.drivers().flatMap(driver -> Stream.of(Form.values()).map(form -> Arguments.of(driver, form)));
    }

    private static RuleImage image(DiskDriver driver, Form form) throws DiskException {
        return new RuleImage(
                driver, CreateOptions.ofSize(SIZE).withClusterBits(16).withFeatures(form.features()));
    }

    private static VirtualDisk open(RuleImage image) throws DiskException {
        return image.open(OpenOptions.readWrite().withPassphrase(passphrase()));
    }

    @ParameterizedTest
    @MethodSource("forms")
    @DisplayName("QC-GUEST-14 QC-GUEST-01: whatever form the clusters have, the same requests give the same bytes")
    void sameBytes(DiskDriver driver, Form form) throws Exception {
        RuleImage image = image(driver, form);
        GuestModel model = new GuestModel(SIZE, BaseContent.empty());
        SplittableRandom random = new SplittableRandom(17);
        for (int session = 0; session < 3; session++) {
            try (VirtualDisk disk = open(image)) {
                for (int step = 0; step < 25; step++) {
                    request(disk, model, random, form);
                }
            }
            try (VirtualDisk disk = open(image)) {
                byte[] found = read(disk, 0, SIZE);
                assertThat(model.firstDifference(0, ByteBuffer.wrap(found))).isEmpty();
            }
            image.mustBeClean();
        }
    }

    private static void request(VirtualDisk disk, GuestModel model, SplittableRandom random, Form form)
            throws Exception {
        int offset = random.nextInt(SIZE);
        int length = Math.min(SIZE - offset, 1 + random.nextInt(random.nextBoolean() ? 3000 : 150_000));
        byte[] bytes = text(random.nextInt(100), length);
        switch (random.nextInt(6)) {
            case 0 -> {
                disk.writeZeroes(offset, length, random.nextBoolean() ? ZeroMode.MAY_UNMAP : ZeroMode.KEEP_ALLOCATION);
                model.zero(offset, length);
            }
            case 1 -> {
                disk.discard(offset, length);
                model.discard(offset, length, new DiscardRule(CLUSTER, true));
            }
            case 2 -> {
                if (form.takesCompressed()) {
                    writeCompressed(disk, model, offset / CLUSTER * CLUSTER, random.nextInt(100));
                }
            }
            default -> {
                disk.write(offset, ByteBuffer.wrap(bytes));
                model.write(offset, ByteBuffer.wrap(bytes));
            }
        }
    }

    private static void writeCompressed(VirtualDisk disk, GuestModel model, int offset, int seed) throws Exception {
        byte[] bytes = text(seed, Math.min(CLUSTER, SIZE - offset));
        try {
            disk.writeCompressed(offset, ByteBuffer.wrap(bytes));
        } catch (UnsupportedFeatureException e) {
            abort("it does not have " + e.feature());
        }
        model.write(offset, ByteBuffer.wrap(bytes));
    }

    @ParameterizedTest
    @MethodSource("forms")
    @DisplayName(
            "QC-SNAP-22 QC-SNAP-11 QC-CRY-19 QC-LIM-17: machine state is kept by snapshots, out of the guest's sight")
    void machineState(DiskDriver driver, Form form) throws Exception {
        if (form == Form.DATA_FILE || form == Form.RAW_DATA_FILE) {
            return;
        }
        RuleImage image = image(driver, form);
        byte[] state = "this is what the machine was doing; ".repeat(6000).getBytes(StandardCharsets.US_ASCII);
        try (VirtualDisk disk = open(image)) {
            disk.write(100, ByteBuffer.wrap(text(1, 5000)));
            try {
                disk.writeVmState(7, ByteBuffer.wrap(state));
            } catch (UnsupportedFeatureException e) {
                abort("it does not have " + e.feature());
            }
            assertThatThrownBy(() -> disk.writeVmState(1L << 60, ByteBuffer.wrap(state)))
                    .isInstanceOf(DiskException.class);
            assertThat(disk.createSnapshot("one", 7 + state.length).vmStateSize())
                    .isEqualTo(7L + state.length);
            assertThat(vmState(disk, 7, state.length)).isEqualTo(new byte[state.length]);
        }
        image.mustBeClean();
        if (form == Form.LUKS || form == Form.LEGACY_AES) {
            assertThat(new String(image.bytes(), StandardCharsets.ISO_8859_1)).doesNotContain("the machine was doing");
        }
        try (VirtualDisk disk = open(image)) {
            disk.write(100, ByteBuffer.wrap(text(2, 5000)));
            disk.applySnapshot("1");
            assertThat(read(disk, 100, 5000)).isEqualTo(text(1, 5000));
            assertThat(vmState(disk, 7, state.length)).isEqualTo(state);
            assertThat(disk.size()).isEqualTo(SIZE);
        }
        image.mustBeClean();
    }

    private static byte[] vmState(VirtualDisk disk, long offset, int length) throws DiskException {
        byte[] bytes = new byte[length];
        disk.readVmState(offset, ByteBuffer.wrap(bytes));
        return bytes;
    }
}
