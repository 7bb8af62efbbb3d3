package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.reference.crypt.LuksSlots;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.OpenOptions.Secrets;
import java.util.List;
import java.util.Random;

/** Plans which passphrases open a LUKS image. Nothing moves but the bytes of key slots and their key material. */
final class KeyAmender {

    private KeyAmender() {}

    /** Plans a change, or refuses it; the image was opened with its passphrase. */
    static Plan plan(Image image, Secrets secrets, KeyChange change, Random random) throws DiskException {
        Unlocker.Area area = Unlocker.luksArea(image);
        List<LuksSlots.Write> writes = LuksSlots.plan(
                image.file(), area.offset(), area.bytes(), Unlocker.passphrase(image, secrets), change, random);
        Plan.Builder plan = new Plan.Builder("change key slots")
                .note(Section.LOCATE, CryptClause.QC_CRY_04, "the LUKS header is at " + area.offset());
        for (LuksSlots.Write write : writes) {
            plan.add(
                    Section.LINK,
                    CryptClause.QC_CRY_20,
                    new Step.Write(write.what(), write.hostOffset(), write.bytes()));
            plan.flush(Section.LINK, CryptClause.QC_CRY_20);
        }
        return plan.build();
    }
}
