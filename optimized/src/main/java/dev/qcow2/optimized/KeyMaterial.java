package dev.qcow2.optimized;

/** The stripes of a key as a LUKS header holds them: encrypted under the slot's key, in sectors of their own count. */
final class KeyMaterial {

    private KeyMaterial() {}

    /** Bytes of the whole sectors that hold the stripes of a key. */
    static int storedLength(int keyLength) {
        int mask = SectorCipher.SECTOR - 1;
        return (keyLength * StripeSplitter.STRIPES + mask) & ~mask;
    }

    static void encrypt(SectorCipher cipher, byte[] stripes) {
        for (int at = 0; at < stripes.length; at += SectorCipher.MOST_BYTES) {
            cipher.encrypt(at / SectorCipher.SECTOR, stripes, at, step(stripes, at));
        }
    }

    static void decrypt(SectorCipher cipher, byte[] stripes) {
        for (int at = 0; at < stripes.length; at += SectorCipher.MOST_BYTES) {
            cipher.decrypt(at / SectorCipher.SECTOR, stripes, at, step(stripes, at));
        }
    }

    private static int step(byte[] stripes, int at) {
        return Math.min(SectorCipher.MOST_BYTES, stripes.length - at);
    }
}
