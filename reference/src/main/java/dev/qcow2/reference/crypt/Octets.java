package dev.qcow2.reference.crypt;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Some bytes that do not change: salts, digests, names. */
final class Octets {

    private final byte[] bytes;

    private Octets(byte[] bytes) {
        this.bytes = bytes;
    }

    static Octets of(byte[] bytes) {
        return new Octets(bytes.clone());
    }

    static Octets zeros(int length) {
        return new Octets(new byte[length]);
    }

    static Octets random(int length, Random random) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return new Octets(bytes);
    }

    static Octets read(ByteBuffer from, int length) {
        byte[] bytes = new byte[length];
        from.get(bytes);
        return new Octets(bytes);
    }

    byte[] toArray() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Octets that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}
