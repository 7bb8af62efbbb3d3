package dev.qcow2.reference.crypt;

import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Gets the master key out of a LUKS header, and makes new headers. */
public final class LuksKeys {

    private LuksKeys() {}

    /**
     * Unlocks an image: tries the passphrase on each key slot (QC-CRY-08).
     *
     * @param file the image
     * @param at host offset of the LUKS header
     * @param areaBytes bytes from there that belong to header and key material
     * @param passphrase what the user gave
     * @return the cipher of the guest's clusters
     * @throws DiskException if the header is malformed, no slot takes the passphrase, or the host fails
     */
    public static SectorCipher unlock(HostFile file, long at, long areaBytes, Passphrase passphrase)
            throws DiskException {
        LuksHeader header = read(file, at, areaBytes);
        return header.cipher().cipher(masterKey(file, at, header, passphrase));
    }

    static LuksHeader read(HostFile file, long at, long areaBytes) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(LuksHeader.BYTES);
        file.readZeroPadded(at, bytes);
        return LuksHeader.parse(file.name(), at, areaBytes, bytes.flip());
    }

    /** Tries a passphrase on each slot. */
    static byte[] masterKey(HostFile file, long at, LuksHeader header, Passphrase passphrase) throws DiskException {
        for (LuksKeySlot slot : header.slots()) {
            if (slot.active()) {
                byte[] key = candidate(file, at, header, slot, passphrase.bytes());
                if (isRight(header, key)) {
                    return key;
                }
            }
        }
        throw new LockedImageException(
                file.name(), CryptClause.QC_CRY_08, "no key slot can be opened with this passphrase");
    }

    /** Whether a passphrase is that of a slot in use. */
    static boolean opens(HostFile file, long at, LuksHeader header, LuksKeySlot slot, Passphrase passphrase)
            throws DiskException {
        return isRight(header, candidate(file, at, header, slot, passphrase.bytes()));
    }

    private static byte[] candidate(HostFile file, long at, LuksHeader header, LuksKeySlot slot, byte[] passphrase)
            throws DiskException {
        int keyBytes = header.cipher().keyBytes();
        byte[] material = new byte[slot.materialBytes(keyBytes)];
        file.readZeroPadded(at + slot.firstSector() * SectorCipher.SECTOR_BYTES, ByteBuffer.wrap(material));
        slot.materialCipher(header.cipher(), header.function(), passphrase).decrypt(0, material);
        byte[] stripes = Arrays.copyOf(material, keyBytes * StripedKey.STRIPES);
        return StripedKey.merge(header.function(), stripes, keyBytes);
    }

    private static boolean isRight(LuksHeader header, byte[] key) {
        return MessageDigest.isEqual(
                digest(
                        key,
                        header.function(),
                        header.digest().salt().toArray(),
                        header.digest().iterations()),
                header.digest().bytes().toArray());
    }

    private static byte[] digest(byte[] key, HashFunction function, byte[] salt, int iterations) {
        return KeyDerivation.derive(function, key, salt, iterations, LuksHeader.DIGEST_BYTES);
    }

    /**
     * Returns how much room a new header takes.
     *
     * @param encryption a LUKS cipher
     * @return bytes
     */
    public static long areaBytes(Encryption encryption) {
        return LuksHeader.areaBytes(choice(encryption).keyBytes());
    }

    /**
     * Makes a header with a random master key, one key slot in use and seven free ones.
     *
     * @param encryption a LUKS cipher, and the passphrase of the slot
     * @param random where key, salts and stripes come from; must be hard to guess
     * @return {@link #areaBytes} bytes
     */
    public static ByteBuffer create(Encryption encryption, Random random) {
        CipherChoice cipher = choice(encryption);
        HashFunction function = HashFunction.SHA_256;
        byte[] key = new byte[cipher.keyBytes()];
        random.nextBytes(key);
        Octets digestSalt = Octets.random(LuksKeySlot.SALT_BYTES, random);
        int digestIterations = Math.max(1000, encryption.iterations() / 8);
        byte[] digestBytes = digest(key, function, digestSalt.toArray(), digestIterations);
        LuksHeader.Digest digest = new LuksHeader.Digest(Octets.of(digestBytes), digestSalt, digestIterations);
        List<LuksKeySlot> slots = new ArrayList<>();
        slots.add(LuksKeySlot.active(LuksHeader.materialSector(0, cipher.keyBytes()), encryption.iterations(), random));
        for (int i = 1; i < LuksHeader.SLOTS; i++) {
            slots.add(LuksKeySlot.free(LuksHeader.materialSector(i, cipher.keyBytes())));
        }
        LuksHeader header = new LuksHeader(cipher, function, digest, uuid(random), slots);
        LuksKeySlot first = slots.get(0);
        byte[] stripes = StripedKey.split(function, key, random);
        byte[] material = Arrays.copyOf(stripes, first.materialBytes(cipher.keyBytes()));
        first.materialCipher(cipher, function, encryption.passphrase().bytes()).encrypt(0, material);
        ByteBuffer area = ByteBuffer.allocate(Math.toIntExact(LuksHeader.areaBytes(cipher.keyBytes())));
        area.put(header.encode());
        area.position((int) first.firstSector() * SectorCipher.SECTOR_BYTES).put(material);
        return area.clear();
    }

    private static Octets uuid(Random random) {
        String text = new UUID(random.nextLong(), random.nextLong()).toString();
        return Octets.of(Arrays.copyOf(text.getBytes(StandardCharsets.US_ASCII), LuksHeader.UUID_BYTES));
    }

    private static CipherChoice choice(Encryption encryption) {
        return switch (encryption.cipher()) {
            case LUKS_AES_256_XTS_PLAIN64 -> new CipherChoice(CipherChoice.Mode.XTS_PLAIN64, 64);
            case LUKS_AES_128_XTS_PLAIN64 -> new CipherChoice(CipherChoice.Mode.XTS_PLAIN64, 32);
            case LUKS_AES_256_CBC_ESSIV_SHA256 -> new CipherChoice(CipherChoice.Mode.CBC_ESSIV_SHA256, 32);
            case LUKS_AES_128_CBC_ESSIV_SHA256 -> new CipherChoice(CipherChoice.Mode.CBC_ESSIV_SHA256, 16);
            case LEGACY_AES_128_CBC -> throw new IllegalArgumentException("the legacy method has no header");
        };
    }
}
