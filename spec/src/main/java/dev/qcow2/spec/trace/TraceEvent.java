package dev.qcow2.spec.trace;

/**
 * One event of a trace; a trace is a list of them.
 *
 * <p>It begins with what the image holds: {@link Image}, then {@link Holds}, {@link Saved} and {@link Counted}, up to {@link
 * Ready}. The same may come again later, where something was done that no model describes, such as a repair.
 *
 * <p>At the level of the guest follow, for each request, {@link Request}, then {@link Entry}, {@link Count}, {@link
 * SavedEntry} and {@link Snapshot} in the order in which it happened, and {@link Done}. {@link Settled} says that the file
 * holds all of it: from there on counts are exact.
 *
 * <p>At the level of the host there is a {@link Host} for each operation on the file, followed by what it changed: {@link
 * Put}, {@link PutCount}, {@link PutSaved}, {@link PutDirty}.
 */
public sealed interface TraceEvent {

    /** What the guest or its user asks for. */
    enum Verb {
        /** Write bytes. */
        WRITE("write"),
        /** Write whole clusters in compressed form. */
        WRITE_COMPRESSED("write-compressed"),
        /** Make a range read as zero; host clusters may go. */
        ZERO("zero"),
        /** Make a range read as zero; host clusters stay if they can. */
        ZERO_KEEP("zero-keep"),
        /** A range is not needed any more. */
        DISCARD("discard"),
        /** Save machine state, behind the disk. */
        WRITE_STATE("write-state"),
        /** Take a snapshot. */
        SAVE("save"),
        /** Go back to a snapshot. */
        RESTORE("restore"),
        /** Delete a snapshot. */
        FORGET("forget"),
        /** Give the disk another length; the offset is the new one. */
        RESIZE("resize"),
        /** Read, flush, close and open again: nothing changes. */
        LOOK("look");

        private final String word;

        Verb(String word) {
            this.word = word;
        }

        /**
         * Returns what a trace calls it.
         *
         * @return one word
         */
        public String word() {
            return word;
        }
    }

    /** What happened to a snapshot. */
    enum Fate {
        /** It is there now. */
        TAKEN("taken"),
        /** The disk is again what it was. */
        RESTORED("restored"),
        /** It is no more. */
        GONE("gone");

        private final String word;

        Fate(String word) {
            this.word = word;
        }

        /**
         * Returns what a trace calls it.
         *
         * @return one word
         */
        public String word() {
            return word;
        }
    }

    /** What is done to a file of the host. */
    enum HostVerb {
        /** Bytes are written. */
        WRITE("write"),
        /** A range is made to read as zero. */
        ZERO("zero"),
        /** A range is given back. */
        PUNCH("punch"),
        /** The length is set; the offset is the new one. */
        TRUNCATE("truncate"),
        /** All before is safe. */
        FLUSH("flush");

        private final String word;

        HostVerb(String word) {
            this.word = word;
        }

        /**
         * Returns what a trace calls it.
         *
         * @return one word
         */
        public String word() {
            return word;
        }
    }

    /** What a range of the file is part of. */
    enum Area {
        /** The file as a whole. */
        FILE("file"),
        /** The header, with its extensions and names. */
        HEADER("header"),
        /** The active L1 table. */
        L1("l1"),
        /** An L2 table that the active L1 table names. */
        L2("l2"),
        /** The refcount table. */
        REFCOUNT_TABLE("refcount-table"),
        /** A refcount block. */
        REFCOUNTS("refcounts"),
        /** The snapshot table, or what it names. */
        SNAPSHOTS("snapshots"),
        /** Anything else: guest data, and clusters that nothing names yet. */
        DATA("data");

        private final String word;

        Area(String word) {
            this.word = word;
        }

        /**
         * Returns what a trace calls it.
         *
         * @return one word
         */
        public String word() {
            return word;
        }
    }

    /**
     * A description of an image begins: all that was said of another one is over.
     *
     * @param version 2 or 3
     * @param clusterBits size of a cluster as a power of two
     * @param subclusters 1, or 32 with extended L2 entries
     * @param backed whether there is a backing file
     * @param size bytes of the disk
     */
    record Image(int version, int clusterBits, int subclusters, boolean backed, long size) implements TraceEvent {}

    /**
     * At first a place is not empty.
     *
     * @param place which
     * @param state what the entry says
     */
    record Holds(Place place, EntryState state) implements TraceEvent {}

    /**
     * At first a snapshot refers to something.
     *
     * @param snapshot its id
     * @param place which place of its tables
     * @param state what the entry says
     */
    record Saved(String snapshot, Place place, EntryState state) implements TraceEvent {}

    /**
     * At first a host cluster has a count.
     *
     * @param host which
     * @param value the count
     */
    record Counted(long host, long value) implements TraceEvent {}

    /** The description of the image is complete. */
    record Ready() implements TraceEvent {}

    /**
     * A request begins.
     *
     * @param verb what is asked for
     * @param offset first byte; the new length for a resize
     * @param length bytes
     * @param name id of the snapshot, or empty
     */
    record Request(Verb verb, long offset, long length, String name) implements TraceEvent {}

    /**
     * The disk has another length, although nobody has asked for it: a snapshot had it.
     *
     * @param bytes of the disk
     */
    record Size(long bytes) implements TraceEvent {}

    /**
     * An entry of the active tables changes.
     *
     * @param place which
     * @param before what it said
     * @param after what it says
     */
    record Entry(Place place, EntryState before, EntryState after) implements TraceEvent {}

    /**
     * A reference count changes, apart from what tables of the file itself refer to.
     *
     * @param host of which host cluster
     * @param before what it was
     * @param after what it is
     */
    record Count(long host, long before, long after) implements TraceEvent {}

    /**
     * An entry of a snapshot's tables changes, or is made.
     *
     * @param snapshot id of the snapshot
     * @param place which
     * @param before what it said
     * @param after what it says
     */
    record SavedEntry(String snapshot, Place place, EntryState before, EntryState after) implements TraceEvent {}

    /**
     * The list of snapshots changes, or the disk goes back to one.
     *
     * @param fate what happened
     * @param snapshot id of the snapshot
     */
    record Snapshot(Fate fate, String snapshot) implements TraceEvent {}

    /** The request is over. */
    record Done() implements TraceEvent {}

    /** Everything that was done is in the file. */
    record Settled() implements TraceEvent {}

    /**
     * The file is changed or flushed.
     *
     * @param verb what is done
     * @param area what the range is part of
     * @param offset first byte
     * @param length bytes
     */
    record Host(HostVerb verb, Area area, long offset, long length) implements TraceEvent {}

    /**
     * An entry of the active tables gets a value in the file.
     *
     * @param place which
     * @param state what it says from now on
     */
    record Put(Place place, EntryState state) implements TraceEvent {}

    /**
     * A count gets a value in the file.
     *
     * @param host of which host cluster
     * @param value from now on
     */
    record PutCount(long host, long value) implements TraceEvent {}

    /**
     * An entry of a snapshot gets a value in the file, or goes with the snapshot.
     *
     * @param snapshot id of the snapshot
     * @param place which
     * @param state what it says from now on
     */
    record PutSaved(String snapshot, Place place, EntryState state) implements TraceEvent {}

    /**
     * The dirty bit gets a value in the file.
     *
     * @param set whether counts may be wrong
     */
    record PutDirty(boolean set) implements TraceEvent {}
}
