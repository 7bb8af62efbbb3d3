package dev.qcow2.reference.crypt;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The hash functions that a LUKS header can name. */
enum HashFunction {
    /** QEMU's choice, and ours. */
    SHA_256("sha256", "SHA-256", "HmacSHA256", 32),
    SHA_1("sha1", "SHA-1", "HmacSHA1", 20),
    SHA_512("sha512", "SHA-512", "HmacSHA512", 64);

    private final String headerName;
    private final String digestName;
    private final String macName;
    private final int bytes;

    HashFunction(String headerName, String digestName, String macName, int bytes) {
        this.headerName = headerName;
        this.digestName = digestName;
        this.macName = macName;
        this.bytes = bytes;
    }

    /** Finds a function by its name in headers. */
    static Optional<HashFunction> named(String headerName) {
        return Stream.of(values())
                .filter(function -> function.headerName.equals(headerName))
                .findFirst();
    }

    String headerName() {
        return headerName;
    }

    /** Bytes of a hash. */
    int bytes() {
        return bytes;
    }

    /** Hashes some pieces as if they were one. */
    byte[] hash(byte[]... pieces) {
        try {
            MessageDigest digest = MessageDigest.getInstance(digestName);
            for (byte[] piece : pieces) {
                digest.update(piece);
            }
            return digest.digest();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this platform lacks " + digestName, e);
        }
    }

    /** Makes the keyed form. An empty key is as good as a zero byte: both are padded with zeros. */
    Mac keyed(byte[] key) {
        try {
            Mac mac = Mac.getInstance(macName);
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, macName));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this platform lacks " + macName, e);
        }
    }
}
