package dev.qcow2.optimized;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The hash functions that a LUKS header may name here (QC-CRY-06). */
enum LuksHash {
    SHA1("sha1", "SHA-1", "HmacSHA1"),
    SHA256("sha256", "SHA-256", "HmacSHA256"),
    SHA512("sha512", "SHA-512", "HmacSHA512");

    private final String luksName;
    private final String digestName;
    private final String macName;

    LuksHash(String luksName, String digestName, String macName) {
        this.luksName = luksName;
        this.digestName = digestName;
        this.macName = macName;
    }

    String luksName() {
        return luksName;
    }

    static Optional<LuksHash> named(String name) {
        for (LuksHash hash : values()) {
            if (hash.luksName.equals(name)) {
                return Optional.of(hash);
            }
        }
        return Optional.empty();
    }

    MessageDigest digest() {
        try {
            return MessageDigest.getInstance(digestName);
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    /** A keyed hash under any bytes. */
    private Mac mac(byte[] key) {
        try {
            Mac mac = Mac.getInstance(macName);
            // The function fills a short key up with zeros; so one zero stands for an empty key, which the class
            // refuses.
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, macName));
            return mac;
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    /**
     * Derives a key from a passphrase with PBKDF2 (QC-CRY-07). The class of that name in the library takes characters
     * only; a passphrase here may be any bytes.
     */
    byte[] derive(byte[] passphrase, byte[] salt, int iterations, int length) {
        Mac mac = mac(passphrase);
        byte[] derived = new byte[length];
        int block = 1;
        for (int done = 0; done < length; block++) {
            mac.update(salt);
            for (int shift = 24; shift >= 0; shift -= 8) {
                mac.update((byte) (block >>> shift));
            }
            byte[] sum = repeat(mac, mac.doFinal(), iterations);
            int step = Math.min(sum.length, length - done);
            System.arraycopy(sum, 0, derived, done, step);
            done += step;
        }
        return derived;
    }

    private static byte[] repeat(Mac mac, byte[] first, int iterations) {
        byte[] sum = first.clone();
        byte[] round = first;
        try {
            for (int i = 1; i < iterations; i++) {
                mac.update(round);
                mac.doFinal(round, 0);
                for (int at = 0; at < sum.length; at++) {
                    sum[at] ^= round[at];
                }
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a keyed hash does not fit its own length", e);
        }
        return sum;
    }

    private static IllegalStateException missing(GeneralSecurityException e) {
        return new IllegalStateException("every Java platform has this hash function", e);
    }
}
