package dev.qcow2.reference.crypt;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** One AES key. The platform does the work; here stands only what sectors are made of: blocks, and chains of blocks. */
final class Aes {

    /** Bytes of a block. */
    static final int BLOCK_BYTES = 16;

    private final SecretKeySpec key;
    private final Cipher blockEncryptor;
    private final Cipher blockDecryptor;
    private final Cipher chain;

    /** Takes a key of 16, 24 or 32 bytes. */
    Aes(byte[] keyBytes) {
        key = new SecretKeySpec(keyBytes, "AES");
        try {
            blockEncryptor = Cipher.getInstance("AES/ECB/NoPadding");
            blockEncryptor.init(Cipher.ENCRYPT_MODE, key);
            blockDecryptor = Cipher.getInstance("AES/ECB/NoPadding");
            blockDecryptor.init(Cipher.DECRYPT_MODE, key);
            chain = Cipher.getInstance("AES/CBC/NoPadding");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES", e);
        }
    }

    /** Encrypts blocks, each by itself. */
    byte[] encryptBlocks(byte[] blocks, int offset, int length) {
        return perform(blockEncryptor, blocks, offset, length);
    }

    /** Decrypts blocks, each by itself. */
    byte[] decryptBlocks(byte[] blocks, int offset, int length) {
        return perform(blockDecryptor, blocks, offset, length);
    }

    /** Encrypts (or decrypts) a chain of blocks that starts with an initial vector. */
    byte[] chain(boolean encrypt, byte[] initialVector, byte[] blocks, int offset, int length) {
        try {
            chain.init(encrypt ? Cipher.ENCRYPT_MODE : Cipher.DECRYPT_MODE, key, new IvParameterSpec(initialVector));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the vector has a block's length", e);
        }
        return perform(chain, blocks, offset, length);
    }

    private static byte[] perform(Cipher cipher, byte[] bytes, int offset, int length) {
        try {
            return cipher.doFinal(bytes, offset, length);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("whole blocks need no padding", e);
        }
    }
}
