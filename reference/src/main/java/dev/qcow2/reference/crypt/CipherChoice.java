package dev.qcow2.reference.crypt;

import java.util.Optional;

/**
 * The cipher that a LUKS header names: always AES, in one of three modes.
 *
 * @param mode how blocks become sectors
 * @param keyBytes bytes of the whole key
 */
record CipherChoice(Mode mode, int keyBytes) {

    /** How blocks become sectors. */
    enum Mode {
        XTS_PLAIN64("xts-plain64"),
        CBC_ESSIV_SHA256("cbc-essiv:sha256"),
        CBC_PLAIN64("cbc-plain64");

        private final String headerName;

        Mode(String headerName) {
            this.headerName = headerName;
        }

        String headerName() {
            return headerName;
        }
    }

    /** The only cipher. */
    static final String AES = "aes";

    private static final int SMALLEST_KEY = 16;
    private static final int LARGEST_KEY = 32;

    /** Finds a choice; empty if it is none that is known. */
    static Optional<CipherChoice> of(String cipher, String modeName, long keyBytes) {
        for (Mode mode : Mode.values()) {
            long oneKey = mode == Mode.XTS_PLAIN64 ? keyBytes / 2 : keyBytes;
            boolean fits = oneKey >= SMALLEST_KEY
                    && oneKey <= LARGEST_KEY
                    && keyBytes % (mode == Mode.XTS_PLAIN64 ? SMALLEST_KEY : SMALLEST_KEY / 2) == 0;
            if (cipher.equals(AES) && mode.headerName.equals(modeName) && fits) {
                return Optional.of(new CipherChoice(mode, (int) keyBytes));
            }
        }
        return Optional.empty();
    }

    /** Makes the cipher with a key. */
    SectorCipher cipher(byte[] key) {
        return switch (mode) {
            case XTS_PLAIN64 -> new XtsCipher(key);
            case CBC_ESSIV_SHA256 -> new CbcCipher(key, InitialVector.essiv(key));
            case CBC_PLAIN64 -> new CbcCipher(key, InitialVector::plain64);
        };
    }
}
