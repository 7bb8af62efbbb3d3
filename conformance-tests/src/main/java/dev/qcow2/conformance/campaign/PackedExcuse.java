package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.image.PackedCounts;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.io.IOException;

/**
 * Excuses who refuses because a count would overflow (QC-REF-11), if its image is packed so that it would: where compressed
 * data goes is left to who writes it (QC-CMP-07). Of all other counts the same must be so for everybody.
 */
enum PackedExcuse implements Crew.Excuse {
    /** A snapshot was to be taken. */
    SNAPSHOT,
    /** A snapshot was to be loaded. */
    LOAD;

    @Override
    public boolean holds(Subject subject, DiskException refusal) throws Objection, IOException {
        if (!(refusal instanceof RequestRefusedException refused) || refused.clause() != RefcountClause.QC_REF_11) {
            return false;
        }
        // What is looked at are the image's bytes.
        Requests.mustSucceed(subject.name(), () -> subject.disk().flush());
        try (HostFile file = subject.openBytes()) {
            PackedCounts counts = new PackedCounts(file);
            return switch (this) {
                case SNAPSHOT -> counts.lackRoomForSnapshot();
                case LOAD -> counts.lackRoomForLoad();
            };
        }
    }
}
