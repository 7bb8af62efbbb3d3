package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.UUID;

/** Makes the LUKS header of a new image: a random master key under one passphrase in the first slot (QC-CRY-18). */
final class NewLuks {

    /** Sectors to which each slot's key material is aligned, and that the header takes; as programs for LUKS do it. */
    private static final int ALIGNMENT = 8;

    private final Encryption encryption;
    private final Random random;
    private final CipherMode mode;
    private final int keyLength;

    NewLuks(Encryption encryption, Random random) {
        this.encryption = encryption;
        this.random = random;
        this.mode = modeOf(encryption.cipher());
        this.keyLength = keyLengthOf(encryption.cipher());
    }

    private static CipherMode modeOf(Cipher cipher) {
        return switch (cipher) {
            case LUKS_AES_256_XTS_PLAIN64, LUKS_AES_128_XTS_PLAIN64 -> CipherMode.XTS_PLAIN64;
            case LUKS_AES_256_CBC_ESSIV_SHA256, LUKS_AES_128_CBC_ESSIV_SHA256 -> CipherMode.CBC_ESSIV_SHA256;
            case LEGACY_AES_128_CBC -> throw new IllegalArgumentException("the legacy method has no LUKS header");
        };
    }

    private static int keyLengthOf(Cipher cipher) {
        return switch (cipher) {
            case LUKS_AES_256_XTS_PLAIN64 -> 64;
            case LUKS_AES_128_XTS_PLAIN64, LUKS_AES_256_CBC_ESSIV_SHA256 -> 32;
            case LUKS_AES_128_CBC_ESSIV_SHA256, LEGACY_AES_128_CBC -> 16;
        };
    }

    /** Bytes of the header with room for the key material of all slots. */
    long length() {
        return payloadSector() * SectorCipher.SECTOR;
    }

    /** Writes it to clusters that read as zero. */
    void write(HostFile host, long offset) throws DiskException {
        byte[] key = random(keyLength);
        byte[] digestSalt = random(LuksHeader.SALT_LENGTH);
        byte[] slotSalt = random(LuksHeader.SALT_LENGTH);
        byte[] digest = LuksHash.SHA256.derive(key, digestSalt, encryption.iterations(), LuksHeader.DIGEST_LENGTH);
        ByteBuffer header = ByteBuffer.allocate(LuksHeader.BYTES);
        header.putInt(0, LuksHeader.MAGIC).putInt(4, LuksHeader.MAGIC_TAIL_AND_VERSION);
        putText(header, LuksHeader.CIPHER_AT, "aes");
        putText(header, LuksHeader.MODE_AT, mode.luksName());
        putText(header, LuksHeader.HASH_AT, LuksHash.SHA256.luksName());
        // QC-CRY-13
        header.putInt(LuksHeader.PAYLOAD_AT, (int) payloadSector()).putInt(LuksHeader.KEY_LENGTH_AT, keyLength);
        header.put(LuksHeader.DIGEST_AT, digest).put(LuksHeader.DIGEST_SALT_AT, digestSalt);
        header.putInt(LuksHeader.DIGEST_ITERATIONS_AT, encryption.iterations());
        putText(header, LuksHeader.UUID_AT, new UUID(random.nextLong(), random.nextLong()).toString());
        for (int slot = 0; slot < LuksHeader.SLOTS; slot++) {
            putSlot(header, slot);
        }
        int first = LuksHeader.SLOTS_AT;
        header.putInt(first, LuksHeader.IN_USE).putInt(first + LuksHeader.SLOT_ITERATIONS, encryption.iterations());
        header.put(first + LuksHeader.SLOT_SALT, slotSalt);
        host.write(offset, header);
        host.write(offset + materialSector(0) * SectorCipher.SECTOR, ByteBuffer.wrap(material(key, slotSalt)));
    }

    private void putSlot(ByteBuffer header, int slot) {
        int at = LuksHeader.SLOTS_AT + slot * LuksHeader.SLOT_LENGTH;
        header.putInt(at, LuksHeader.FREE);
        header.putInt(at + LuksHeader.SLOT_MATERIAL, (int) materialSector(slot));
        header.putInt(at + LuksHeader.SLOT_STRIPES, StripeSplitter.STRIPES);
    }

    private byte[] material(byte[] key, byte[] salt) {
        byte[] slotKey =
                LuksHash.SHA256.derive(encryption.passphrase().bytes(), salt, encryption.iterations(), keyLength);
        byte[] split = new StripeSplitter(LuksHash.SHA256).split(key, random);
        byte[] stripes = new byte[KeyMaterial.storedLength(keyLength)];
        System.arraycopy(split, 0, stripes, 0, split.length);
        KeyMaterial.encrypt(mode.cipher(slotKey), stripes);
        return stripes;
    }

    /** QC-CRY-09: counted from the start of the LUKS header. */
    private long materialSector(int slot) {
        long sectors = KeyMaterial.storedLength(keyLength) / SectorCipher.SECTOR;
        return ALIGNMENT + slot * ((sectors + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    private long payloadSector() {
        return materialSector(LuksHeader.SLOTS);
    }

    private byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void putText(ByteBuffer into, int at, String text) {
        into.put(at, text.getBytes(StandardCharsets.US_ASCII));
    }
}
