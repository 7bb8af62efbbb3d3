package dev.qcow2.conformance.small;

/**
 * What an L2 entry says.
 *
 * @param kind which form it has
 * @param host which of the two data clusters it names, 0 or 1; -1 for none
 */
record SmallEntry(Kind kind, int host) {

    /** The forms of an entry. */
    enum Kind {
        /** Nothing is there; the cluster reads as zero, for there is no backing file. */
        UNALLOCATED(false),
        /** Reads as zero and has no host cluster. */
        ZERO(false),
        /** Reads as zero and has a host cluster with stale bytes. */
        ZERO_ALLOCATED(true),
        /** Data. */
        NORMAL(true),
        /** Compressed data. */
        COMPRESSED(true);

        private final boolean hosted;

        Kind(boolean hosted) {
            this.hosted = hosted;
        }

        boolean hosted() {
            return hosted;
        }

        boolean inVersion2() {
            return this != ZERO && this != ZERO_ALLOCATED;
        }
    }

    boolean compressed() {
        return kind == Kind.COMPRESSED;
    }

    @Override
    public String toString() {
        return kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + (host < 0 ? "" : "→" + host);
    }
}
