package dev.qcow2.reference.crypt;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Mac;

/**
 * PBKDF2 (RFC 8018): makes a key of a passphrase, slowly. The platform has it too, but takes text only, and a passphrase may be any
 * bytes.
 */
final class KeyDerivation {

    private KeyDerivation() {}

    /** Derives so many bytes. */
    static byte[] derive(HashFunction function, byte[] secret, byte[] salt, int iterations, int length) {
        Mac mac = function.keyed(secret);
        ByteBuffer derived = ByteBuffer.allocate(length);
        try {
            for (int block = 1; derived.hasRemaining(); block++) {
                byte[] bytes = block(mac, salt, iterations, block);
                derived.put(bytes, 0, Math.min(bytes.length, derived.remaining()));
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a hash fits its own buffer", e);
        }
        return derived.array();
    }

    private static byte[] block(Mac mac, byte[] salt, int iterations, int number) throws GeneralSecurityException {
        mac.update(salt);
        byte[] link =
                mac.doFinal(ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
        byte[] sum = link.clone();
        for (int i = 1; i < iterations; i++) {
            mac.update(link);
            mac.doFinal(link, 0);
            for (int at = 0; at < sum.length; at++) {
                sum[at] ^= link[at];
            }
        }
        return sum;
    }
}
