package dev.qcow2.spec.disk;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What unlocks an encrypted image. Its bytes never show in messages. */
public final class Passphrase {

    private final byte[] bytes;

    private Passphrase(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Makes a passphrase of bytes.
     *
     * @param bytes are copied
     * @return the passphrase
     */
    public static Passphrase of(byte[] bytes) {
        return new Passphrase(bytes.clone());
    }

    /**
     * Makes a passphrase of text.
     *
     * @param text is taken as UTF-8
     * @return the passphrase
     */
    public static Passphrase of(String text) {
        return new Passphrase(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Returns the bytes.
     *
     * @return a copy
     */
    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Passphrase that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "a passphrase of " + bytes.length + " bytes";
    }
}
