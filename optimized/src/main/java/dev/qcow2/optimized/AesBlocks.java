package dev.qcow2.optimized;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** AES as the platform has it, over whole blocks of 16 bytes. One thread at a time may use it. */
final class AesBlocks {

    static final int BLOCK = 16;

    private final Cipher cipher;

    private AesBlocks(Cipher cipher) {
        this.cipher = cipher;
    }

    /** Each block on its own, encrypted. */
    static AesBlocks encrypting(byte[] key) {
        return of("AES/ECB/NoPadding", Cipher.ENCRYPT_MODE, key);
    }

    /** Each block on its own, decrypted. */
    static AesBlocks decrypting(byte[] key) {
        return of("AES/ECB/NoPadding", Cipher.DECRYPT_MODE, key);
    }

    /** Each block combined with the encrypted one before it, over all calls; before the first one are zeros. */
    static AesBlocks chaining(byte[] key) {
        return of("AES/CBC/NoPadding", Cipher.ENCRYPT_MODE, key);
    }

    private static AesBlocks of(String transformation, int direction, byte[] key) {
        try {
            Cipher cipher = Cipher.getInstance(transformation);
            SecretKeySpec keySpec = new SecretKeySpec(key, "AES");
            if (transformation.contains("CBC")) {
                cipher.init(direction, keySpec, new IvParameterSpec(new byte[BLOCK]));
            } else {
                cipher.init(direction, keySpec);
            }
            return new AesBlocks(cipher);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES with keys of " + key.length + " bytes", e);
        }
    }

    /** Transforms whole blocks; they may go where they come from. */
    void transform(byte[] from, int fromOffset, int length, byte[] to, int toOffset) {
        try {
            int done = cipher.update(from, fromOffset, length, to, toOffset);
            if (done != length) {
                throw new IllegalStateException(done + " of " + length + " bytes came out of whole blocks");
            }
        } catch (ShortBufferException e) {
            throw new IllegalStateException("no room for " + length + " bytes", e);
        }
    }
}
