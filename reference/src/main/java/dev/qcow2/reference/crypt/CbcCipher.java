package dev.qcow2.reference.crypt;

/** AES in CBC mode: each sector is a chain of its own. */
final class CbcCipher implements SectorCipher {

    private final Aes aes;
    private final InitialVector vector;

    CbcCipher(byte[] key, InitialVector vector) {
        this.aes = new Aes(key);
        this.vector = vector;
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
        for (int at = 0; at < bytes.length; at += SECTOR_BYTES) {
            byte[] start = vector.of(firstSector + at / SECTOR_BYTES);
            System.arraycopy(aes.chain(encrypt, start, bytes, at, SECTOR_BYTES), 0, bytes, at, SECTOR_BYTES);
        }
    }
}
