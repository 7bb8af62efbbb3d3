package dev.qcow2.spec.trace;

/**
 * A place in the active tables that can refer to a host cluster: the L2 entry of a guest cluster, or the L1 entry that
 * names an L2 table. To the reference counts both are the same.
 *
 * @param kind which of the two
 * @param index of the guest cluster, or of the L1 entry
 */
public record Place(Kind kind, long index) implements Comparable<Place> {

    /** The kinds of places. */
    public enum Kind {
        /** An L1 entry. */
        TABLE("table"),
        /** An L2 entry. */
        CLUSTER("cluster");

        private final String word;

        Kind(String word) {
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
     * Names the entry of a guest cluster.
     *
     * @param index of the guest cluster
     * @return its place
     */
    public static Place cluster(long index) {
        return new Place(Kind.CLUSTER, index);
    }

    /**
     * Names an L1 entry.
     *
     * @param index of the L1 entry
     * @return its place
     */
    public static Place table(long index) {
        return new Place(Kind.TABLE, index);
    }

    @Override
    public int compareTo(Place other) {
        int kinds = kind.compareTo(other.kind);
        return kinds != 0 ? kinds : Long.compare(index, other.index);
    }

    @Override
    public String toString() {
        return kind.word + " " + index;
    }
}
