package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CryptClause.QC_CRY_07;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_08;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Finds an encrypted image's key. */
final class Unlocking {

    private static final int LEGACY_KEY = 16;

    private Unlocking() {}

    /**
     * Returns what encrypts and decrypts the guest data of an encrypted image.
     *
     * @throws LockedImageException without the right passphrase (QC-CRY-08)
     * @throws DiskException if the LUKS header is not valid, or needs what is missing here
     */
    static SectorCrypto unlock(HostFile host, EncryptionArea area, Optional<Passphrase> passphrase)
            throws DiskException {
        LuksHeader header = area.method() == EncryptionArea.LUKS ? LuksHeader.read(host, area) : null;
        byte[] secret = passphrase
                .orElseThrow(() -> new LockedImageException(host.name(), QC_CRY_08, "no passphrase was given"))
                .bytes();
        return header == null ? legacy(secret) : unlock(host, header, secret);
    }

    /** QC-CRY-02; whether the passphrase is right, nothing tells (QC-CRY-14). */
    static SectorCrypto legacy(byte[] secret) {
        return new SectorCrypto(CipherMode.CBC_PLAIN64, Arrays.copyOf(secret, LEGACY_KEY), true);
    }

    private static SectorCrypto unlock(HostFile host, LuksHeader header, byte[] secret) throws DiskException {
        return new SectorCrypto(header.mode(), masterKey(host, header, header.slots(), secret), false);
    }

    /** Returns the image's key, if a passphrase opens one of these slots. */
    static byte[] masterKey(HostFile host, LuksHeader header, List<LuksHeader.Slot> slots, byte[] secret)
            throws DiskException {
        // QC-CRY-15: the passphrase may belong to any slot.
        for (LuksHeader.Slot slot : slots) {
            byte[] key = keyOf(host, header, slot, secret);
            if (isMasterKey(header, key)) {
                return key;
            }
        }
        String reason = slots.isEmpty() ? "no key slot is in use" : "the passphrase fits no key slot";
        throw new LockedImageException(host.name(), QC_CRY_07, reason);
    }

    private static byte[] keyOf(HostFile host, LuksHeader header, LuksHeader.Slot slot, byte[] secret)
            throws DiskException {
        byte[] salt = header.bytes(slot.at() + LuksHeader.SLOT_SALT, LuksHeader.SALT_LENGTH);
        byte[] slotKey = header.hash().derive(secret, salt, slot.iterations(), header.keyLength());
        byte[] stripes = new byte[KeyMaterial.storedLength(header.keyLength())];
        host.readZeroPadded(slot.material(), ByteBuffer.wrap(stripes, 0, header.keyLength() * StripeSplitter.STRIPES));
        KeyMaterial.decrypt(header.mode().cipher(slotKey), stripes);
        return new StripeSplitter(header.hash()).merge(stripes, header.keyLength());
    }

    private static boolean isMasterKey(LuksHeader header, byte[] key) {
        byte[] salt = header.bytes(LuksHeader.DIGEST_SALT_AT, LuksHeader.SALT_LENGTH);
        byte[] digest = header.hash().derive(key, salt, header.digestIterations(), LuksHeader.DIGEST_LENGTH);
        return MessageDigest.isEqual(digest, header.bytes(LuksHeader.DIGEST_AT, LuksHeader.DIGEST_LENGTH));
    }
}
