package dev.qcow2.reference.crypt;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/**
 * A key that is spread over many stripes, so that losing a few bytes of them loses the key: what a disk forgets of an old key slot makes
 * the rest worthless (LUKS's anti-forensic splitter). All stripes but the last are random; the last is the key added to a hash
 * chain over the others.
 */
final class StripedKey {

    /** The number of stripes, the only one in use (QC-CRY-10). */
    static final int STRIPES = 4000;

    private StripedKey() {}

    /** Spreads a key. */
    static byte[] split(HashFunction function, byte[] key, Random random) {
        byte[] stripes = new byte[key.length * STRIPES];
        random.nextBytes(stripes);
        byte[] sum = chain(function, stripes, key.length);
        add(key, sum);
        System.arraycopy(sum, 0, stripes, stripes.length - key.length, key.length);
        return stripes;
    }

    /** Gathers a key of so many bytes. */
    static byte[] merge(HashFunction function, byte[] stripes, int keyBytes) {
        byte[] sum = chain(function, stripes, keyBytes);
        add(Arrays.copyOfRange(stripes, stripes.length - keyBytes, stripes.length), sum);
        return sum;
    }

    private static byte[] chain(HashFunction function, byte[] stripes, int keyBytes) {
        byte[] sum = new byte[keyBytes];
        for (int at = 0; at < stripes.length - keyBytes; at += keyBytes) {
            add(Arrays.copyOfRange(stripes, at, at + keyBytes), sum);
            sum = diffuse(function, sum);
        }
        return sum;
    }

    /** Hashes pieces of a hash's length, each with its number in front; the last piece may be shorter. */
    private static byte[] diffuse(HashFunction function, byte[] bytes) {
        ByteBuffer diffused = ByteBuffer.allocate(bytes.length);
        for (int piece = 0; diffused.hasRemaining(); piece++) {
            int from = diffused.position();
            int length = Math.min(function.bytes(), diffused.remaining());
            byte[] number = ByteBuffer.allocate(Integer.BYTES).putInt(piece).array();
            diffused.put(function.hash(number, Arrays.copyOfRange(bytes, from, from + length)), 0, length);
        }
        return diffused.array();
    }

    private static void add(byte[] what, byte[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] ^= what[i];
        }
    }
}
