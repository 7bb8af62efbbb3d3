package dev.qcow2.optimized;

import java.security.DigestException;
import java.security.MessageDigest;
import java.util.Random;

/**
 * Spreads a key over many stripes, so that it is lost when any of them is (QC-CRY-10): a disk that keeps a copy of one
 * worn-out sector then keeps no key.
 */
final class StripeSplitter {

    /** Stripes of a key; no other number is in use. */
    static final int STRIPES = 4000;

    private final MessageDigest digest;

    StripeSplitter(LuksHash hash) {
        this.digest = hash.digest();
    }

    /** Returns random stripes with a last one that makes them yield the key. */
    byte[] split(byte[] key, Random random) {
        byte[] stripes = new byte[key.length * STRIPES];
        random.nextBytes(stripes);
        byte[] state = mixed(stripes, key.length);
        int last = key.length * (STRIPES - 1);
        for (int i = 0; i < key.length; i++) {
            stripes[last + i] = (byte) (state[i] ^ key[i]);
        }
        return stripes;
    }

    /** Returns the key of stripes; what follows them is not looked at. */
    byte[] merge(byte[] stripes, int keyLength) {
        byte[] key = mixed(stripes, keyLength);
        int last = keyLength * (STRIPES - 1);
        for (int i = 0; i < keyLength; i++) {
            key[i] ^= stripes[last + i];
        }
        return key;
    }

    /** All stripes but the last one, laid over each other and hashed after each. */
    private byte[] mixed(byte[] stripes, int keyLength) {
        byte[] state = new byte[keyLength];
        for (int stripe = 0; stripe < STRIPES - 1; stripe++) {
            int from = stripe * keyLength;
            for (int i = 0; i < keyLength; i++) {
                state[i] ^= stripes[from + i];
            }
            diffuse(state);
        }
        return state;
    }

    /** Replaces each piece of a digest's length by the digest of its number and itself. */
    private void diffuse(byte[] state) {
        int size = digest.getDigestLength();
        byte[] hashed = new byte[size];
        for (int from = 0, number = 0; from < state.length; from += size, number++) {
            int length = Math.min(size, state.length - from);
            for (int shift = 24; shift >= 0; shift -= 8) {
                digest.update((byte) (number >>> shift));
            }
            digest.update(state, from, length);
            try {
                digest.digest(hashed, 0, size);
            } catch (DigestException e) {
                throw new IllegalStateException("a digest does not fit its own length", e);
            }
            System.arraycopy(hashed, 0, state, from, length);
        }
    }
}
