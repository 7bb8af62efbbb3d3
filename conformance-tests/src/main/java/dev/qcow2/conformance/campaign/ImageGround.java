package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.ImageFacts;
import dev.qcow2.conformance.image.CopyOnWriteDirectory;
import dev.qcow2.conformance.image.ImageInspector;
import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile;
import dev.qcow2.spec.model.BaseContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;

/** An existing image with its backing chain. Nothing of it is ever written. */
final class ImageGround implements Ground, AutoCloseable {

    private final RealHostDirectory originals;
    private final String imageName;
    private final HostFile original;
    private final ImageFacts facts;
    private final int version;
    private final boolean extended;
    private final VirtualDisk disk;
    private final Optional<VirtualDisk> belowDisk;
    private final BaseContent content;
    private final Optional<BaseContent> below;
    private final String origin;

    private ImageGround(
            RealHostDirectory originals,
            String imageName,
            HostFile original,
            VirtualDisk disk,
            Optional<VirtualDisk> below,
            Optional<HostFile> converted)
            throws DiskException {
        this.originals = originals;
        this.imageName = imageName;
        this.original = original;
        this.disk = disk;
        this.facts = ImageFacts.of(imageName, original);
        this.version = new ImageInspector(original).version();
        this.extended = new ImageInspector(original).extendedL2();
        BaseContent own = ofDisk(disk);
        this.content = converted.isPresent() ? ofRaw(converted.get(), own) : own;
        this.below = below.isPresent() ? Optional.of(ofDisk(below.get())) : Optional.empty();
        this.belowDisk = below;
        this.origin = "the first content of " + imageName + " is taken from "
                + (converted.isPresent() ? "qemu-img convert" : "the first implementation, for QEMU is missing");
    }

    static ImageGround of(Path image, DiskDriver reader, Optional<QemuTools> qemu, Path scratch) throws IOException {
        Path absolute = image.toAbsolutePath();
        RealHostDirectory originals = new RealHostDirectory(Path.of("/"), RealHostFile.Durability.NONE);
        String name = absolute.toString();
        VirtualDisk disk = reader.open(originals, name, OpenOptions.readOnly().followingBacking());
        Optional<HostFile> converted = Optional.empty();
        if (qemu.isPresent()) {
            Path raw = scratch.resolve("content.raw");
            qemu.get().convertToRaw(QemuImage.of(absolute), raw);
            converted = Optional.of(RealHostFile.open(raw, RealHostFile.Durability.NONE, StandardOpenOption.READ));
        }
        HostFile original = originals.open(name, Access.READ_ONLY);
        Optional<VirtualDisk> below =
                hasBacking(original) ? Optional.of(openBelow(originals, name, original, reader)) : Optional.empty();
        return new ImageGround(originals, name, original, disk, below, converted);
    }

    /** The image with an empty L1 table (QC-L1-01) shows what lies below it. */
    private static VirtualDisk openBelow(RealHostDirectory originals, String name, HostFile original, DiskDriver reader)
            throws DiskException {
        ByteBuffer header = ByteBuffer.allocate(48);
        original.readZeroPadded(0, header);
        CopyOnWriteDirectory directory = new CopyOnWriteDirectory(originals, name, original, true);
        try (HostFile file = directory.open(name, Access.READ_WRITE)) {
            file.zero(header.getLong(40), Math.max(8L, header.getInt(36) * 8L));
        }
        return reader.open(directory, name, OpenOptions.readOnly().followingBacking());
    }

    private static boolean hasBacking(HostFile file) throws DiskException {
        ByteBuffer offset = ByteBuffer.allocate(8);
        file.readZeroPadded(8, offset);
        return offset.getLong(0) != 0;
    }

    private static BaseContent ofDisk(VirtualDisk disk) throws DiskException {
        long size = disk.size();
        return new BaseContent() {
            @Override
            public long size() {
                return size;
            }

            @Override
            public void read(long guestOffset, ByteBuffer into) throws IOException {
                disk.read(guestOffset, into);
            }
        };
    }

    /** QEMU takes a disk to end at a multiple of 512; the bytes behind that are the reader's. */
    private static BaseContent ofRaw(HostFile raw, BaseContent whole) throws DiskException {
        long end = raw.size();
        return new BaseContent() {
            @Override
            public long size() {
                return whole.size();
            }

            @Override
            public void read(long guestOffset, ByteBuffer into) throws IOException {
                if (guestOffset + into.remaining() > end) {
                    whole.read(guestOffset, into);
                } else {
                    raw.read(guestOffset, into);
                }
            }
        };
    }

    /** Returns what has a state of its own in the image. */
    Transition.Unit unit() {
        if (extended) {
            return Transition.Unit.SUBCLUSTER;
        }
        return version == 2 ? Transition.Unit.VERSION_2 : Transition.Unit.VERSION_3;
    }

    ImageFacts facts() {
        return facts;
    }

    /** Says where the model's first content comes from. */
    String origin() {
        return origin;
    }

    @Override
    public BaseContent content() {
        return content;
    }

    @Override
    public Optional<BaseContent> below() {
        return below;
    }

    /** Those of an existing image are left alone. */
    @Override
    public Map<String, BaseContent> snapshots() {
        return Map.of();
    }

    @Override
    public int version() {
        return version;
    }

    @Override
    public int clusterBits() {
        return facts.clusterBits();
    }

    @Override
    public Stage stage(DiskDriver driver, boolean efficientZeroing) throws DiskException {
        CopyOnWriteDirectory directory = new CopyOnWriteDirectory(originals, imageName, original, efficientZeroing);
        return new ImageStage(directory);
    }

    @Override
    public void close() throws DiskException {
        disk.close();
        if (belowDisk.isPresent()) {
            belowDisk.get().close();
        }
        original.close();
    }

    private final class ImageStage implements Stage {
        private final CopyOnWriteDirectory directory;

        ImageStage(CopyOnWriteDirectory directory) {
            this.directory = directory;
        }

        @Override
        public HostDirectory directory() {
            return directory;
        }

        @Override
        public OpenOptions options(OpenOptions options) {
            return options.followingBacking();
        }

        @Override
        public String imageName() {
            return imageName;
        }

        /** Backing files stay where they are: a link in the new place leads to each relative name. */
        @Override
        public QemuImage exportTo(Path target) throws IOException {
            Path copy = target.resolve(Path.of(imageName).getFileName());
            try (HostFile file = directory.open(imageName, Access.READ_ONLY)) {
                FileCopy.copyToPath(file, copy);
            }
            BackingLinks.make(Path.of(imageName), target);
            return QemuImage.of(copy);
        }

        @Override
        public void importFrom(QemuImage image) throws DiskException {
            MemoryFileContent content = new MemoryFileContent();
            FileCopy.copyFromPath(image.path(), new MemoryHostFile(imageName, content, Access.READ_WRITE, true));
            directory.replace(content);
        }
    }
}
