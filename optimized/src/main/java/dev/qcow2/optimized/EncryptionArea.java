package dev.qcow2.optimized;

/**
 * What the qcow2 header says of encryption.
 *
 * @param method 0 none, 1 the format's own AES, 2 LUKS
 * @param offset where the LUKS header starts in the file; 0 without one
 * @param length its bytes with all key material
 */
record EncryptionArea(int method, long offset, long length) {

    static final int NONE = 0;
    static final int LEGACY = 1;
    static final int LUKS = 2;
    static final int METHOD_AT = 32;
    static final int EXTENSION = 0x0537be77;
    static final int EXTENSION_BYTES = 16;
    static final long MAX_BYTES = 64L << 20;
}
