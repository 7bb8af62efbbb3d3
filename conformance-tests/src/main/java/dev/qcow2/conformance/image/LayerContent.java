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
        if (run != null && run.state() == ClusterState.NORMAL) {
            Fill.write(run.fill(), at - (run.first() << layer.clusterBits()), part);
        } else if (isOpen(run)) {
            below.readZeroPadded(at, part);
        } else {
            part.put(new byte[part.remaining()]);
        }
    }

    /** A hole of a raw file is zeros; what a qcow2 image leaves open is the backing file's. */
    private boolean isOpen(@Nullable Run run) {
        return layer.format() == Format.QCOW2 && (run == null || run.state() == ClusterState.UNALLOCATED);
    }
}
