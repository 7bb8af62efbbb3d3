package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.image.DataFileBuilder;
import dev.qcow2.conformance.image.ImageBuilder;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Format;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A chain in memory, made as a script says. */
final class MemoryStage implements Stage {

    private static final String IMAGE_NAME = "disk.qcow2";

    private final MemoryHostDirectory directory;
    private final List<Layer> layers;

    private MemoryStage(MemoryHostDirectory directory, List<Layer> layers) {
        this.directory = directory;
        this.layers = layers;
    }

    /** Builds what the kit makes; the files can be copied for each implementation. */
    static MemoryHostDirectory build(Script script) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory(script.efficientZeroing());
        List<Layer> layers = script.layers();
        for (int i = layers.size() - 1; i >= 0; i--) {
            Layer layer = layers.get(i);
            if (layer.format() == Format.RAW) {
                directory.put(name(i), DataFileBuilder.buildRaw(layer));
            } else if (layer.traits().maker() == Maker.KIT || i > 0) {
                directory.put(name(i), ImageBuilder.build(layer, backing(layers, i)));
                if (layer.features().dataFile().isPresent()) {
                    directory.put(Layer.DATA_FILE, DataFileBuilder.build(layer));
                }
            }
        }
        return directory;
    }

    /** Gives an implementation its own copy; it makes the disk's own image if the script says so. */
    static MemoryStage of(MemoryHostDirectory built, Script script, DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = built.copy();
        Layer top = script.layers().get(0);
        if (top.format() == Format.QCOW2 && top.traits().maker() == Maker.DRIVER) {
            driver.create(
                    directory,
                    IMAGE_NAME,
                    new CreateOptions(
                            top.size(),
                            top.version(),
                            top.clusterBits(),
                            top.refcountOrder(),
                            backing(script.layers(), 0),
                            top.features()));
        }
        return new MemoryStage(directory, script.layers());
    }

    private static String name(int index) {
        return index == 0 ? IMAGE_NAME : "backing" + index;
    }

    private static Optional<Backing> backing(List<Layer> layers, int index) {
        return index + 1 == layers.size() ? Optional.empty() : Optional.of(backingAt(layers, index + 1));
    }

    /** How an overlay names a layer. */
    static Backing backingAt(List<Layer> layers, int index) {
        Layer layer = layers.get(index);
        BackingFormat format = layer.format() == Format.RAW ? BackingFormat.RAW : BackingFormat.QCOW2;
        return new Backing(name(index), layer.traits().formatNamed() ? Optional.of(format) : Optional.empty());
    }

    @Override
    public OpenOptions options(OpenOptions options) {
        OpenOptions following = options.followingBacking();
        FormatFeatures features = layers.get(0).features();
        if (features.dataFile().isPresent()) {
            following = following.followingDataFile();
        }
        return features.encryption().isPresent()
                ? following.withPassphrase(features.encryption().get().passphrase())
                : following;
    }

    @Override
    public MemoryHostDirectory directory() {
        return directory;
    }

    @Override
    public String imageName() {
        return IMAGE_NAME;
    }

    @Override
    public QemuImage exportTo(Path target) throws DiskException {
        for (String name : directory.fileNames()) {
            try (HostFile file = directory.open(name, Access.READ_ONLY)) {
                FileCopy.copyToPath(file, target.resolve(name));
            }
        }
        return QemuImage.of(target.resolve(IMAGE_NAME), layers.get(0).features());
    }

    @Override
    public void importFrom(QemuImage image) throws DiskException {
        importFile(image.path(), IMAGE_NAME);
        if (image.dataFile().isPresent()) {
            importFile(image.dataFile().get(), Layer.DATA_FILE);
        }
    }

    private void importFile(Path source, String name) throws DiskException {
        try (HostFile file = directory.create(name)) {
            FileCopy.copyFromPath(source, file);
        }
    }
}
