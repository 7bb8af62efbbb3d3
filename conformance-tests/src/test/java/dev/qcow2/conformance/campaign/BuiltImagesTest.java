package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.generate.ScriptGenerator;
import dev.qcow2.conformance.image.LayerContent;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Format;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.conformance.language.Layer.Traits;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.model.BaseContent;
import dev.qcow2.spec.model.GuestModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The images that the kit builds are right: who tests with wrong ones finds nothing, or everything. */
class BuiltImagesTest {

    /** All that the kit knows how to build. */
    private static final Set<Feature> FEATURES = Set.of(
            Feature.SNAPSHOTS,
            Feature.COMPRESSED,
            Feature.ZSTD,
            Feature.SUBCLUSTERS,
            Feature.DATA_FILE,
            Feature.LAZY_REFCOUNTS);

    /** The kit's own image on top, so that it is this one that is judged. */
    private static Script built(long index, boolean forQemu) {
        Script script = new ScriptGenerator(11, List.of(FEATURES))
                .script(index, forQemu)
                .withOperations(List.of());
        List<Layer> layers = new ArrayList<>(script.layers());
        Traits drawn = layers.get(0).traits();
        boolean alone = layers.get(0).features().dataFile().isPresent();
        assertThat(alone).as("a data file leaves no snapshots").isIn(false, drawn.sharing() == Sharing.NONE);
        layers.set(0, layers.get(0).withTraits(new Traits(Maker.KIT, drawn.sharing(), drawn.shortL1(), true)));
        return script.withLayers(layers);
    }

    @Test
    @DisplayName("QC-REF-03 QC-L1-03 QC-L2-03 every qcow2 file of every chain audits clean")
    void auditsClean() throws Exception {
        for (int index = 0; index < 300; index++) {
            Script script = built(index, false);
            MemoryHostDirectory directory = MemoryStage.build(script);
            for (String name : directory.fileNames()) {
                int layer = name.startsWith("disk.") ? 0 : Integer.parseInt(name.substring("backing".length()));
                if (!name.equals(Layer.DATA_FILE) && script.layers().get(layer).format() == Format.QCOW2) {
                    try (HostFile file = directory.open(name, Access.READ_ONLY)) {
                        assertThat(AuditJudge.INSTANCE.faults(file))
                                .as(script.toString())
                                .isEmpty();
                    }
                }
            }
        }
    }

    @Test
    @DisplayName(
            "QC-L2-10 QC-BACK-01 QC-CMP-04 QC-SUB-05 QC-DATA-02 QEMU finds them clean and reads what the script says")
    void qemuAgrees(@TempDir Path scratch) throws Exception {
        Optional<QemuTools> qemu = QemuTools.find();
        assumeTrue(qemu.isPresent(), "qemu-img or qemu-io is not installed");
        for (int index = 0; index < 40; index++) {
            Script script = built(index, true);
            BaseContent content = LayerContent.of(script.layers());
            GuestModel model = new GuestModel(content.size(), content);
            MemoryStage stage = MemoryStage.of(MemoryStage.build(script), script, new ReferenceDriver());
            new QemuJudge(qemu.get(), scratch, model).judge(stage, "image " + index);
        }
    }
}
