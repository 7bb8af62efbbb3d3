package dev.qcow2.reference;

import dev.qcow2.reference.crypt.LuksKeys;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Random;

/**
 * What a new image needs to be encrypted: its number in the header, the LUKS header, and the extension that tells where that is.
 *
 * @param encryption how, if at all
 * @param random where keys come from
 */
record Locker(Optional<Encryption> encryption, Random random) {

    private static final int LEGACY = 1;
    private static final int LUKS = 2;

    /** QC-HDR-08. */
    int cryptMethod() {
        return encryption
                .map(how -> how.cipher() == Cipher.LEGACY_AES_128_CBC ? LEGACY : LUKS)
                .orElse(0);
    }

    /** Bytes of the LUKS header with its key material; 0 if there is none. */
    long areaBytes() {
        return cryptMethod() == LUKS ? LuksKeys.areaBytes(encryption.orElseThrow()) : 0;
    }

    /** The LUKS header with its key material. */
    ByteBuffer area() {
        return cryptMethod() == LUKS ? LuksKeys.create(encryption.orElseThrow(), random) : ByteBuffer.allocate(0);
    }

    /** The header extension that names the area (QC-CRY-04). */
    ByteBuffer extension(long hostOffset) {
        if (cryptMethod() != LUKS) {
            return ByteBuffer.allocate(0);
        }
        ByteBuffer data =
                ByteBuffer.allocate(2 * Long.BYTES).putLong(hostOffset).putLong(areaBytes());
        return HeaderExtension.encode(HeaderExtension.CRYPTO_HEADER, data.array());
    }
}
