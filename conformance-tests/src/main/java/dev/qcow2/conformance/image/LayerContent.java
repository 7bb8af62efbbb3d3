package dev.qcow2.conformance.image;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Format;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.spec.model.BaseContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the guest sees of a chain before the first operation: computed from the script, not read from files. */
public final class LayerContent implements BaseContent {

    private static final int SUBCLUSTERS = 32;

    private final Layer layer;
    private final BaseContent below;
    private final TreeMap<Long, Run> runs = new TreeMap<>();

    private LayerContent(Layer layer, BaseContent below) {
        this.layer = layer;
        this.below = below;
        layer.content().forEach(run -> runs.put(run.first(), run));
    }

    /**
     * Returns the content of a chain.
     *
     * @param layers the disk's own image first
     * @return its bytes; nothing if there are no layers
     */
    public static BaseContent of(List<Layer> layers) {
        BaseContent content = BaseContent.empty();
        for (int i = layers.size() - 1; i >= 0; i--) {
            content = new LayerContent(layers.get(i), content);
        }
        return content;
    }

    @Override
    public long size() {
        return layer.size();
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws IOException {
        long at = guestOffset;
        while (into.hasRemaining()) {
            long cluster = at >>> layer.clusterBits();
            int inCluster = (int) (at & (layer.clusterSize() - 1));
            int step = Math.min(into.remaining(), layer.clusterSize() - inCluster);
            ByteBuffer part = into.slice(into.position(), step);
            readCluster(cluster, at, part);
            into.position(into.position() + step);
            at += step;
        }
    }

    private void readCluster(long cluster, long at, ByteBuffer part) throws IOException {
        Map.Entry<Long, Run> entry = runs.floorEntry(cluster);
        Run run = entry != null && cluster < entry.getValue().end() ? entry.getValue() : null;
        if (run == null) {
            readPiece(ClusterState.UNALLOCATED, null, at, part);
            return;
        }
        // Only a mixed cluster differs from one subcluster to the next.
        int piece = run.state().needsSubclusters() ? layer.clusterSize() / SUBCLUSTERS : layer.clusterSize();
        long from = at;
        while (part.hasRemaining()) {
            int inCluster = (int) (from & (layer.clusterSize() - 1));
            int step = Math.min(part.remaining(), piece - inCluster % piece);
            ClusterState state = run.state().ofSubcluster(inCluster / piece, ImageBuilder.turn(run, cluster));
            readPiece(state, run, from, part.slice(part.position(), step));
            part.position(part.position() + step);
            from += step;
        }
    }

    private void readPiece(ClusterState state, @Nullable Run run, long at, ByteBuffer part) throws IOException {
        boolean data = state == ClusterState.NORMAL || state == ClusterState.COMPRESSED;
        boolean open = state == ClusterState.UNALLOCATED || state == ClusterState.RESERVED;
        if (run != null && data) {
            Fill.write(run.fill(), at - (run.first() << layer.clusterBits()), part);
        } else if (open && layer.format() == Format.QCOW2) {
            // A hole of a raw file is zeros; what a qcow2 image leaves open is the backing file's.
            below.readZeroPadded(at, part);
        } else {
            part.put(new byte[part.remaining()]);
        }
    }
}
