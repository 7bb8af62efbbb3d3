package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.List;

/** Looks at the bytes of an image and says what is wrong with it. */
@FunctionalInterface
interface Judge {

    /** Judges that find nothing: for tests of the runner itself. */
    Judge LENIENT = file -> List.of();

    /** Returns one sentence for each corruption and each leak. */
    List<String> faults(HostFile file) throws DiskException;
}
