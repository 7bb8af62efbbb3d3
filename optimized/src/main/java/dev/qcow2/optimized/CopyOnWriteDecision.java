package dev.qcow2.optimized;

/**
 * What an allocating write does with the part of a cluster that it does not write itself.
 *
 * <p>A guest writes 4 KiB into a cluster of 64 KiB that has no data yet. The image must now map the
 * whole cluster to a host cluster, and the other 60 KiB must read as they did before (QC-L2-11).
 * The plain way is to copy them: read what the guest would see there, and write it into the fresh
 * cluster. Very often that means to write 60 KiB of zeros, which is fifteen times the payload.
 *
 * <p>QEMU's commit 46cd1e8a had the insight that those zeros need not be written where they can be
 * had for nothing: if everything around the payload is known to read as zero, and the host file
 * system can make the fresh cluster read as zero by changing only its own metadata, the payload is
 * all that has to be written. Two conditions, and both are needed:
 *
 * <ol>
 *   <li><b>It is zero by block status.</b> Metadata must say so: a zero cluster, with or without a
 *       host cluster; a cluster that no image of the chain allocates; one that an image further down
 *       the chain says is zero; bytes past the end of a backing file that is shorter. Nobody reads the
 *       bytes to find out; where only the bytes could tell, the answer is {@link Surroundings#DATA}.
 *   <li><b>The fresh cluster reads as zero.</b> One that lies past everything the file ever held does
 *       so by itself. A host cluster that had a former life shows its former bytes, so it is zeroed
 *       first by the host, without writing (QC-GUEST-11). A host that can't do that says no, and then
 *       the zeros are written after all: {@link #whenZeroingIsRefused}.
 * </ol>
 *
 * <p>Beyond that commit, this class decides for head and tail separately: if only the tail has data
 * then only the tail is copied, and it is written together with the payload.
 *
 * <p>This class only decides. It knows no file, no lock, no table; {@link WritePath} asks the
 * questions and obeys the answers.
 */
public final class CopyOnWriteDecision {

    /** What is known of the bytes on one side of the payload, inside the cluster. */
    public enum Surroundings {
        /** There are none: the payload reaches the border of the cluster. */
        NOTHING,
        /** Metadata says that all of them read as zero. */
        READS_AS_ZERO,
        /** Some image of the chain has data for them. */
        DATA,
        /** Metadata could not be asked. */
        UNKNOWN
    }

    /** What to do about the bytes on one side. */
    public enum Action {
        /** Nothing is there to keep. */
        NONE,
        /** Do not write them: let the host cluster read as zero there. */
        SKIP,
        /** Put them into the host cluster as the guest saw them. */
        COPY
    }

    /** What the chosen host cluster holds before it is written. */
    public enum HostCluster {
        /** No byte of it was ever written, so it reads as zero. */
        NEVER_WRITTEN,
        /** It had a former life, and may hold anything. */
        MAY_HOLD_STALE_BYTES
    }

    private CopyOnWriteDecision() {}

    /**
     * Decides for one side of the payload.
     *
     * @param surroundings what is known of the bytes there
     * @param skipAllowed the optimisation's switch
     * @return what to do about them
     */
    public static Action decide(Surroundings surroundings, boolean skipAllowed) {
        return switch (surroundings) {
            case NOTHING -> Action.NONE;
            case READS_AS_ZERO -> skipAllowed ? Action.SKIP : Action.COPY;
            case DATA, UNKNOWN -> Action.COPY;
        };
    }

    /**
     * Says whether the host must be asked to zero the cluster before a side is skipped.
     *
     * @param action what was decided for the side
     * @param hostCluster what the cluster holds
     * @return true if a skip would show stale bytes (QC-GUEST-11)
     */
    public static boolean mustZeroFirst(Action action, HostCluster hostCluster) {
        return action == Action.SKIP && hostCluster == HostCluster.MAY_HOLD_STALE_BYTES;
    }

    /**
     * Decides again when the host has refused to zero efficiently.
     *
     * @param action what was decided for the side
     * @return the same, but a skip becomes the copy that is now owed
     */
    public static Action whenZeroingIsRefused(Action action) {
        return action == Action.SKIP ? Action.COPY : action;
    }
}
