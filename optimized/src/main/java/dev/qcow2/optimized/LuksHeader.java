package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CryptClause.QC_CRY_05;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_06;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_09;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_10;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_13;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_15;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_09;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A LUKS header of version 1, every number of it checked before any is used. */
final class LuksHeader {

    static final int MAGIC = 0x4c554b53;
    static final int MAGIC_TAIL_AND_VERSION = 0xbabe0001;
    static final int BYTES = 592;
    static final int TEXT = 32;
    static final int CIPHER_AT = 8;
    static final int MODE_AT = 40;
    static final int HASH_AT = 72;
    static final int PAYLOAD_AT = 104;
    static final int KEY_LENGTH_AT = 108;
    static final int DIGEST_AT = 112;
    static final int DIGEST_LENGTH = 20;
    static final int DIGEST_SALT_AT = 132;
    static final int SALT_LENGTH = 32;
    static final int DIGEST_ITERATIONS_AT = 164;
    static final int UUID_AT = 168;
    static final int SLOTS_AT = 208;
    static final int SLOT_LENGTH = 48;
    static final int SLOTS = 8;
    static final int IN_USE = 0x00ac71f3;
    static final int FREE = 0x0000dead;
    static final int SLOT_ITERATIONS = 4;
    static final int SLOT_SALT = 8;
    static final int SLOT_MATERIAL = 40;
    static final int SLOT_STRIPES = 44;
    static final int MAX_KEY = 64;
    static final long MAX_ITERATIONS = 1L << 25;

    private final HostFile host;
    private final EncryptionArea area;
    private final ByteBuffer fields = ByteBuffer.allocate(BYTES);
    private final CipherMode mode;
    private final LuksHash hash;
    private final int keyLength;
    private final List<Slot> slots = new ArrayList<>();

    /**
     * A slot in use.
     *
     * @param at where it stands in the header
     * @param iterations of the derivation of its key
     * @param material where its key material starts in the file
     */
    record Slot(int at, int iterations, long material) {}

    private LuksHeader(HostFile host, EncryptionArea area) throws DiskException {
        this.host = host;
        this.area = area;
        require(area.length() >= BYTES, QC_CRY_05, 0, area.length() + " bytes", "at least " + BYTES);
        host.readZeroPadded(area.offset(), fields);
        require(fields.getInt(0) == MAGIC, QC_CRY_05, 0, hex(fields.getInt(0)), hex(MAGIC));
        require(
                fields.getInt(4) == MAGIC_TAIL_AND_VERSION,
                QC_CRY_05,
                4,
                hex(fields.getInt(4)),
                "0xbabe and the version 1");
        String cipher = text(CIPHER_AT);
        String modeName = text(MODE_AT);
        String hashName = text(HASH_AT);
        if (!cipher.equals("aes")) {
            throw unsupported("cipher " + cipher);
        }
        this.mode = CipherMode.named(modeName).orElseThrow(() -> unsupported("cipher mode " + modeName));
        this.hash = LuksHash.named(hashName).orElseThrow(() -> unsupported("hash function " + hashName));
        this.keyLength = fields.getInt(KEY_LENGTH_AT);
        require(
                keyLength >= 1 && keyLength <= MAX_KEY,
                QC_CRY_06,
                KEY_LENGTH_AT,
                Integer.toUnsignedString(keyLength),
                "1 to " + MAX_KEY);
        if (!mode.takesKeyOf(keyLength)) {
            throw unsupported("aes-" + modeName + " with keys of " + keyLength + " bytes");
        }
        requireIterations(DIGEST_ITERATIONS_AT);
        long payload = unsigned(PAYLOAD_AT) * SectorCipher.SECTOR;
        require(payload >= BYTES, QC_CRY_13, PAYLOAD_AT, payload + " bytes", "behind the header");
        readSlots();
    }

    /**
     * Reads and checks a header.
     *
     * @throws DiskException with the clause that it breaks, or what it needs that is missing here
     */
    static LuksHeader read(HostFile host, EncryptionArea area) throws DiskException {
        return new LuksHeader(host, area);
    }

    CipherMode mode() {
        return mode;
    }

    LuksHash hash() {
        return hash;
    }

    int keyLength() {
        return keyLength;
    }

    List<Slot> slots() {
        return slots;
    }

    byte[] bytes(int at, int length) {
        byte[] bytes = new byte[length];
        fields.get(at, bytes);
        return bytes;
    }

    int digestIterations() {
        return fields.getInt(DIGEST_ITERATIONS_AT);
    }

    private void readSlots() throws DiskException {
        for (int slot = 0; slot < SLOTS; slot++) {
            int at = SLOTS_AT + slot * SLOT_LENGTH;
            int state = fields.getInt(at);
            require(state == IN_USE || state == FREE, QC_CRY_15, at, hex(state), hex(IN_USE) + " or " + hex(FREE));
            if (state == IN_USE) {
                slots.add(slot(at));
            }
        }
    }

    private Slot slot(int at) throws DiskException {
        requireIterations(at + SLOT_ITERATIONS);
        int stripes = fields.getInt(at + SLOT_STRIPES);
        require(
                stripes == StripeSplitter.STRIPES,
                QC_CRY_10,
                at + SLOT_STRIPES,
                Integer.toUnsignedString(stripes),
                Integer.toString(StripeSplitter.STRIPES));
        long material = unsigned(at + SLOT_MATERIAL) * SectorCipher.SECTOR;
        long length = (long) keyLength * StripeSplitter.STRIPES;
        require(
                material >= BYTES && material <= area.length() - length,
                QC_CRY_09,
                at + SLOT_MATERIAL,
                length + " bytes at " + material,
                "behind the header, inside its " + area.length() + " bytes");
        return new Slot(at, fields.getInt(at + SLOT_ITERATIONS), area.offset() + material);
    }

    private void requireIterations(int at) throws DiskException {
        long iterations = unsigned(at);
        require(
                iterations >= 1 && iterations <= MAX_ITERATIONS,
                QC_LIM_09,
                at,
                iterations + " iterations",
                "1 to " + MAX_ITERATIONS);
    }

    private long unsigned(int at) {
        return fields.getInt(at) & 0xffff_ffffL;
    }

    /** A name, up to its first zero; what is no printable character of ASCII shows as a question mark. */
    private String text(int at) {
        String all = new String(bytes(at, TEXT), StandardCharsets.ISO_8859_1);
        int end = all.indexOf(0);
        return (end < 0 ? all : all.substring(0, end)).replaceAll("[^ -~]", "?");
    }

    private UnsupportedFeatureException unsupported(String what) {
        return new UnsupportedFeatureException(host.name(), QC_CRY_06, "LUKS " + what);
    }

    private void require(boolean holds, Clause clause, int at, String found, String allowed) throws DiskException {
        if (!holds) {
            throw new MalformedImageException(host.name(), clause, area.offset() + at, found, allowed);
        }
    }

    private static String hex(int value) {
        return "0x" + Integer.toHexString(value);
    }
}
