package dev.qcow2.reference.crypt;

import dev.qcow2.spec.clause.CryptClause;

/**
 * Encrypts and decrypts sectors in place. A sector has 512 bytes whatever the cluster size ({@link CryptClause#QC_CRY_01}), and
 * its number goes into the cipher, so that equal sectors look different.
 */
public interface SectorCipher {

    /** Bytes of a sector. */
    int SECTOR_BYTES = 512;

    /**
     * Encrypts whole sectors.
     *
     * @param firstSector number of the first one
     * @param bytes a multiple of 512 bytes, replaced by what they become
     */
    void encrypt(long firstSector, byte[] bytes);

    /**
     * Decrypts whole sectors.
     *
     * @param firstSector number of the first one
     * @param bytes a multiple of 512 bytes, replaced by what they become
     */
    void decrypt(long firstSector, byte[] bytes);
}
