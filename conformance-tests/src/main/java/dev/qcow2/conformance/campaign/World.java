package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.model.BaseContent;
import dev.qcow2.spec.model.GuestModel;
import dev.qcow2.spec.model.GuestModel.DiscardRule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What has to be so at one time of a sequence: the guest's bytes, the bitmaps, the snapshots, and the kind of image. */
final class World {

    private static final int CHUNK = 1 << 20;

    private final GuestModel model;
    private final DirtyModel dirty;
    private final Map<String, GuestModel.Saved> snapshots = new HashMap<>();
    private final List<Layer> layers;
    private final int clusterBits;
    private final boolean savesState;
    private int version;
    private boolean backed;
    private int backingLayer;

    World(GuestModel model, Ground ground, Script script) throws IOException {
        this.model = model;
        this.dirty = new DirtyModel(model.size());
        this.layers = script.layers();
        this.clusterBits = ground.clusterBits();
        this.savesState = Feature.neededBy(script).contains(Feature.VM_STATE);
        this.version = ground.version();
        this.backed = ground.below().isPresent();
        this.backingLayer = backed ? 1 : 0;
        for (var snapshot : ground.snapshots().entrySet()) {
            snapshots.put(snapshot.getKey(), contentAsSaved(snapshot.getValue()));
        }
    }

    /** The model keeps what it has held itself; so it holds the snapshot's content for a moment. */
    private GuestModel.Saved contentAsSaved(BaseContent content) throws IOException {
        GuestModel.Saved present = model.save();
        for (long at = 0; at < model.size(); at += CHUNK) {
            ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK, model.size() - at));
            content.readZeroPadded(at, chunk);
            model.write(at, chunk.flip());
        }
        GuestModel.Saved saved = model.save();
        model.restore(present);
        return saved;
    }

    GuestModel model() {
        return model;
    }

    DirtyModel dirty() {
        return dirty;
    }

    Map<String, GuestModel.Saved> snapshots() {
        return snapshots;
    }

    /** The layers of the script; none if it starts from an existing image. */
    List<Layer> layers() {
        return layers;
    }

    long clusterSize() {
        return 1L << clusterBits;
    }

    /** QC-L2-08: version 2 has no zero clusters that could hide what lies below. */
    DiscardRule discardRule() {
        return new DiscardRule(clusterSize(), version >= 3 || !backed);
    }

    void becomesVersion(int newVersion) {
        version = newVersion;
    }

    boolean backed() {
        return backed;
    }

    /** Index of the layer that is the backing file, from 1; 0 for none. */
    int backingLayer() {
        return backingLayer;
    }

    void getsBacking(int layer) {
        backingLayer = layer;
        backed = layer > 0;
    }

    /** Says whether the sequence saves machine state. */
    boolean savesState() {
        return savesState;
    }

    /** QC-CMP-16: an image with encryption or a data file has no compressed clusters. */
    boolean mayCompress() {
        FormatFeatures features =
                layers.isEmpty() ? FormatFeatures.PLAIN : layers.get(0).features();
        return features.encryption().isEmpty() && features.dataFile().isEmpty();
    }

    /** Says whether a range is made of whole clusters, of which the last may end with the disk. */
    boolean wholeClusters(long offset, long length) {
        boolean start = offset % clusterSize() == 0;
        return start && (length % clusterSize() == 0 || offset + length == model.size());
    }

    /** A guest request has changed bytes of the range, or could have. */
    void changed(long offset, long length) {
        dirty.changed(offset, length);
    }
}
