package dev.qcow2.spec.audit;

/** What the header says, checked. */
record ImageFacts(
        int version,
        int clusterBits,
        int refcountOrder,
        long diskSize,
        boolean dataFile,
        boolean extendedL2,
        Table l1,
        Table refcountTable,
        Table snapshots,
        Table bitmapDirectory,
        int bitmapCount,
        Table encryption) {

    /** A place in the file; {@code length} is in bytes but for the snapshot table, where it is entries. */
    record Table(long hostOffset, long length) {
        static final Table NONE = new Table(0, 0);
    }

    long clusterSize() {
        return 1L << clusterBits;
    }

    int entryBytes() {
        // QC-HDR-20
        return extendedL2 ? 16 : 8;
    }

    int entriesPerTableBits() {
        return clusterBits - (extendedL2 ? 4 : 3);
    }

    /** Returns the highest count that fits, cut down to {@code int} (QC-REF-11). */
    int highestCount() {
        return refcountOrder >= 5 ? Integer.MAX_VALUE : (int) ((1L << (1 << refcountOrder)) - 1);
    }

    boolean misaligned(long hostOffset) {
        return (hostOffset & (clusterSize() - 1)) != 0;
    }

    ImageFacts withExtensions(Table bitmaps, int count, Table crypto) {
        return new ImageFacts(
                version,
                clusterBits,
                refcountOrder,
                diskSize,
                dataFile,
                extendedL2,
                l1,
                refcountTable,
                snapshots,
                bitmaps,
                count,
                crypto);
    }
}
