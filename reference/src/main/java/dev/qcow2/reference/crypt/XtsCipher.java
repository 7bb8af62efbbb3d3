package dev.qcow2.reference.crypt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * AES in XTS mode, with the sector's number as tweak (plain64). The key is two keys: the first encrypts the data, the second
 * the tweak. Before and after the block cipher each block is added to a mask; the next block's mask is the former one times x in
 * GF(2^128), in which bit 0 of byte 0 is the lowest.
 */
final class XtsCipher implements SectorCipher {

    /** What x^128 is modulo the field's polynomial x^128 + x^7 + x^2 + x + 1. */
    private static final int REDUCTION = 0x87;

    private final Aes data;
    private final Aes tweak;

    XtsCipher(byte[] key) {
        data = new Aes(Arrays.copyOf(key, key.length / 2));
        tweak = new Aes(Arrays.copyOfRange(key, key.length / 2, key.length));
    }

    @Override
    public void encrypt(long firstSector, byte[] bytes) {
        convert(true, firstSector, bytes);
    }

    @Override
    public void decrypt(long firstSector, byte[] bytes) {
        convert(false, firstSector, bytes);
    }

    private void convert(boolean encrypt, long firstSector, byte[] bytes) {
        byte[] masks = masks(firstSector, bytes.length / SECTOR_BYTES);
        add(masks, bytes);
        byte[] converted =
                encrypt ? data.encryptBlocks(bytes, 0, bytes.length) : data.decryptBlocks(bytes, 0, bytes.length);
        add(masks, converted);
        System.arraycopy(converted, 0, bytes, 0, bytes.length);
    }

    private byte[] masks(long firstSector, int sectors) {
        byte[] masks = new byte[sectors * SECTOR_BYTES];
        for (int i = 0; i < sectors; i++) {
            byte[] mask = tweak.encryptBlocks(InitialVector.plain64(firstSector + i), 0, Aes.BLOCK_BYTES);
            for (int at = 0; at < SECTOR_BYTES; at += Aes.BLOCK_BYTES) {
                System.arraycopy(mask, 0, masks, i * SECTOR_BYTES + at, Aes.BLOCK_BYTES);
                timesX(mask);
            }
        }
        return masks;
    }

    private static void timesX(byte[] mask) {
        ByteBuffer halves = ByteBuffer.wrap(mask).order(ByteOrder.LITTLE_ENDIAN);
        long low = halves.getLong(0);
        long high = halves.getLong(Long.BYTES);
        halves.putLong(0, low << 1 ^ (high < 0 ? REDUCTION : 0));
        halves.putLong(Long.BYTES, high << 1 | low >>> (Long.SIZE - 1));
    }

    private static void add(byte[] masks, byte[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] ^= masks[i];
        }
    }
}
