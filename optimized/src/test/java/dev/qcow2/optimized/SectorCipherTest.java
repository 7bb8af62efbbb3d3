package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Random;
import javax.crypto.Cipher;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ciphers and key derivation against published vectors and the platform's own. */
class SectorCipherTest {

    private static final HexFormat HEX = HexFormat.of();

    /** From RFC 6070. */
    @ParameterizedTest
    @CsvSource({
        "password, salt, 1, 0c60c80f961f0e71f3a9b524af6012062fe037a6",
        "password, salt, 2, ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
        "password, salt, 4096, 4b007901b765489abead49d926f721d065a429c1",
        "passwordPASSWORDpassword, saltSALTsaltSALTsaltSALTsaltSALTsalt, 4096,"
                + " 3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
        "pass#word, sa#lt, 4096, 56fa6aa75548099dcc37d7f03425e0c3"
    })
    @DisplayName("QC-CRY-07: keys of published passphrases")
    void publishedDerivations(String passphrase, String salt, int iterations, String key) {
        byte[] expected = HEX.parseHex(key);
        assertThat(LuksHash.SHA1.derive(bytes(passphrase), bytes(salt), iterations, expected.length))
                .isEqualTo(expected);
    }

    private static byte[] bytes(String text) {
        return text.replace('#', '\0').getBytes(StandardCharsets.US_ASCII);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("QC-CRY-07: the platform's own derivation gives the same key, over several blocks")
    void sameAsPlatform(LuksHash hash) throws Exception {
        String name = "PBKDF2WithHmac" + hash.luksName().toUpperCase(Locale.ROOT);
        byte[] salt = bytes("0123456789");
        byte[] expected = SecretKeyFactory.getInstance(name)
                .generateSecret(new PBEKeySpec("secret".toCharArray(), salt, 77, 150 * 8))
                .getEncoded();
        assertThat(hash.derive(bytes("secret"), salt, 77, 150)).isEqualTo(expected);
    }

    /** From IEEE 1619, annex B: vectors 1, 2, 4, 5 and 10, the first 32 bytes of each. */
    @ParameterizedTest
    @CsvSource({
        "00000000000000000000000000000000, 00000000000000000000000000000000, 0, 00,"
                + " 917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e",
        "11111111111111111111111111111111, 22222222222222222222222222222222, 219902325555, 44,"
                + " c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
        "27182818284590452353602874713526, 31415926535897932384626433832795, 0, up,"
                + " 27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c",
        "27182818284590452353602874713526, 31415926535897932384626433832795, 1, first,"
                + " 264d3ca8512194fec312c8c9891f279fefdd608d0c027b60483a3fa811d65ee5",
        "2718281828459045235360287471352662497757247093699959574966967627,"
                + " 3141592653589793238462643383279502884197169399375105820974944592, 255, up,"
                + " 1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"
    })
    @DisplayName("QC-CRY-06, QC-CRY-01: XTS encrypts as the standard says")
    void publishedXts(String dataKey, String tweakKey, long sector, String data, String encrypted) {
        byte[] plain =
                switch (data) {
                    case "up" -> countingUp();
                    case "first" ->
                        xts(keyOf("27182818284590452353602874713526", "31415926535897932384626433832795"), 0);
                    default -> Images.filled(512, HEX.parseHex(data)[0]);
                };
        byte[] bytes = plain.clone();
        SectorCipher cipher = new XtsCipher(keyOf(dataKey, tweakKey));
        cipher.encrypt(sector, bytes, 0, 512);
        assertThat(HEX.formatHex(bytes, 0, 32)).isEqualTo(encrypted);
        cipher.decrypt(sector, bytes, 0, 512);
        assertThat(bytes).isEqualTo(plain);
    }

    private static byte[] keyOf(String dataKey, String tweakKey) {
        return HEX.parseHex(dataKey + tweakKey);
    }

    private static byte[] xts(byte[] key, long sector) {
        byte[] bytes = countingUp();
        new XtsCipher(key).encrypt(sector, bytes, 0, 512);
        return bytes;
    }

    private static byte[] countingUp() {
        byte[] bytes = new byte[512];
        for (int i = 0; i < 512; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    @Test
    @DisplayName("QC-CRY-06: the end of a sector in XTS, where the masks have been doubled 31 times")
    void endOfSector() {
        byte[] bytes = xts(keyOf("27182818284590452353602874713526", "31415926535897932384626433832795"), 0);
        assertThat(HEX.formatHex(bytes, 496, 512)).isEqualTo("0a282df920147beabe421ee5319d0568");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("QC-CRY-02, QC-CRY-06: each sector of CBC starts from its own vector")
    void cbcAgainstPlatform(boolean encryptedVectors) throws Exception {
        byte[] key = Arrays.copyOf(countingUp(), 32);
        CipherMode mode = encryptedVectors ? CipherMode.CBC_ESSIV_SHA256 : CipherMode.CBC_PLAIN64;
        SectorCipher cipher = mode.cipher(key);
        byte[] plain = new byte[5 * 512];
        new Random(1).nextBytes(plain);
        byte[] expected = new byte[plain.length];
        for (int sector = 0; sector < 5; sector++) {
            byte[] vector = new byte[16];
            vector[0] = (byte) (250 + sector);
            vector[1] = (byte) ((250 + sector) >> 8);
            vector[5] = 1;
            if (encryptedVectors) {
                Cipher ecb = Cipher.getInstance("AES/ECB/NoPadding");
                ecb.init(
                        Cipher.ENCRYPT_MODE,
                        new SecretKeySpec(LuksHash.SHA256.digest().digest(key), "AES"));
                vector = ecb.doFinal(vector);
            }
            Cipher cbc = Cipher.getInstance("AES/CBC/NoPadding");
            cbc.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(vector));
            cbc.doFinal(plain, sector * 512, 512, expected, sector * 512);
        }
        byte[] bytes = plain.clone();
        // In two runs: the chain goes on from one to the other, and must not show.
        cipher.encrypt((1L << 40) + 250, bytes, 0, 1024);
        cipher.encrypt((1L << 40) + 252, bytes, 1024, 1536);
        assertThat(bytes).isEqualTo(expected);
        cipher.decrypt((1L << 40) + 250, bytes, 0, bytes.length);
        assertThat(bytes).isEqualTo(plain);
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 24, 32, 48, 64})
    @DisplayName("QC-CRY-10: 4000 stripes give the key back, and do not if one bit of them is wrong")
    void stripes(int keyLength) {
        byte[] key = Arrays.copyOf(countingUp(), keyLength);
        StripeSplitter splitter = new StripeSplitter(LuksHash.SHA256);
        byte[] stripes = splitter.split(key, new Random(keyLength));
        assertThat(stripes).hasSize(4000 * keyLength);
        assertThat(splitter.merge(stripes, keyLength)).isEqualTo(key);
        stripes[17 * keyLength] ^= 1;
        assertThat(splitter.merge(stripes, keyLength)).isNotEqualTo(key);
    }
}
