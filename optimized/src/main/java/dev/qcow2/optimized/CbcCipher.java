package dev.qcow2.optimized;

/**
 * AES in CBC mode, started anew in each sector. Nothing is initialised per sector, which would expand the key each time:
 * the chain of the encrypting side simply goes on, and the first block of a sector cancels out what it goes on from. The
 * decrypting side needs no chain, since all encrypted blocks are there: a run is one call.
 */
final class CbcCipher implements SectorCipher {

    private final AesBlocks chain;
    private final AesBlocks decrypting;
    private final SectorVectors vectors;
    private final byte[] decrypted = new byte[MOST_BYTES];

    /** The block that came out of the chain last. */
    private long lastLow;

    private long lastHigh;

    CbcCipher(byte[] key, SectorVectors vectors) {
        this.chain = AesBlocks.chaining(key);
        this.decrypting = AesBlocks.decrypting(key);
        this.vectors = vectors;
    }

    @Override
    public void encrypt(long firstSector, byte[] data, int offset, int length) {
        byte[] initial = vectors.of(firstSector, length / SECTOR);
        for (int sector = 0; sector < length / SECTOR; sector++) {
            int at = offset + sector * SECTOR;
            int vector = sector * AesBlocks.BLOCK;
            addTo(data, at, lastLow ^ get(initial, vector));
            addTo(data, at + Long.BYTES, lastHigh ^ get(initial, vector + Long.BYTES));
            chain.transform(data, at, SECTOR, data, at);
            lastLow = get(data, at + SECTOR - AesBlocks.BLOCK);
            lastHigh = get(data, at + SECTOR - Long.BYTES);
        }
    }

    @Override
    public void decrypt(long firstSector, byte[] data, int offset, int length) {
        byte[] initial = vectors.of(firstSector, length / SECTOR);
        decrypting.transform(data, offset, length, decrypted, 0);
        for (int at = 0; at < length; at += Long.BYTES) {
            int inSector = at & (SECTOR - 1);
            long before = inSector < AesBlocks.BLOCK
                    ? get(initial, at / SECTOR * AesBlocks.BLOCK + inSector)
                    : get(data, offset + at - AesBlocks.BLOCK);
            addTo(decrypted, at, before);
        }
        System.arraycopy(decrypted, 0, data, offset, length);
    }

    private static long get(byte[] bytes, int at) {
        return (long) SectorVectors.LONGS.get(bytes, at);
    }

    private static void addTo(byte[] bytes, int at, long mask) {
        SectorVectors.LONGS.set(bytes, at, get(bytes, at) ^ mask);
    }
}
