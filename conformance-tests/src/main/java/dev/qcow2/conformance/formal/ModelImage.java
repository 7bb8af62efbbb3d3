package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.tla.GraphBound.Constants;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The image that stands for a bound of the mapping model: as small as the format permits.
 *
 * <ul>
 *   <li>A cluster has 512 bytes, and each block of the model an equal part of them.
 *   <li>Where the model packs compressed clusters, two to a host cluster, a cluster has four sectors and compressed data
 *       takes three of them: so a second one fits only in part, and runs over into the next host cluster.
 *   <li>Subclusters: a cluster has 32 of 512 bytes, the model has fewer. The disk ends behind those that the model has,
 *       in the middle of its only cluster; what is behind the end is not looked at.
 *   <li>The greatest count 3 stands for counts of two bits; otherwise counts have 16.
 * </ul>
 *
 * <p>A value of the model is a pattern that depends on the place in the disk, so that bytes at a wrong place are seen.
 */
public final class ModelImage {

    /** A block that reads as zero. */
    static final String ZERO = "0";
    /** A block that shows the backing file. */
    static final String BACKING = "B";

    private static final int SUBCLUSTER = 512;
    private static final int SMALLEST_EXTENDED_BITS = 14;
    private static final int BACKING_FILL = 99;

    private final Constants constants;
    private final List<String> values;

    /**
     * Makes the image of a bound.
     *
     * @param constants of the bound
     * @throws IllegalArgumentException if no image can stand for it
     */
    public ModelImage(Constants constants) {
        this.constants = constants;
        this.values =
                constants.members("Values").stream().map(ModelImage::unquoted).toList();
        if (extended() && clusters() > 1) {
            throw new IllegalArgumentException("with subclusters there can be one cluster only");
        }
        if (packs() > 0 && blockBytes() * blocks() != clusterBytes()) {
            throw new IllegalArgumentException("blocks do not fill a cluster");
        }
    }

    private static String unquoted(String text) {
        return text.replace("\"", "");
    }

    int clusters() {
        return constants.number("ClusterCount");
    }

    int blocks() {
        return constants.number("BlockCount");
    }

    int subclusters() {
        return constants.number("SubclusterCount");
    }

    int hosts() {
        return constants.members("Hosts").size();
    }

    List<String> saves() {
        return constants.members("Saves");
    }

    private int packs() {
        return constants.number("PackCount");
    }

    /** How many free host clusters compressed data may need. */
    int hostsForCompressed() {
        return constants.text("Straddle").equals("TRUE") ? 2 : 1;
    }

    boolean extended() {
        return subclusters() > 1;
    }

    /** Subcluster of a block, both from 0. */
    int subclusterOf(int block) {
        return block * subclusters() / blocks();
    }

    boolean hasBacking() {
        return !constants.text("BackingShape").equals("none");
    }

    private int clusterBits() {
        if (extended()) {
            return SMALLEST_EXTENDED_BITS;
        }
        return packs() > 0 ? 11 : 9;
    }

    /** Bytes of a cluster that the disk shows. */
    int clusterBytes() {
        return extended() ? subclusters() * SUBCLUSTER : 1 << clusterBits();
    }

    int blockBytes() {
        return clusterBytes() / blocks();
    }

    /** Size of the disk when it has so many clusters. */
    long diskBytes(int clusterCount) {
        return (long) clusterCount * clusterBytes();
    }

    /** Where a block of the disk starts; cluster and block count from 0. */
    long offset(int cluster, int block) {
        return diskBytes(cluster) + (long) block * blockBytes();
    }

    /** Number of the pattern of a value; zeros are a pattern too. */
    int fill(String value) {
        if (value.equals("zero")) {
            return Fill.ZEROS;
        }
        int number = 1 + values.indexOf(value);
        return packs() > 0 ? Fill.FIRST_DENSE + number : number;
    }

    /** The bytes of a value in a range of the disk. */
    ByteBuffer pattern(String value, long offset, int length) {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        Fill.write(fill(value), offset, bytes);
        return bytes.flip();
    }

    /** The names of everything that a block may show, and what its bytes are then. */
    List<String> names() {
        return values;
    }

    /** The bytes that the backing file shows in a block; zeros if it is none or too short. */
    ByteBuffer backing(int cluster, int block) {
        ByteBuffer bytes = ByteBuffer.allocate(blockBytes());
        if (showsBacking(cluster, block)) {
            Fill.write(BACKING_FILL, offset(cluster, block), bytes);
        }
        return bytes.clear();
    }

    boolean showsBacking(int cluster, int block) {
        return switch (constants.text("BackingShape")) {
            case "all" -> true;
            case "short" -> cluster == 0 && block == 0;
            default -> false;
        };
    }

    /** The chain of images, in the language of the campaign. */
    List<Layer> layers() {
        int largest = constants.members("Sizes").stream()
                .mapToInt(Integer::parseInt)
                .max()
                .orElse(clusters());
        int refcountOrder = constants.number("MaxCount") == 3 ? 1 : 4;
        Layer top = Layer.qcow2(diskBytes(largest), constants.number("Version"), clusterBits(), refcountOrder);
        if (extended()) {
            top = top.withFeatures(FormatFeatures.PLAIN.withExtendedL2());
        }
        if (!hasBacking()) {
            return List.of(top);
        }
        long length = constants.text("BackingShape").equals("short") ? blockBytes() : diskBytes(clusters());
        Layer raw = Layer.raw(length, List.of());
        return List.of(
                top, raw.withContent(List.of(new Run(ClusterState.NORMAL, 0, raw.clusters(), false, BACKING_FILL))));
    }

    /** A script that does nothing to the image yet. */
    Script script() {
        return new Script(Optional.empty(), layers(), true, Rigour.EACH, false, List.of(), List.of());
    }
}
