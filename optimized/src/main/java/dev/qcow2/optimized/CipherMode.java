package dev.qcow2.optimized;

import java.util.Optional;

/** How AES is used on sectors, by the names of LUKS (QC-CRY-06). */
enum CipherMode {
    XTS_PLAIN64("xts-plain64", 2),
    CBC_ESSIV_SHA256("cbc-essiv:sha256", 1),
    CBC_PLAIN64("cbc-plain64", 1);

    private final String luksName;
    private final int keys;

    CipherMode(String luksName, int keys) {
        this.luksName = luksName;
        this.keys = keys;
    }

    String luksName() {
        return luksName;
    }

    static Optional<CipherMode> named(String name) {
        for (CipherMode mode : values()) {
            if (mode.luksName.equals(name)) {
                return Optional.of(mode);
            }
        }
        return Optional.empty();
    }

    /** Whether AES has keys of such a length, in bytes, for this mode. */
    boolean takesKeyOf(int length) {
        int each = length / keys;
        return each * keys == length && (each == 16 || each == 24 || each == 32);
    }

    /** Makes a cipher for one thread. */
    SectorCipher cipher(byte[] key) {
        return switch (this) {
            case XTS_PLAIN64 -> new XtsCipher(key);
            case CBC_ESSIV_SHA256 ->
                new CbcCipher(
                        key, SectorVectors.encrypted(LuksHash.SHA256.digest().digest(key)));
            case CBC_PLAIN64 -> new CbcCipher(key, SectorVectors.plain());
        };
    }
}
