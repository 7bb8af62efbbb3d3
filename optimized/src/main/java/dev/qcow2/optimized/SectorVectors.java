package dev.qcow2.optimized;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The initial vectors of a run of sectors: their numbers in 16 bytes, lowest byte first; as they are, or encrypted all at
 * once under a key of their own.
 */
final class SectorVectors {

    /** Eight bytes of an array as a number, lowest byte first. */
    static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final @Nullable AesBlocks encryption;
    private final byte[] bytes = new byte[SectorCipher.MOST_BYTES / SectorCipher.SECTOR * AesBlocks.BLOCK];

    private SectorVectors(@Nullable AesBlocks encryption) {
        this.encryption = encryption;
    }

    static SectorVectors plain() {
        return new SectorVectors(null);
    }

    static SectorVectors encrypted(byte[] key) {
        return new SectorVectors(AesBlocks.encrypting(key));
    }

    /** Returns the vectors of sectors one behind the other; the array is used again by the next call. */
    byte[] of(long firstSector, int sectors) {
        for (int i = 0; i < sectors; i++) {
            LONGS.set(bytes, i * AesBlocks.BLOCK, firstSector + i);
            LONGS.set(bytes, i * AesBlocks.BLOCK + Long.BYTES, 0L);
        }
        if (encryption != null) {
            encryption.transform(bytes, 0, sectors * AesBlocks.BLOCK, bytes, 0);
        }
        return bytes;
    }
}
