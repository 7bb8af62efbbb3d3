package dev.qcow2.reference;

import dev.qcow2.reference.GuestData.Sectors;
import dev.qcow2.reference.crypt.LegacyAes;
import dev.qcow2.reference.crypt.LuksKeys;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions.Secrets;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Unlocks encrypted images when they are opened. The full-disk-encryption extension, which LUKS images have and no others, names the
 * clusters of the LUKS header:
 *
 * <pre>
 * offset size field                                                                   clause
 *      0    8 host offset of the LUKS header, a multiple of the cluster size          QC-CRY-04
 *      8    8 bytes of header and key material                                        QC-CRY-04
 * </pre>
 */
final class Unlocker {

    private static final int EXTENSION_BYTES = 16;
    private static final long HIGHEST_AREA_BYTES = 64L << 20;
    private static final int LEGACY = 1;
    private static final int LUKS = 2;

    private Unlocker() {}

    /** Unlocks an image, if it is encrypted, and returns what its user should know. */
    static List<String> unlock(Image image, Secrets secrets) throws DiskException {
        int method = image.header().cryptMethod();
        Optional<HeaderExtension> extension = extension(image);
        if (extension.isPresent() != (method == LUKS)) {
            throw new MalformedImageException(
                    image.file().name(),
                    ExtensionClause.QC_EXT_10,
                    32,
                    "crypt_method " + method + (extension.isPresent() ? " with" : " without") + " a LUKS header",
                    "a LUKS header exactly with crypt_method 2");
        }
        if (method == LEGACY) {
            // QC-CRY-14: nothing tells a wrong passphrase.
            Passphrase passphrase = passphrase(image, secrets);
            image.unlock(new GuestData.Encryption(LegacyAes.unlock(passphrase), Sectors.OF_GUEST));
            return List.of(image.file().name()
                    + " is encrypted with the method of old images, which is not safe: convert it to LUKS");
        }
        if (method == LUKS) {
            unlockLuks(image, extension.orElseThrow(), secrets);
        }
        return List.of();
    }

    private static Optional<HeaderExtension> extension(Image image) throws DiskException {
        List<HeaderExtension> all = HeaderExtension.list(image.file(), image.header());
        return HeaderExtension.find(image.file().name(), all, HeaderExtension.CRYPTO_HEADER);
    }

    static Passphrase passphrase(Image image, Secrets secrets) throws DiskException {
        String fileName = image.file().name();
        return secrets.of(fileName)
                .orElseThrow(
                        () -> new LockedImageException(fileName, CryptClause.QC_CRY_01, "no passphrase was given"));
    }

    private static void unlockLuks(Image image, HeaderExtension extension, Secrets secrets) throws DiskException {
        Area area = area(image, extension);
        Passphrase passphrase = passphrase(image, secrets);
        image.unlock(new GuestData.Encryption(
                LuksKeys.unlock(image.file(), area.offset(), area.bytes(), passphrase), Sectors.OF_HOST));
    }

    /**
     * Where the LUKS header is, with its key material.
     *
     * @param offset host offset
     * @param bytes length
     */
    record Area(long offset, long bytes) {}

    /** The area of an image that must be one with LUKS. */
    static Area luksArea(Image image) throws DiskException {
        Optional<HeaderExtension> extension = extension(image);
        if (image.header().cryptMethod() != LUKS || extension.isEmpty()) {
            throw new RequestRefusedException(
                    image.file().name(), CryptClause.QC_CRY_15, "only LUKS images have key slots");
        }
        return area(image, extension.get());
    }

    private static Area area(Image image, HeaderExtension extension) throws DiskException {
        ByteBuffer data = extension.data(image.file());
        require(image, extension, data.remaining() == EXTENSION_BYTES, data.remaining() + " bytes of data", "16");
        long at = data.getLong(0);
        long areaBytes = data.getLong(Long.BYTES);
        boolean aligned = at > 0 && image.geometry().offsetInCluster(at) == 0;
        require(image, extension, aligned, "host offset " + at, "a multiple of the cluster size");
        if (areaBytes > HIGHEST_AREA_BYTES) {
            throw new MalformedImageException(
                    image.file().name(),
                    LimitClause.QC_LIM_16,
                    extension.dataOffset() + Long.BYTES,
                    areaBytes + " bytes",
                    "up to 64 MiB");
        }
        boolean inside = areaBytes > 0 && areaBytes <= image.file().size() - at;
        require(image, extension, inside, areaBytes + " bytes at " + at, "an area inside the file");
        return new Area(at, areaBytes);
    }

    private static void require(Image image, HeaderExtension extension, boolean holds, String found, String allowed)
            throws DiskException {
        if (!holds) {
            throw new MalformedImageException(
                    image.file().name(), CryptClause.QC_CRY_04, extension.dataOffset(), found, allowed);
        }
    }
}
