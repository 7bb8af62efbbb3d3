package dev.qcow2.optimized;

/** Encrypts and decrypts runs of sectors in place. One thread at a time may use it. */
interface SectorCipher {

    /** Bytes that are encrypted on their own, whatever the cluster size (QC-CRY-01). */
    int SECTOR = 512;

    /** The longest run, in bytes: enough for the processor's parallel AES, and little enough for its cache. */
    int MOST_BYTES = 1 << 17;

    /**
     * Encrypts whole sectors.
     *
     * @param firstSector number of the first one
     * @param data holds them
     * @param offset where they start
     * @param length bytes, a multiple of {@link #SECTOR}, at most {@link #MOST_BYTES}
     */
    void encrypt(long firstSector, byte[] data, int offset, int length);

    /** The reverse of {@link #encrypt}. */
    void decrypt(long firstSector, byte[] data, int offset, int length);
}
