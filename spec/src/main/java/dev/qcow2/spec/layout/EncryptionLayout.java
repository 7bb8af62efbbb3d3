package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V3;

import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.LimitClause;
import java.util.List;

/** The header of LUKS version 1 that stands at the start of the encryption header's clusters, and its key slots. */
public final class EncryptionLayout {

    /** What {@link #MAGIC_HEAD} holds: 'L', 'U', 'K', 'S'. */
    public static final long MAGIC_HEAD_VALUE = 0x4c554b53L;
    /** What {@link #MAGIC_TAIL} holds. */
    public static final long MAGIC_TAIL_VALUE = 0xbabeL;
    /** Number of key slots; the first one stands behind {@link #LUKS_HEADER}. */
    public static final int KEY_SLOTS = 8;
    /** State of a slot that holds a key. */
    public static final long SLOT_IN_USE = 0x00ac71f3L;
    /** State of a slot that holds none. */
    public static final long SLOT_FREE = 0x0000deadL;
    /** Bytes of the header and all its key slots. */
    public static final int BYTES = 592;

    /** 'L', 'U', 'K', 'S'. */
    public static final ByteField MAGIC_HEAD =
            new ByteField("magic_head", 0, 4, "LUKS, as text", V3, CryptClause.QC_CRY_05);
    /** 0xbabe. */
    public static final ByteField MAGIC_TAIL = new ByteField("magic_tail", 4, 2, "0xbabe", V3, CryptClause.QC_CRY_05);
    /** Version of LUKS. */
    public static final ByteField VERSION = new ByteField("version", 6, 2, "1", V3, CryptClause.QC_CRY_05);
    /** Name of the cipher. */
    public static final ByteField CIPHER_NAME =
            new ByteField("cipher_name", 8, 32, "text, padded with zeros", V3, CryptClause.QC_CRY_06);
    /** Name of the mode. */
    public static final ByteField CIPHER_MODE =
            new ByteField("cipher_mode", 40, 32, "text, padded with zeros", V3, CryptClause.QC_CRY_06);
    /** Name of the hash function. */
    public static final ByteField HASH =
            new ByteField("hash_spec", 72, 32, "text, padded with zeros", V3, CryptClause.QC_CRY_06);
    /** Where the payload would start outside of an image. */
    public static final ByteField PAYLOAD_OFFSET =
            new ByteField("payload_offset", 104, 4, "sectors to the payload; not used", V3, CryptClause.QC_CRY_13);
    /** Length of the master key. */
    public static final ByteField KEY_BYTES =
            new ByteField("key_bytes", 108, 4, "bytes of the master key", V3, CryptClause.QC_CRY_06);
    /** Digest of the master key. */
    public static final ByteField KEY_DIGEST =
            new ByteField("mk_digest", 112, 20, "digest of the master key", V3, CryptClause.QC_CRY_07);
    /** Salt of the digest. */
    public static final ByteField KEY_DIGEST_SALT =
            new ByteField("mk_digest_salt", 132, 32, "salt of the digest", V3, CryptClause.QC_CRY_07);
    /** Iterations of the digest. */
    public static final ByteField KEY_DIGEST_ITERATIONS =
            new ByteField("mk_digest_iter", 164, 4, "iterations of the digest", V3, LimitClause.QC_LIM_09);
    /** Name of the header. */
    public static final ByteField UUID =
            new ByteField("uuid", 168, 40, "text, padded with zeros", V3, CryptClause.QC_CRY_05);
    /** The header without its key slots. */
    public static final Structure<ByteField> LUKS_HEADER = new Structure<>(
            "LUKS header",
            208,
            List.of(
                    MAGIC_HEAD,
                    MAGIC_TAIL,
                    VERSION,
                    CIPHER_NAME,
                    CIPHER_MODE,
                    HASH,
                    PAYLOAD_OFFSET,
                    KEY_BYTES,
                    KEY_DIGEST,
                    KEY_DIGEST_SALT,
                    KEY_DIGEST_ITERATIONS,
                    UUID));

    /** Whether the slot is in use. */
    public static final ByteField SLOT_STATE =
            new ByteField("active", 0, 4, "0xac71f3 in use, 0xdead free", V3, CryptClause.QC_CRY_15);
    /** Iterations of the key derivation. */
    public static final ByteField SLOT_ITERATIONS =
            new ByteField("iterations", 4, 4, "iterations of the key derivation", V3, LimitClause.QC_LIM_09);
    /** Salt of the key derivation. */
    public static final ByteField SLOT_SALT =
            new ByteField("salt", 8, 32, "salt of the key derivation", V3, CryptClause.QC_CRY_07);
    /** Place of the key material. */
    public static final ByteField SLOT_MATERIAL_OFFSET = new ByteField(
            "key_material_offset", 40, 4, "sectors from the header to the material", V3, CryptClause.QC_CRY_09);
    /** Number of stripes. */
    public static final ByteField SLOT_STRIPES =
            new ByteField("stripes", 44, 4, "parts that the key is spread over", V3, CryptClause.QC_CRY_10);
    /** One key slot. */
    public static final Structure<ByteField> KEY_SLOT = new Structure<>(
            "LUKS key slot", 48, List.of(SLOT_STATE, SLOT_ITERATIONS, SLOT_SALT, SLOT_MATERIAL_OFFSET, SLOT_STRIPES));

    private EncryptionLayout() {}
}
