package dev.qcow2.conformance.language;

import dev.qcow2.spec.disk.FormatFeatures;
import java.util.List;

/**
 * One image of a chain, as it is before the first operation.
 *
 * @param format what kind of file it is
 * @param size bytes of the disk; of the file if it is raw
 * @param version 2 or 3
 * @param clusterBits 9 to 21; raw layers have 9, as the unit of {@code content}
 * @param refcountOrder 0 to 6
 * @param features what it uses beyond the plain form
 * @param traits how it is made
 * @param content runs of clusters that are not unallocated, in ascending order, without overlap
 */
public record Layer(
        Format format,
        long size,
        int version,
        int clusterBits,
        int refcountOrder,
        FormatFeatures features,
        Traits traits,
        List<Run> content) {

    /** Kinds of files in a chain. */
    public enum Format {
        /** A qcow2 image. */
        QCOW2,
        /** A file whose bytes are the disk's bytes. */
        RAW
    }

    /** Who makes the image. */
    public enum Maker {
        /** Each implementation makes its own, empty one. */
        DRIVER,
        /** The kit builds the file byte by byte: states and layouts that no implementation would make. */
        KIT
    }

    /** What an internal snapshot of the image shares with the active tables. */
    public enum Sharing {
        /** There is no snapshot. */
        NONE,
        /** Whole L2 tables, and through them all clusters. */
        TABLES,
        /** The host clusters of runs that say so; the L2 tables are its own. */
        CLUSTERS
    }

    /**
     * How an image is made.
     *
     * @param maker who makes it
     * @param sharing what a snapshot shares
     * @param shortL1 true if the L1 table ends behind the last entry that is needed (QC-L1-06)
     * @param formatNamed true if the overlay's extension says the format (QC-BACK-05)
     */
    public record Traits(Maker maker, Sharing sharing, boolean shortL1, boolean formatNamed) {

        /** An image as a driver makes it. */
        public static final Traits PLAIN = new Traits(Maker.DRIVER, Sharing.NONE, false, true);

        /** An image as the kit makes it when nothing else is said. */
        public static final Traits BUILT = new Traits(Maker.KIT, Sharing.NONE, false, true);
    }

    /**
     * Clusters that follow each other and are in the same state.
     *
     * @param state what their entries say
     * @param first index of the first guest cluster
     * @param count how many
     * @param shared true if the snapshot refers to the same host clusters
     * @param fill number of the pattern that they hold; their stale bytes if they read as zero
     */
    public record Run(ClusterState state, long first, long count, boolean shared, int fill) {

        /**
         * Returns the index after the last cluster.
         *
         * @return guest cluster index
         */
        public long end() {
            return first + count;
        }

        /**
         * Returns the same run, shared or not.
         *
         * @param nowShared true if the snapshot refers to the same host clusters
         * @return a copy
         */
        public Run withShared(boolean nowShared) {
            return new Run(state, first, count, nowShared, fill);
        }
    }

    /** Name of an external data file, as the image has it. */
    public static final String DATA_FILE = "disk.data";

    /** Copies the content. */
    public Layer {
        content = List.copyOf(content);
    }

    /**
     * Returns the size of a cluster.
     *
     * @return bytes
     */
    public int clusterSize() {
        return 1 << clusterBits;
    }

    /**
     * Returns how many guest clusters there are.
     *
     * @return the last one may be partial
     */
    public long clusters() {
        return (size + clusterSize() - 1) >>> clusterBits;
    }

    /**
     * Returns the layer with other content.
     *
     * @param runs as for the record
     * @return a copy
     */
    public Layer withContent(List<Run> runs) {
        return new Layer(format, size, version, clusterBits, refcountOrder, features, traits, runs);
    }

    /**
     * Returns the layer made in another way.
     *
     * @param newTraits as for the record
     * @return a copy
     */
    public Layer withTraits(Traits newTraits) {
        return new Layer(format, size, version, clusterBits, refcountOrder, features, newTraits, content);
    }

    /**
     * Returns the layer with other features.
     *
     * @param other as for the record
     * @return a copy
     */
    public Layer withFeatures(FormatFeatures other) {
        return new Layer(format, size, version, clusterBits, refcountOrder, other, traits, content);
    }

    /**
     * Returns the layer with another size; content past it is left out.
     *
     * @param newSize bytes
     * @return a copy
     */
    public Layer withSize(long newSize) {
        Layer resized = new Layer(format, newSize, version, clusterBits, refcountOrder, features, traits, List.of());
        long end = resized.clusters();
        return resized.withContent(content.stream()
                .filter(run -> run.first() < end)
                .map(run -> new Run(
                        run.state(), run.first(), Math.min(run.count(), end - run.first()), run.shared(), run.fill()))
                .toList());
    }

    /**
     * An empty qcow2 image with the usual traits.
     *
     * @param size bytes
     * @param version 2 or 3
     * @param clusterBits 9 to 21
     * @param refcountOrder 0 to 6
     * @return a layer that each driver makes
     */
    public static Layer qcow2(long size, int version, int clusterBits, int refcountOrder) {
        return new Layer(
                Format.QCOW2, size, version, clusterBits, refcountOrder, FormatFeatures.PLAIN, Traits.PLAIN, List.of());
    }

    /**
     * A raw file.
     *
     * @param size bytes
     * @param content runs in units of 512 bytes
     * @return a layer that the kit makes
     */
    public static Layer raw(long size, List<Run> content) {
        return new Layer(Format.RAW, size, 3, 9, 4, FormatFeatures.PLAIN, Traits.BUILT, content);
    }
}
