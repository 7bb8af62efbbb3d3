package dev.qcow2.reference.crypt;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The header of LUKS version 1, as it stands in an image: it lies in clusters of its own, which the full-disk-encryption extension
 * names. All numbers are big-endian; a sector has 512 bytes.
 *
 * <pre>
 * offset  size  field                                                  clause
 *      0     6  magic: LUKS, 0xba, 0xbe                                QC-CRY-05
 *      6     2  version: 1                                             QC-CRY-05
 *      8    32  name of the cipher: aes                                QC-CRY-06
 *     40    32  name of the mode                                       QC-CRY-06
 *     72    32  name of the hash function                              QC-CRY-06
 *    104     4  first sector of the payload; no meaning in an image
 *    108     4  bytes of the master key                                QC-CRY-06
 *    112    20  digest of the master key                               QC-CRY-07
 *    132    32  salt of the digest
 *    164     4  iterations of the digest                               QC-LIM-09
 *    168    40  UUID, as text
 *    208   384  eight key slots, see {@link LuksKeySlot}
 * </pre>
 *
 * @param cipher cipher, mode and length of the key
 * @param function hash function
 * @param digest tells whether a key is the right one
 * @param uuid name of the container
 * @param slots eight key slots
 */
record LuksHeader(CipherChoice cipher, HashFunction function, Digest digest, Octets uuid, List<LuksKeySlot> slots) {

    /** Bytes of the header without the key material. */
    static final int BYTES = 592;

    static final int SLOTS = 8;
    static final int DIGEST_BYTES = 20;
    static final int UUID_BYTES = 40;
    static final long HIGHEST_ITERATIONS = 1 << 25;

    private static final byte[] MAGIC = {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe};
    private static final int NAME_BYTES = 32;
    private static final int DIGEST_ITERATIONS_FIELD = 164;
    static final int SLOTS_FIELD = 208;
    private static final int FIRST_MATERIAL_SECTOR = 8;
    private static final int MATERIAL_ALIGNMENT_SECTORS = 8;

    /**
     * Tells the right master key from a wrong one, and does not give it away.
     *
     * @param bytes 20 bytes derived from the key
     * @param salt 32 bytes
     * @param iterations rounds of the derivation
     */
    record Digest(Octets bytes, Octets salt, int iterations) {}

    /**
     * Decodes a header.
     *
     * @param fileName the image
     * @param at host offset of the header
     * @param areaBytes bytes of the area in which header and key material lie
     * @param from 592 bytes
     */
    static LuksHeader parse(String fileName, long at, long areaBytes, ByteBuffer from) throws DiskException {
        byte[] magic = new byte[MAGIC.length];
        from.get(magic);
        int version = Short.toUnsignedInt(from.getShort());
        if (!Arrays.equals(magic, MAGIC) || version != 1) {
            throw new MalformedImageException(
                    fileName, CryptClause.QC_CRY_05, at, "no header of LUKS version 1", "one");
        }
        String cipherName = text(from);
        String modeName = text(from);
        String hashName = text(from);
        from.getInt();
        long keyBytes = Integer.toUnsignedLong(from.getInt());
        CipherChoice cipher = CipherChoice.of(cipherName, modeName, keyBytes)
                .orElseThrow(() -> new UnsupportedFeatureException(
                        fileName,
                        CryptClause.QC_CRY_06,
                        "LUKS with " + cipherName + "-" + modeName + " and a key of " + keyBytes + " bytes"));
        HashFunction function = HashFunction.named(hashName)
                .orElseThrow(() -> new UnsupportedFeatureException(
                        fileName, CryptClause.QC_CRY_06, "LUKS with hash function " + hashName));
        Octets digest = Octets.read(from, DIGEST_BYTES);
        Octets salt = Octets.read(from, LuksKeySlot.SALT_BYTES);
        long iterations = Integer.toUnsignedLong(from.getInt());
        requireIterations(fileName, at + DIGEST_ITERATIONS_FIELD, iterations);
        Octets uuid = Octets.read(from, UUID_BYTES);
        List<LuksKeySlot> slots = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            LuksKeySlot slot = LuksKeySlot.parse(from);
            require(fileName, at + SLOTS_FIELD + i * (long) LuksKeySlot.BYTES, areaBytes, cipher, slot);
            slots.add(slot);
        }
        return new LuksHeader(cipher, function, new Digest(digest, salt, (int) iterations), uuid, List.copyOf(slots));
    }

    /** Refuses a slot in use that can't be right. */
    static void require(String fileName, long at, long areaBytes, CipherChoice cipher, LuksKeySlot slot)
            throws DiskException {
        if (!slot.active()) {
            return;
        }
        requireIterations(fileName, at + Integer.BYTES, slot.iterations());
        if (slot.stripes() != StripedKey.STRIPES) {
            throw new MalformedImageException(
                    fileName, CryptClause.QC_CRY_10, at + 44, slot.stripes() + " stripes", "4000");
        }
        long first = slot.firstSector() * SectorCipher.SECTOR_BYTES;
        if (first < BYTES || first + slot.materialBytes(cipher.keyBytes()) > areaBytes) {
            throw new MalformedImageException(
                    fileName,
                    CryptClause.QC_CRY_09,
                    at + 40,
                    "key material in sector " + slot.firstSector(),
                    "sectors behind the header and inside its area of " + areaBytes + " bytes");
        }
    }

    private static void requireIterations(String fileName, long at, long iterations) throws DiskException {
        if (iterations < 1 || iterations > HIGHEST_ITERATIONS) {
            Clause limit = LimitClause.QC_LIM_09;
            throw new MalformedImageException(
                    fileName, limit, at, iterations + " iterations", "1 to " + HIGHEST_ITERATIONS);
        }
    }

    /** The 592 bytes of the header. */
    ByteBuffer encode() {
        ByteBuffer into = ByteBuffer.allocate(BYTES);
        into.put(MAGIC).putShort((short) 1);
        into.put(name(CipherChoice.AES)).put(name(cipher.mode().headerName())).put(name(function.headerName()));
        into.putInt((int) (areaBytes(cipher.keyBytes()) / SectorCipher.SECTOR_BYTES))
                .putInt(cipher.keyBytes());
        into.put(digest.bytes().toArray())
                .put(digest.salt().toArray())
                .putInt(digest.iterations())
                .put(uuid.toArray());
        slots.forEach(slot -> slot.encode(into));
        return into.flip();
    }

    /** Where the key material of a new header's slots starts. */
    static long materialSector(int slot, int keyBytes) {
        long sectors = (long) keyBytes * StripedKey.STRIPES / SectorCipher.SECTOR_BYTES;
        long each =
                (sectors + MATERIAL_ALIGNMENT_SECTORS - 1) / MATERIAL_ALIGNMENT_SECTORS * MATERIAL_ALIGNMENT_SECTORS;
        return FIRST_MATERIAL_SECTOR + slot * each;
    }

    /** Bytes of a new header with all its key material. */
    static long areaBytes(int keyBytes) {
        return materialSector(SLOTS, keyBytes) * SectorCipher.SECTOR_BYTES;
    }

    private static String text(ByteBuffer from) {
        byte[] field = new byte[NAME_BYTES];
        from.get(field);
        int length = 0;
        while (length < field.length && field[length] != 0) {
            length++;
        }
        return new String(field, 0, length, StandardCharsets.ISO_8859_1);
    }

    private static byte[] name(String text) {
        return Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), NAME_BYTES);
    }
}
