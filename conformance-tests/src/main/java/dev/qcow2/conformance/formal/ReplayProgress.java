package dev.qcow2.conformance.formal;

/** Hears how far a replay is. */
@FunctionalInterface
public interface ReplayProgress {

    /** Tells nobody. */
    ReplayProgress SILENT = replayed -> {};

    /**
     * A request was replayed.
     *
     * @param replayed how many so far
     */
    void replayed(int replayed);
}
