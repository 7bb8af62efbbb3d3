package dev.qcow2.reference.crypt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How a sector's number becomes the vector that its chain starts with. */
interface InitialVector {

    /** Returns the 16 bytes for a sector. */
    byte[] of(long sector);

    /** The number itself, little-endian in 64 bits, and zeros. */
    static byte[] plain64(long sector) {
        return ByteBuffer.allocate(Aes.BLOCK_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(sector)
                .array();
    }

    /** The number encrypted with a hash of the key: who does not know the key can't foresee the vectors. */
    static InitialVector essiv(byte[] key) {
        Aes salted = new Aes(HashFunction.SHA_256.hash(key));
        return sector -> salted.encryptBlocks(plain64(sector), 0, Aes.BLOCK_BYTES);
    }
}
