package dev.qcow2.conformance.bench;

import java.io.IOException;
import java.nio.file.Path;

/** Somebody who is measured. */
interface Contender {

    /** Returns the name in reports. */
    String name();

    /** Says whether this contender knows the workload's kind of request. */
    boolean canRun(Workload workload);

    /** Says whether it works on the prepared image; the raw file has none. */
    default boolean needsImage() {
        return true;
    }

    /**
     * Runs a workload once.
     *
     * @param workload what is asked
     * @param directory holds the prepared image, which this run may change
     * @return the wall time of the requests in seconds
     * @throws IOException if the contender fails
     */
    double run(Workload workload, Path directory) throws IOException;
}
