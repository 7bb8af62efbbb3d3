package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ImageFacts.Table;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.EncryptionLayout;
import java.nio.ByteBuffer;

/**
 * Counts the clusters of the encryption header (QC-CRY-12), and judges what of it can be judged without a passphrase:
 * that its numbers lead nowhere but into it. {@code qemu-img check} does not open an image that breaks these rules.
 */
final class EncryptionAudit {

    private static final long STRIPES = 4000;
    private static final long SECTOR = 512;

    private final MetadataReader reader;
    private final Findings findings;
    private final Tally tally;
    private final Table area;
    private final long clusterSize;
    private final byte[] bytes = new byte[EncryptionLayout.BYTES];
    private final ByteBuffer header = ByteBuffer.wrap(bytes);

    EncryptionAudit(Work work) {
        this.reader = work.reader();
        this.findings = work.findings();
        this.tally = work.tally();
        this.area = work.facts().encryption();
        this.clusterSize = work.facts().clusterSize();
    }

    void walk() throws DiskException, LimitReachedException {
        tally.add(area.hostOffset(), area.length(), 1, ReferenceCounts.OTHER, -1);
        reader.read(area.hostOffset(), bytes, bytes.length);
        expect(0, EncryptionLayout.MAGIC_HEAD, EncryptionLayout.MAGIC_HEAD_VALUE);
        expect(0, EncryptionLayout.MAGIC_TAIL, EncryptionLayout.MAGIC_TAIL_VALUE);
        expect(0, EncryptionLayout.VERSION, 1);
        long keyBytes = EncryptionLayout.KEY_BYTES.get(header, 0);
        breachIf(keyBytes == 0 || keyBytes > 64, 0, EncryptionLayout.KEY_BYTES);
        long material = keyBytes * STRIPES;
        for (int slot = 0; slot < EncryptionLayout.KEY_SLOTS; slot++) {
            int base = EncryptionLayout.LUKS_HEADER.size() + slot * EncryptionLayout.KEY_SLOT.size();
            if (EncryptionLayout.SLOT_STATE.get(header, base) == EncryptionLayout.SLOT_IN_USE) {
                checkSlot(base, material);
            } else {
                expect(base, EncryptionLayout.SLOT_STATE, EncryptionLayout.SLOT_FREE);
            }
        }
        long payload = EncryptionLayout.PAYLOAD_OFFSET.get(header, 0) * SECTOR;
        breachIf(payload < bytes.length, 0, EncryptionLayout.PAYLOAD_OFFSET);
        checkRest();
    }

    private void checkSlot(int base, long material) {
        expect(base, EncryptionLayout.SLOT_STRIPES, STRIPES);
        breachIf(EncryptionLayout.SLOT_ITERATIONS.get(header, base) == 0, base, EncryptionLayout.SLOT_ITERATIONS);
        long from = EncryptionLayout.SLOT_MATERIAL_OFFSET.get(header, base) * SECTOR;
        boolean inside = from >= bytes.length && from + material <= area.length();
        breachIf(!inside, base, EncryptionLayout.SLOT_MATERIAL_OFFSET);
    }

    /** What the clusters hold behind the header. */
    private void checkRest() throws DiskException, LimitReachedException {
        long end = area.hostOffset() + area.length();
        int rest = (int) (-end & (clusterSize - 1));
        byte[] behind = new byte[rest];
        reader.read(end, behind, rest);
        for (byte b : behind) {
            if (b != 0) {
                add(end, CryptClause.QC_CRY_12, "the rest of the encryption header's clusters is not zero");
                return;
            }
        }
    }

    private void expect(int base, ByteField field, long value) {
        breachIf(field.get(header, base) != value, base, field);
    }

    private void breachIf(boolean condition, int base, ByteField field) {
        if (condition) {
            long at = area.hostOffset() + base + field.offset();
            add(at, field.clause(), "encryption header: " + field.name() + " " + field.get(header, base));
        }
    }

    private void add(long at, Clause clause, String message) {
        findings.add(Kind.BREACH, 1, at, -1, clause, () -> message);
    }
}
