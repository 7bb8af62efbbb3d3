package dev.qcow2.reference.crypt;

import java.nio.ByteBuffer;
import java.util.Random;

/**
 * A key slot of a LUKS header: a place where the image's master key lies, encrypted with one passphrase. All numbers are
 * big-endian.
 *
 * <pre>
 * offset  size  field                                                     clause
 *      0     4  state: 0x00ac71f3 in use, 0x0000dead free                 QC-CRY-08
 *      4     4  iterations of the key derivation                          QC-LIM-09
 *      8    32  salt of the key derivation
 *     40     4  first sector of the key material, from the header's start QC-CRY-09
 *     44     4  number of stripes                                         QC-CRY-10
 * </pre>
 *
 * @param active whether the slot is in use
 * @param iterations rounds of key derivation
 * @param salt 32 bytes
 * @param firstSector where the striped key starts, in sectors from the header's start
 * @param stripes how often the key's length the striped key has
 */
record LuksKeySlot(boolean active, long iterations, Octets salt, long firstSector, long stripes) {

    /** Bytes of a slot in the header. */
    static final int BYTES = 48;

    static final int SALT_BYTES = 32;
    static final int STATE_BYTES = 4;

    private static final int ACTIVE = 0x00ac71f3;
    private static final int FREE = 0x0000dead;

    static LuksKeySlot parse(ByteBuffer from) {
        int state = from.getInt();
        long iterations = Integer.toUnsignedLong(from.getInt());
        Octets salt = Octets.read(from, SALT_BYTES);
        long firstSector = Integer.toUnsignedLong(from.getInt());
        return new LuksKeySlot(state == ACTIVE, iterations, salt, firstSector, Integer.toUnsignedLong(from.getInt()));
    }

    /** A slot that holds nothing, yet has its place. */
    static LuksKeySlot free(long firstSector) {
        return new LuksKeySlot(false, 0, Octets.zeros(SALT_BYTES), firstSector, StripedKey.STRIPES);
    }

    /** A slot in use. */
    static LuksKeySlot active(long firstSector, int iterations, Random random) {
        Octets salt = Octets.random(SALT_BYTES, random);
        return new LuksKeySlot(true, iterations, salt, firstSector, StripedKey.STRIPES);
    }

    /** What stands in the header for a slot in use, or a free one. */
    static int state(boolean active) {
        return active ? ACTIVE : FREE;
    }

    /** Whether the key material of two slots shares bytes. */
    boolean meets(LuksKeySlot other, int keyBytes) {
        long sectors = materialBytes(keyBytes) / SectorCipher.SECTOR_BYTES;
        long others = other.materialBytes(keyBytes) / SectorCipher.SECTOR_BYTES;
        return firstSector < other.firstSector + others && other.firstSector < firstSector + sectors;
    }

    void encode(ByteBuffer into) {
        into.putInt(state(active));
        into.putInt((int) iterations)
                .put(salt.toArray())
                .putInt((int) firstSector)
                .putInt((int) stripes);
    }

    /** The cipher of the key material. */
    SectorCipher materialCipher(CipherChoice choice, HashFunction function, byte[] passphrase) {
        return choice.cipher(KeyDerivation.derive(
                function, passphrase, salt.toArray(), Math.toIntExact(iterations), choice.keyBytes()));
    }

    /** Host bytes of the striped key, up to a whole sector. */
    int materialBytes(int keyBytes) {
        int sector = SectorCipher.SECTOR_BYTES;
        return (int) ((keyBytes * stripes + sector - 1) / sector) * sector;
    }
}
