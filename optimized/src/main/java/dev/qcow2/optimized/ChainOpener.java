package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.BackingClause.QC_BACK_03;
import static dev.qcow2.spec.clause.BackingClause.QC_BACK_04;
import static dev.qcow2.spec.clause.BackingClause.QC_BACK_05;
import static dev.qcow2.spec.clause.BackingClause.QC_BACK_06;
import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_07;
import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_08;
import static dev.qcow2.spec.clause.DataFileClause.QC_DATA_13;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_16;
import static dev.qcow2.spec.clause.HeaderClause.QC_HDR_17;
import static dev.qcow2.spec.clause.LimitClause.QC_LIM_04;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OpenOptions.BackingPolicy;
import dev.qcow2.spec.disk.OpenOptions.DataFilePolicy;
import dev.qcow2.spec.disk.OpenOptions.DirtyPolicy;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.EventSource;
import dev.qcow2.spec.trace.HostObserver;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Opens an image and what lies below it; closes again what it opened if something is refused. */
final class ChainOpener {

    private static final int MAX_CHAIN = 200;

    private final HostDirectory directory;
    private final OpenOptions openOptions;
    private final OptimizedOptions options;
    private final Clock clock;
    private final Set<Object> chain = new HashSet<>();
    private final List<String> notices = new ArrayList<>();
    private boolean alone;
    private @Nullable EventSink sink;
    private @Nullable ChangeTeller teller;

    ChainOpener(HostDirectory directory, OpenOptions openOptions, OptimizedOptions options, Clock clock) {
        this.directory = directory;
        this.openOptions = openOptions;
        this.options = options;
        this.clock = clock;
    }

    /** Opens an image as if it had no backing file. */
    OptimizedDisk openAlone(String fileName) throws DiskException {
        alone = true;
        return openDisk(fileName);
    }

    /** Opens a backing file that an image has not got yet; the chain must not come back to the image. */
    Layer openBacking(String imageName, Backing backing) throws DiskException {
        chain.add(directory.identity(imageName));
        String format =
                backing.format().map(CreateOptions.BackingFormat::formatName).orElse(null);
        return backing(imageName, backing.name(), format, 1);
    }

    /** Opens an image, and tells what is done to it if somebody wants to hear of it. */
    VirtualDisk openTold(String fileName, EventSource events) throws DiskException {
        sink = events.sinkFor(directory, fileName);
        OptimizedDisk disk = openDisk(fileName);
        return teller == null ? disk : TellingDisk.of(disk, openOptions.writable(), teller);
    }

    OptimizedDisk openDisk(String fileName) throws DiskException {
        HostFile host = directory.open(fileName, openOptions.access());
        boolean complete = false;
        @Nullable Image image = null;
        try {
            chain.add(directory.identity(fileName));
            ImageHeader header = HeaderReader.read(host);
            if (mustRepair(header)) {
                notices.add(repair(host));
                header = HeaderReader.read(host);
            }
            requireWritableState(host, header);
            // Of data files no model speaks.
            if (sink != null && !header.dataFile()) {
                teller = new ChangeTeller(sink, header);
                host = new HostObserver(host, teller::host);
            }
            List<SnapshotTable.Entry> snapshots = SnapshotTable.read(host, header);
            image = image(host, fileName, header, 0);
            BitmapDirectory bitmaps = bitmaps(host, header, notices);
            long kept = (bitmaps.entries().isEmpty() ? 0 : ImageHeader.BITMAPS)
                    | (header.rawDataFile() ? ImageHeader.RAW_DATA_FILE : 0);
            if (openOptions.writable() && (header.autoclear() & ~kept) != 0) {
                HeaderFields.setAutoclear(host, header.autoclear() & kept);
            }
            complete = true;
            return new OptimizedDisk(image, openOptions.writable(), clock, snapshots, bitmaps, notices);
        } finally {
            if (!complete) {
                close(image, host);
            }
        }
    }

    /** QC-LIM-18: a directory that is broken is no reason not to use the disk; a writer gives it up, and says so. */
    private BitmapDirectory bitmaps(HostFile host, ImageHeader header, List<String> notices) throws DiskException {
        try {
            return BitmapDirectory.read(host, header);
        } catch (MalformedImageException e) {
            notices.add("The image's bitmaps can't be used: " + e.getMessage());
            return BitmapDirectory.NONE;
        }
    }

    private boolean mustRepair(ImageHeader header) {
        return openOptions.writable()
                && openOptions.dirty() == DirtyPolicy.REPAIR
                && (header.incompatible() & (ImageHeader.DIRTY | ImageHeader.CORRUPT)) == ImageHeader.DIRTY;
    }

    /** QC-HDR-16: the counts are found again before anybody writes; what can't be mended leaves the mark. */
    private static String repair(HostFile host) throws DiskException {
        RepairReport report = new Repair(host).run(RepairScope.Changes.ALL);
        return "The image was marked dirty: " + report.corruptionsFixed() + " broken rules were mended, and "
                + report.leaksFixed() + " leaked clusters given back.";
    }

    private void requireWritableState(HostFile host, ImageHeader header) throws DiskException {
        if (!openOptions.writable()) {
            return;
        }
        if ((header.incompatible() & ImageHeader.CORRUPT) != 0) {
            throw new UnsupportedFeatureException(host.name(), QC_HDR_17, "writing to an image marked corrupt");
        }
        if ((header.incompatible() & ImageHeader.DIRTY) != 0) {
            throw new UnsupportedFeatureException(host.name(), QC_HDR_16, "writing to an image marked dirty");
        }
    }

    private Image image(HostFile host, String fileName, ImageHeader header, int depth) throws DiskException {
        SectorCrypto crypto = unlock(host, fileName, header);
        Layer backing = null;
        if (header.backingName().isPresent() && !alone && openOptions.backing() != BackingPolicy.IGNORE) {
            backing = backing(
                    fileName, header.backingName().get(), header.backingFormat().orElse(null), depth + 1);
        }
        HostFile data = null;
        boolean complete = false;
        try {
            data = header.dataFile() ? dataFile(fileName, header, depth) : null;
            Image image = new Image(
                    host,
                    data,
                    header,
                    backing,
                    crypto,
                    options,
                    CacheBudget.atDepth(depth),
                    depth == 0 ? teller : null);
            complete = true;
            return image;
        } finally {
            if (!complete) {
                closeAll(backing, data);
            }
        }
    }

    private static void closeAll(@Nullable Layer backing, @Nullable HostFile data) throws DiskException {
        try {
            if (data != null) {
                data.close();
            }
        } finally {
            if (backing != null) {
                backing.close();
            }
        }
    }

    /** The data file of an image: below the top one it is as read-only as the image itself (QC-BACK-07). */
    private HostFile dataFile(String imageName, ImageHeader header, int depth) throws DiskException {
        String reference = header.dataFileName()
                .orElseThrow(() -> new UnsupportedFeatureException(
                        imageName, QC_DATA_07, "external data file whose name the image does not tell"));
        if (openOptions.dataFile() == DataFilePolicy.REFUSE) {
            throw new UnsupportedFeatureException(
                    imageName, QC_DATA_08, "external data file \"" + reference + "\", which the caller does not allow");
        }
        Access access = depth == 0 ? openOptions.access() : Access.READ_ONLY;
        String fileName;
        HostFile data;
        try {
            fileName = directory.resolve(imageName, reference);
            data = directory.open(fileName, access);
        } catch (HostIoException e) {
            UnsupportedFeatureException refusal = new UnsupportedFeatureException(
                    imageName, QC_DATA_07, "external data file \"" + reference + "\": " + e.getMessage());
            refusal.initCause(e);
            throw refusal;
        }
        boolean complete = false;
        try {
            if (!chain.add(directory.identity(fileName))) {
                throw new UnsupportedFeatureException(
                        imageName, QC_DATA_13, "external data file that is a part of the chain: " + reference);
            }
            complete = true;
            return data;
        } finally {
            if (!complete) {
                data.close();
            }
        }
    }

    /** QC-CRY-16: each image of the chain has its own key. */
    private @Nullable SectorCrypto unlock(HostFile host, String fileName, ImageHeader header) throws DiskException {
        EncryptionArea area = header.encryption();
        if (area.method() == EncryptionArea.NONE) {
            return null;
        }
        SectorCrypto crypto = Unlocking.unlock(host, area, openOptions.secrets().of(fileName));
        if (area.method() == EncryptionArea.LEGACY) {
            // QC-CRY-14
            notices.add(
                    fileName + " is encrypted with the format's own AES-CBC, which is unsafe: it does not tell a wrong"
                            + " passphrase, and shows whoever can write to the disk what lies on it. Convert it to LUKS.");
        }
        return crypto;
    }

    private Layer backing(String imageName, String reference, @Nullable String format, int depth) throws DiskException {
        if (openOptions.backing() == BackingPolicy.REFUSE) {
            throw refused(imageName, QC_BACK_06, reference, "the caller allows no backing file");
        }
        if (depth >= MAX_CHAIN) {
            throw refused(imageName, QC_LIM_04, reference, "the chain has more than " + MAX_CHAIN + " images");
        }
        if (format != null && !format.equals("raw") && !format.equals("qcow2")) {
            throw refused(imageName, QC_BACK_05, reference, "unknown format \"" + format + "\"");
        }
        String fileName;
        HostFile host;
        try {
            fileName = directory.resolve(imageName, reference);
            host = directory.open(fileName, Access.READ_ONLY);
        } catch (HostIoException e) {
            BackingException refusal = refused(imageName, QC_BACK_03, reference, String.valueOf(e.getMessage()));
            refusal.initCause(e);
            throw refusal;
        }
        return layer(host, imageName, reference, fileName, format, depth);
    }

    private Layer layer(
            HostFile host, String imageName, String reference, String fileName, @Nullable String format, int depth)
            throws DiskException {
        boolean complete = false;
        try {
            if (!chain.add(directory.identity(fileName))) {
                throw refused(imageName, QC_BACK_04, reference, "the chain comes back to this file");
            }
            boolean raw = format == null ? !hasMagic(host) : format.equals("raw");
            Layer layer = raw ? new RawLayer(host) : image(host, fileName, HeaderReader.read(host), depth);
            complete = true;
            return layer;
        } finally {
            if (!complete) {
                host.close();
            }
        }
    }

    private static boolean hasMagic(HostFile host) throws DiskException {
        ByteBuffer magic = ByteBuffer.allocate(4);
        host.readZeroPadded(0, magic);
        return magic.getInt(0) == ImageHeader.MAGIC;
    }

    private static void close(@Nullable Image image, HostFile host) throws DiskException {
        if (image != null) {
            image.close();
        } else {
            host.close();
        }
    }

    private static BackingException refused(String imageName, Clause clause, String reference, String reason) {
        return new BackingException(imageName, clause, reference, reason);
    }
}
