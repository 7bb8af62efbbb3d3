package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LUKS headers of strangers: each field is refused by its clause and place before it is used. */
@Timeout(60)
class HostileLuksTest {

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final OptimizedDriver driver = EncryptedImages.driver();
    private int extension;
    private int luks;

    @BeforeEach
    void create() throws Exception {
        driver.create(directory, "disk", EncryptedImages.options(1 << 20, Cipher.LUKS_AES_128_XTS_PLAIN64));
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ByteBuffer bytes = ByteBuffer.allocate(4096);
            file.readZeroPadded(0, bytes);
            extension = 112;
            assertThat(bytes.getInt(extension)).isEqualTo(EncryptionArea.EXTENSION);
            luks = (int) bytes.getLong(extension + 8);
        }
    }

    private void poke(int at, byte[] bytes) throws Exception {
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.write(at, ByteBuffer.wrap(bytes));
        }
    }

    private Throwable opened() {
        return catchThrowable(
                () -> driver.open(directory, "disk", EncryptedImages.UNLOCKED).close());
    }

    @ParameterizedTest
    @CsvSource({
        "0, 4c554b54, QC-CRY-05",
        "4, babf, QC-CRY-05",
        "6, 0002, QC-CRY-05",
        "104, 00000000, QC-CRY-13",
        "104, 00000001, QC-CRY-13",
        "108, 00000000, QC-CRY-06",
        "108, 00000041, QC-CRY-06",
        "108, ffffffff, QC-CRY-06",
        "164, 00000000, QC-LIM-09",
        "164, 02000001, QC-LIM-09",
        "164, ffffffff, QC-LIM-09",
        "208, 00000000, QC-CRY-15",
        "256, 00ac71f4, QC-CRY-15",
        "212, 00000000, QC-LIM-09",
        "212, 80000000, QC-LIM-09",
        "248, 00000000, QC-CRY-09",
        "248, 00000001, QC-CRY-09",
        "248, ffffffff, QC-CRY-09",
        "248, 000007e0, QC-CRY-09",
        "252, 00000f9f, QC-CRY-10",
        "252, ffffffff, QC-CRY-10"
    })
    @DisplayName("QC-CRY-05, QC-CRY-06, QC-CRY-09, QC-CRY-10, QC-CRY-13, QC-CRY-15, QC-LIM-09: refused by place")
    void malformed(int at, String hex, String clause) throws Exception {
        poke(luks + at, HexFormat.of().parseHex(hex));
        // Magic, version and their neighbours are read as one number.
        int reported = at == 6 ? 4 : at;
        assertThat(opened()).isInstanceOfSatisfying(MalformedImageException.class, e -> {
            assertThat(e.clause().id()).isEqualTo(clause);
            assertThat(e.hostOffset()).isEqualTo(luks + reported);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "4, 00000018, QC-CRY-04, 4",
        "8, 0000000000010200, QC-CRY-04, 8",
        "8, 0000000000000000, QC-LIM-08, 8",
        "8, 7fffffffffff0000, QC-CRY-04, 8",
        "8, ffffffffffff0000, QC-CRY-04, 8",
        "8, 0000000000010000, QC-LIM-08, 8",
        "16, 0000000000000000, QC-CRY-05, 16",
        "16, 000000000000024f, QC-CRY-05, 16",
        "16, 0000000004000001, QC-LIM-16, 16",
        "16, ffffffffffffffff, QC-CRY-05, 16",
        "16, 0000000003000000, QC-CRY-04, 8"
    })
    @DisplayName("QC-CRY-04, QC-CRY-05, QC-LIM-08, QC-LIM-16: the extension leads into the file and to no table")
    void malformedExtension(int at, String hex, String clause, int reported) throws Exception {
        poke(extension + at, HexFormat.of().parseHex(hex));
        assertThat(opened()).isInstanceOfSatisfying(MalformedImageException.class, e -> {
            assertThat(e.clause().id()).isEqualTo(clause);
            assertThat(e.hostOffset()).isEqualTo(extension + reported);
        });
    }

    @ParameterizedTest
    @CsvSource({"8, serpent", "40, xts-plain", "40, cbc-essiv:md5", "40, ecb", "72, whirlpool", "72, ''"})
    @DisplayName("QC-CRY-06: an unknown cipher, mode or hash function is refused by name")
    void unknownNames(int at, String name) throws Exception {
        byte[] text = new byte[32];
        System.arraycopy(name.getBytes(StandardCharsets.US_ASCII), 0, text, 0, name.length());
        poke(luks + at, text);
        assertThat(opened()).isInstanceOfSatisfying(UnsupportedFeatureException.class, e -> {
            assertThat(e.clause().id()).isEqualTo("QC-CRY-06");
            assertThat(e.feature()).endsWith(name);
        });
    }

    @Test
    @DisplayName("QC-CRY-06: a length that AES has no keys of is refused by name")
    void oddKey() throws Exception {
        poke(luks + 108, HexFormat.of().parseHex("00000021"));
        assertThat(opened()).isInstanceOf(UnsupportedFeatureException.class).hasMessageContaining("33 bytes");
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "3", "-1"})
    @DisplayName("QC-EXT-10, QC-HDR-08: the extension and the method belong together")
    void methodWithoutExtension(int method) throws Exception {
        poke(EncryptionArea.METHOD_AT, ByteBuffer.allocate(4).putInt(0, method).array());
        assertThat(opened()).isInstanceOfSatisfying(MalformedImageException.class, e -> {
            assertThat(e.clause().id()).isEqualTo(method == 0 || method == 1 ? "QC-EXT-10" : "QC-HDR-08");
            assertThat(e.hostOffset()).isEqualTo(32);
        });
        poke(EncryptionArea.METHOD_AT, new byte[] {0, 0, 0, 2});
        poke(extension, new byte[] {1, 2, 3, 4});
        assertThat(opened()).isInstanceOfSatisfying(MalformedImageException.class, e -> assertThat(
                        e.clause().id())
                .isEqualTo("QC-EXT-10"));
    }

    @Test
    @DisplayName("QC-CRY-15: without a slot in use nothing opens the image")
    void noSlot() throws Exception {
        poke(luks + 208, HexFormat.of().parseHex("0000dead"));
        assertThat(opened()).isInstanceOf(LockedImageException.class).hasMessageContaining("slot");
    }

    @Test
    @DisplayName("QC-CRY-05: any bytes for a header give a typed refusal")
    void anyBytes() throws Exception {
        Random random = new Random(5);
        byte[] good = new byte[592];
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            file.readZeroPadded(luks, ByteBuffer.wrap(good));
        }
        for (int i = 0; i < 60; i++) {
            byte[] bytes = good.clone();
            for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                int at = random.nextInt(592);
                // High bytes of iterations would only take time.
                bytes[at] = at == 164 || at == 165 || at == 212 || at == 213 ? bytes[at] : (byte) random.nextInt();
            }
            poke(luks, bytes);
            Throwable thrown = opened();
            if (thrown != null) {
                assertThat(thrown).isInstanceOf(DiskException.class).isInstanceOf(ImageException.class);
            }
        }
    }
}
