package dev.qcow2.reference.crypt;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The building blocks, against figures that their standards publish. */
class CipherTest {

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    @DisplayName("QC-CRY-07 key derivation gives what RFC 6070 lists")
    void keyDerivation() {
        byte[] password = "password".getBytes(StandardCharsets.US_ASCII);
        byte[] salt = "salt".getBytes(StandardCharsets.US_ASCII);
        assertThat(hex(KeyDerivation.derive(HashFunction.SHA_1, password, salt, 1, 20)))
                .isEqualTo("0c60c80f961f0e71f3a9b524af6012062fe037a6");
        assertThat(hex(KeyDerivation.derive(HashFunction.SHA_1, password, salt, 4096, 20)))
                .isEqualTo("4b007901b765489abead49d926f721d065a429c1");
        assertThat(hex(KeyDerivation.derive(
                        HashFunction.SHA_1,
                        "passwordPASSWORDpassword".getBytes(StandardCharsets.US_ASCII),
                        "saltSALTsaltSALTsaltSALTsaltSALTsalt".getBytes(StandardCharsets.US_ASCII),
                        4096,
                        25)))
                .isEqualTo("3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038");
    }

    @Test
    @DisplayName("QC-CRY-06 XTS gives what IEEE 1619 lists as vectors 2 and 4")
    void xts() {
        byte[] plain = new byte[512];
        Arrays.fill(plain, 0, 32, (byte) 0x44);
        new XtsCipher(hex("11111111111111111111111111111111" + "22222222222222222222222222222222"))
                .encrypt(0x3333333333L, plain);
        assertThat(hex(Arrays.copyOf(plain, 32)))
                .isEqualTo("c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0");
        byte[] counting = new byte[512];
        for (int i = 0; i < counting.length; i++) {
            counting[i] = (byte) i;
        }
        XtsCipher cipher = new XtsCipher(hex("27182818284590452353602874713526" + "31415926535897932384626433832795"));
        byte[] encrypted = counting.clone();
        cipher.encrypt(0, encrypted);
        assertThat(hex(Arrays.copyOf(encrypted, 16))).isEqualTo("27a7479befa1d476489f308cd4cfa6e2");
        cipher.decrypt(0, encrypted);
        assertThat(encrypted).isEqualTo(counting);
    }

    @Property(tries = 40)
    @Label("QC-CRY-10 a key that was striped comes back, and one lost byte of the stripes loses it")
    void stripes(@ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int blocks) {
        Random random = new Random(seed);
        byte[] key = new byte[blocks * 16];
        random.nextBytes(key);
        byte[] stripes = StripedKey.split(HashFunction.SHA_256, key, random);
        assertThat(stripes).hasSize(key.length * 4000);
        assertThat(StripedKey.merge(HashFunction.SHA_256, stripes, key.length)).isEqualTo(key);
        stripes[random.nextInt(stripes.length)] ^= 1;
        assertThat(StripedKey.merge(HashFunction.SHA_256, stripes, key.length)).isNotEqualTo(key);
    }

    @Property(tries = 60)
    @Label("QC-CRY-01 each mode decrypts what it encrypted, sector by sector, and equal sectors look different")
    void roundTrip(@ForAll long seed, @ForAll CipherChoice.Mode mode) {
        Random random = new Random(seed);
        int keyBytes = mode == CipherChoice.Mode.XTS_PLAIN64 ? 64 : 32;
        byte[] key = new byte[keyBytes];
        random.nextBytes(key);
        SectorCipher cipher = new CipherChoice(mode, keyBytes).cipher(key);
        byte[] plain = new byte[1024];
        byte[] bytes = plain.clone();
        long sector = random.nextLong() >>> 2;
        cipher.encrypt(sector, bytes);
        byte[] second = Arrays.copyOfRange(bytes, 512, 1024);
        assertThat(second).isNotEqualTo(Arrays.copyOf(bytes, 512));
        cipher.decrypt(sector + 1, second);
        assertThat(second).isEqualTo(new byte[512]);
        cipher.decrypt(sector, bytes);
        assertThat(bytes).isEqualTo(plain);
    }
}
