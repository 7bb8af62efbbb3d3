package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.image.ImageBuilder;
import dev.qcow2.conformance.image.LayerContent;
import dev.qcow2.conformance.image.RememberedContent;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.model.BaseContent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a sequence starts from: the files for each implementation, and what the guest must see in them. */
interface Ground {

    /** What the guest sees at first; its size is the disk's. */
    BaseContent content();

    /** What the guest would see if the disk's own image were empty; empty without a backing file. */
    Optional<BaseContent> below();

    /** What the guest would see of each snapshot that is there at first. */
    Map<String, BaseContent> snapshots();

    /** Format version of the disk's own image. */
    int version();

    /** Cluster size of the disk's own image, as a power of two. */
    int clusterBits();

    /** Gives an implementation its own copy of the files. */
    Stage stage(DiskDriver driver, boolean efficientZeroing) throws DiskException, IOException;

    private static BaseContent content(List<Layer> layers) {
        return new RememberedContent(LayerContent.of(layers));
    }

    private static Map<String, BaseContent> snapshots(List<Layer> layers) {
        Layer top = layers.get(0);
        if (top.traits().maker() != Maker.KIT || top.traits().sharing() == Sharing.NONE) {
            return Map.of();
        }
        // With tables of its own the snapshot has the shared runs, and nothing else.
        boolean all = top.traits().sharing() == Sharing.TABLES;
        List<Layer> chain = new ArrayList<>(layers);
        chain.set(
                0,
                top.withContent(top.content().stream()
                        .filter(run -> all || run.shared())
                        .toList()));
        return Map.of(ImageBuilder.SNAPSHOT_NAME, content(chain));
    }

    /** Starts from the layers of a script. */
    static Ground ofLayers(Script script) throws DiskException {
        MemoryHostDirectory built = MemoryStage.build(script);
        Layer top = script.layers().get(0);
        BaseContent content = content(script.layers());
        Optional<BaseContent> below = script.layers().size() == 1
                ? Optional.empty()
                : Optional.of(content(script.layers().subList(1, script.layers().size())));
        Map<String, BaseContent> snapshots = snapshots(script.layers());
        return new Ground() {
            @Override
            public BaseContent content() {
                return content;
            }

            @Override
            public Optional<BaseContent> below() {
                return below;
            }

            @Override
            public Map<String, BaseContent> snapshots() {
                return snapshots;
            }

            @Override
            public int version() {
                return top.version();
            }

            @Override
            public int clusterBits() {
                return top.clusterBits();
            }

            @Override
            public Stage stage(DiskDriver driver, boolean efficientZeroing) throws DiskException {
                return MemoryStage.of(built, script, driver);
            }
        };
    }
}
