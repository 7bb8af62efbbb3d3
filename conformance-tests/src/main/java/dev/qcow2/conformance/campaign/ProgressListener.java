package dev.qcow2.conformance.campaign;

/** Hears how far a campaign is. Calls may come from several threads. */
public interface ProgressListener {

    /** Hears nothing. */
    ProgressListener SILENT = new ProgressListener() {};

    /**
     * A sequence has ended.
     *
     * @param done sequences that have ended
     * @param total sequences that are wanted
     */
    default void sequenceDone(long done, long total) {}

    /**
     * A difference was found and is being shrunk.
     *
     * @param operations operations that are left
     */
    default void shrinking(int operations) {}
}
