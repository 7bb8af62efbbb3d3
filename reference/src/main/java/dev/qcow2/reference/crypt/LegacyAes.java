package dev.qcow2.reference.crypt;

import dev.qcow2.spec.disk.Passphrase;
import java.util.Arrays;

/**
 * The encryption of old images: AES-128 in CBC mode, whose key is the passphrase itself, cut or padded with zeros to 16 bytes. There is no
 * salt, no slow derivation, and no way to tell a wrong passphrase (QC-CRY-02).
 */
public final class LegacyAes {

    private static final int KEY_BYTES = 16;

    private LegacyAes() {}

    /**
     * Makes the cipher.
     *
     * @param passphrase its first 16 bytes are the key
     * @return the cipher of the guest's clusters; sectors are counted on the guest's disk
     */
    public static SectorCipher unlock(Passphrase passphrase) {
        byte[] key = Arrays.copyOf(passphrase.bytes(), KEY_BYTES);
        return new CbcCipher(key, InitialVector::plain64);
    }
}
