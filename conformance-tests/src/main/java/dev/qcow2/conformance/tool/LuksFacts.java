package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.EncryptionLayout;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What can be said of an image's encryption without its secret. */
public final class LuksFacts {

    private static final long LUKS = 2;
    private static final long SECTOR = 512;
    private static final int BITS = 8;

    private LuksFacts() {}

    /**
     * Reads what an image says of its encryption.
     *
     * @param file the image
     * @param facts its header
     * @return members by name; empty if the image is not encrypted
     * @throws DiskException if the host fails
     */
    public static Map<String, Object> of(HostFile file, HeaderFacts facts) throws DiskException {
        long method = facts.value(HeaderLayout.CRYPT_METHOD);
        if (method == 0) {
            return Map.of();
        }
        byte[] extension = facts.extension(ExtensionLayout.TYPE_ENCRYPTION).orElse(new byte[0]);
        if (method != LUKS || extension.length < ExtensionLayout.ENCRYPTION.size()) {
            return Map.of("format", method == LUKS ? "luks" : "aes");
        }
        ByteBuffer header = ByteBuffer.allocate(EncryptionLayout.BYTES);
        file.readZeroPadded(ExtensionLayout.ENCRYPTION_OFFSET.get(ByteBuffer.wrap(extension), 0), header);
        return luks(header.flip());
    }

    private static Map<String, Object> luks(ByteBuffer header) {
        String mode = text(header, EncryptionLayout.CIPHER_MODE.offset(), 32);
        String[] parts = mode.split("-", 2);
        String vector = parts.length > 1 ? parts[1] : "";
        int colon = vector.indexOf(':');
        long keyBits = EncryptionLayout.KEY_BYTES.get(header, 0) * BITS;
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("ivgen-alg", colon < 0 ? vector : vector.substring(0, colon));
        members.put("hash-alg", text(header, EncryptionLayout.HASH.offset(), 32));
        // In this mode the key is two keys.
        members.put(
                "cipher-alg",
                text(header, EncryptionLayout.CIPHER_NAME.offset(), 32) + "-"
                        + (parts[0].equals("xts") ? keyBits / 2 : keyBits));
        members.put("uuid", text(header, EncryptionLayout.UUID.offset(), 40));
        if (colon >= 0) {
            members.put("ivgen-hash-alg", vector.substring(colon + 1));
        }
        members.put("format", "luks");
        members.put("cipher-mode", parts[0]);
        members.put("slots", slots(header));
        members.put("payload-offset", EncryptionLayout.PAYLOAD_OFFSET.get(header, 0) * SECTOR);
        members.put("master-key-iters", EncryptionLayout.KEY_DIGEST_ITERATIONS.get(header, 0));
        return members;
    }

    private static List<Object> slots(ByteBuffer header) {
        List<Object> slots = new ArrayList<>();
        for (int i = 0; i < EncryptionLayout.KEY_SLOTS; i++) {
            int at = EncryptionLayout.LUKS_HEADER.size() + i * EncryptionLayout.KEY_SLOT.size();
            boolean active = EncryptionLayout.SLOT_STATE.get(header, at) == EncryptionLayout.SLOT_IN_USE;
            Map<String, Object> slot = new LinkedHashMap<>();
            slot.put("active", active);
            if (active) {
                slot.put("iters", EncryptionLayout.SLOT_ITERATIONS.get(header, at));
            }
            slot.put("key-offset", EncryptionLayout.SLOT_MATERIAL_OFFSET.get(header, at) * SECTOR);
            if (active) {
                slot.put("stripes", EncryptionLayout.SLOT_STRIPES.get(header, at));
            }
            slots.add(slot);
        }
        return slots;
    }

    private static String text(ByteBuffer bytes, int from, int length) {
        String padded =
                StandardCharsets.ISO_8859_1.decode(bytes.slice(from, length)).toString();
        int end = padded.indexOf(0);
        return end < 0 ? padded : padded.substring(0, end);
    }
}
