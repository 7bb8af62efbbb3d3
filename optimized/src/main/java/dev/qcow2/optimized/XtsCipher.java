package dev.qcow2.optimized;

import java.util.Arrays;

/**
 * AES in XTS mode. Each block is masked before and after its encryption; the masks of a whole run are computed first, so
 * that one call encrypts the run.
 */
final class XtsCipher implements SectorCipher {

    /** What overflows is added again as this: the polynomial of the field in which masks are doubled. */
    private static final long OVERFLOW = 0x87;

    private final AesBlocks encrypting;
    private final AesBlocks decrypting;
    private final SectorVectors tweaks;
    private final byte[] masks = new byte[MOST_BYTES];

    /** The first half of the key is for data, the second one for the sectors' numbers. */
    XtsCipher(byte[] keys) {
        byte[] dataKey = Arrays.copyOf(keys, keys.length / 2);
        this.encrypting = AesBlocks.encrypting(dataKey);
        this.decrypting = AesBlocks.decrypting(dataKey);
        this.tweaks = SectorVectors.encrypted(Arrays.copyOfRange(keys, keys.length / 2, keys.length));
    }

    @Override
    public void encrypt(long firstSector, byte[] data, int offset, int length) {
        run(encrypting, firstSector, data, offset, length);
    }

    @Override
    public void decrypt(long firstSector, byte[] data, int offset, int length) {
        run(decrypting, firstSector, data, offset, length);
    }

    private void run(AesBlocks blocks, long firstSector, byte[] data, int offset, int length) {
        computeMasks(firstSector, length / SECTOR);
        mask(data, offset, length);
        blocks.transform(data, offset, length, data, offset);
        mask(data, offset, length);
    }

    private void computeMasks(long firstSector, int sectors) {
        byte[] first = tweaks.of(firstSector, sectors);
        int at = 0;
        for (int sector = 0; sector < sectors; sector++) {
            long low = (long) SectorVectors.LONGS.get(first, sector * AesBlocks.BLOCK);
            long high = (long) SectorVectors.LONGS.get(first, sector * AesBlocks.BLOCK + Long.BYTES);
            for (int end = at + SECTOR; at < end; at += AesBlocks.BLOCK) {
                SectorVectors.LONGS.set(masks, at, low);
                SectorVectors.LONGS.set(masks, at + Long.BYTES, high);
                long overflow = high >> 63 & OVERFLOW;
                high = high << 1 | low >>> 63;
                low = low << 1 ^ overflow;
            }
        }
    }

    private void mask(byte[] data, int offset, int length) {
        for (int i = 0; i < length; i += Long.BYTES) {
            long value = (long) SectorVectors.LONGS.get(data, offset + i) ^ (long) SectorVectors.LONGS.get(masks, i);
            SectorVectors.LONGS.set(data, offset + i, value);
        }
    }
}
