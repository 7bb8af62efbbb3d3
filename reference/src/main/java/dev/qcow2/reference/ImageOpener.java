package dev.qcow2.reference;

import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OpenOptions.BackingPolicy;
import dev.qcow2.spec.disk.OpenOptions.DirtyPolicy;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Opens an image and its backing chain. What was opened is closed again when something is refused. */
final class ImageOpener {

    private static final int HIGHEST_CHAIN_LENGTH = 200;

    private final HostDirectory directory;
    private final OpenOptions options;
    private final InstantSource clock;
    private final PlanObserver observer;
    private final Set<Object> chain = new HashSet<>();
    private final List<String> notices = new ArrayList<>();

    ImageOpener(HostDirectory directory, OpenOptions options, InstantSource clock, PlanObserver observer) {
        this.directory = directory;
        this.options = options;
        this.clock = clock;
        this.observer = observer;
    }

    /** An image together with what is below it. */
    record Opened(Image image, Resolver resolver) {}

    /** Opens the disk's own image. */
    VirtualDisk open(String fileName) throws DiskException {
        Opened opened = openChain(fileName);
        Image image = opened.image();
        Resolver resolver = opened.resolver();
        ImageWriter writer = new ImageWriter(image, resolver, observer);
        Snapshots snapshots = new Snapshots(image, writer, new VmState(image, resolver, writer), clock);
        ReferenceDisk disk = new ReferenceDisk(image, resolver, writer, snapshots, options.writable(), notices);
        Resizer resizer = new Resizer(image, resolver, observer, options.writable());
        boolean writable = options.writable();
        BitmapStore bitmaps = new BitmapStore(image, writer, writable);
        return new ManagedDisk(
                disk,
                writer,
                resizer,
                bitmaps,
                new CorruptionMark(image, writable),
                image.file().name(),
                writable);
    }

    /** Opens an image and its backing chain, ready to be used. */
    Opened openChain(String fileName) throws DiskException {
        HostFile file = directory.open(fileName, options.access());
        boolean done = false;
        try {
            chain.add(directory.identity(fileName));
            repairDirty(file);
            Resolver resolver = openLayers(fileName, file, options);
            Image image = resolver.image();
            done = true;
            long autoclear = image.header().autoclear();
            try {
                if (options.writable()) {
                    clearAutoclear(image);
                }
                noteBrokenBitmaps(autoclear, image);
            } catch (DiskException e) {
                resolver.close();
                throw e;
            }
            return new Opened(image, resolver);
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    /** Opens an image without what is below it: nobody asks for bytes that are not its own. */
    Opened openAlone(String fileName) throws DiskException {
        HostFile file = directory.open(fileName, options.access());
        boolean done = false;
        try {
            Image image = openImage(file, options);
            done = true;
            return new Opened(image, new Resolver(image, Optional.empty()));
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    /** Opens an image with its data file and its backing files. */
    private Resolver openLayers(String fileName, HostFile file, OpenOptions with) throws DiskException {
        Image image = openImage(file, with);
        Optional<DataFile> dataFile = DataFile.open(directory, fileName, image, with, chain);
        dataFile.ifPresent(image::attach);
        boolean done = false;
        try {
            Resolver resolver = new Resolver(image, openBacking(fileName, image));
            done = true;
            return resolver;
        } finally {
            if (!done && dataFile.isPresent()) {
                dataFile.get().file().close();
            }
        }
    }

    /** Opens a file that is to become the backing file of an image, which itself must not be below it. */
    Optional<Layer> openOther(String fileName, Backing backing) throws DiskException {
        chain.add(directory.identity(fileName));
        String format = backing.format().map(BackingFormat::formatName).orElse("");
        return openNamed(fileName, backing.name(), format);
    }

    private Image openImage(HostFile file, OpenOptions options) throws DiskException {
        Image image = Image.of(file);
        // Features come first: an unknown one may change what the tables mean.
        FeatureBits.requireSupported(file, image.header(), options);
        image.header().requireTables(file.name(), file.size());
        notices.addAll(Unlocker.unlock(image, options.secrets()));
        return image;
    }

    /** QC-HDR-16: what a writer left unfinished is repaired before the guest writes, if the caller says so. */
    private void repairDirty(HostFile file) throws DiskException {
        Image image = Image.of(file);
        long marks = image.header().incompatible() & (FeatureBits.DIRTY | FeatureBits.CORRUPT);
        if (!options.writable() || options.dirty() == DirtyPolicy.REFUSE || marks != FeatureBits.DIRTY) {
            return;
        }
        FeatureBits.requireSupported(file, image.header(), options.withAccess(Access.READ_ONLY));
        RepairReport report = new Repair(image, observer).run(RepairMode.ALL);
        String found = report.corruptionsFixed() + " corruptions and " + report.leaksFixed() + " leaks mended, "
                + report.corruptions() + " and " + report.leaks() + " left";
        if (!report.clean()) {
            throw image.corrupt(HeaderClause.QC_HDR_16, Header.INCOMPATIBLE_FIELD, found, "none left");
        }
        notices.add("The image was marked dirty and has been repaired: " + found + ".");
    }

    private void noteBrokenBitmaps(long autoclear, Image image) throws DiskException {
        if ((autoclear & BitmapsExtension.AUTOCLEAR_BIT) != 0
                && BitmapPlanner.directory(image).isEmpty()) {
            notices.add(
                    "The image's bitmaps can't be read, and count no longer once the image was opened for writing.");
        }
    }

    /**
     * QC-HDR-23: bits go before anything else is written, but for that of bitmaps and that of a raw data file (QC-DATA-15),
     * which are kept up to date.
     */
    static void clearAutoclear(Image image) throws DiskException {
        long bits = image.header().autoclear();
        long bitmaps = BitmapPlanner.directory(image).isEmpty() ? 0 : BitmapsExtension.AUTOCLEAR_BIT;
        long kept = bitmaps | (image.hasDataFile() ? bits & FeatureBits.RAW_DATA : 0);
        if (bits != kept) {
            image.file().write(Header.AUTOCLEAR_FIELD, PlanParts.entryBytes(kept));
            image.file().flush();
            image.reloadHeader();
        }
    }

    private Optional<Layer> openBacking(String fileName, Image image) throws DiskException {
        Header header = image.header();
        // QC-HDR-04: without an offset there is no backing file. An empty name names none either.
        if (header.backingNameOffset() == 0
                || header.backingNameLength() == 0
                || options.backing() == BackingPolicy.IGNORE) {
            return Optional.empty();
        }
        String name = HeaderExtension.text(image.read(header.backingNameOffset(), header.backingNameLength()));
        List<HeaderExtension> extensions = HeaderExtension.list(image.file(), header);
        Optional<HeaderExtension> format = HeaderExtension.find(fileName, extensions, HeaderExtension.BACKING_FORMAT);
        String formatName =
                format.isEmpty() ? "" : HeaderExtension.text(format.get().data(image.file()));
        return openNamed(fileName, name, formatName);
    }

    private Optional<Layer> openNamed(String fileName, String name, String formatName) throws DiskException {
        if (options.backing() == BackingPolicy.REFUSE) {
            throw refused(fileName, BackingClause.QC_BACK_06, name, "the caller's policy forbids to open it");
        }
        if (chain.size() >= HIGHEST_CHAIN_LENGTH) {
            throw refused(fileName, LimitClause.QC_LIM_04, name, "the chain has more than 200 images");
        }
        String target = directory.resolve(fileName, name);
        HostFile file = openFile(fileName, name, target);
        boolean done = false;
        try {
            Layer layer = openLayer(fileName, name, target, file, formatName);
            done = true;
            return Optional.of(layer);
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    private HostFile openFile(String fileName, String name, String target) throws DiskException {
        try {
            // QC-BACK-04, before it is opened once more.
            if (!chain.add(directory.identity(target))) {
                throw refused(fileName, BackingClause.QC_BACK_04, name, "it is in the chain already");
            }
            return directory.open(target, Access.READ_ONLY);
        } catch (HostIoException e) {
            DiskException refusal = refused(fileName, BackingClause.QC_BACK_03, name, String.valueOf(e.getMessage()));
            refusal.initCause(e);
            throw refusal;
        }
    }

    private Layer openLayer(String fileName, String name, String target, HostFile file, String formatName)
            throws DiskException {
        // QC-BACK-05: the extension decides, or the first bytes where there is none.
        boolean qcow2 =
                switch (formatName) {
                    case "qcow2" -> true;
                    case "raw" -> false;
                    case "" -> hasMagic(file);
                    default ->
                        throw refused(
                                fileName, BackingClause.QC_BACK_05, name, "unknown format \"" + formatName + "\"");
                };
        if (!qcow2) {
            return new Layer.Raw(file, file.size());
        }
        return openLayers(target, file, options.withAccess(Access.READ_ONLY));
    }

    private static boolean hasMagic(HostFile file) throws DiskException {
        ByteBuffer first = ByteBuffer.allocate(4);
        file.readZeroPadded(0, first);
        return first.getInt(0) == Header.MAGIC;
    }

    private static BackingException refused(String fileName, Clause clause, String name, String reason) {
        return new BackingException(fileName, clause, name, reason);
    }
}
