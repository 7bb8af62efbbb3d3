package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.LuksFacts;
import dev.qcow2.conformance.tool.SnapshotRow;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.HostUsage;
import dev.qcow2.spec.layout.HeaderLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@code info} says of one image, for people and for programs. */
final class ImageReport {

    private final ImageLocation location;
    private final long size;
    private final List<BitmapInfo> bitmaps;
    private final Optional<HeaderFacts> facts;
    private final List<SnapshotRow> snapshots;
    private final Map<String, Object> encryption;
    private final String shownName;
    private final long hostBytes;

    private ImageReport(ImageLocation location, long size, List<BitmapInfo> bitmaps) throws DiskException {
        this.location = location;
        this.size = size;
        this.bitmaps = bitmaps;
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            facts = location.qcow2() ? HeaderFacts.of(file) : Optional.empty();
            snapshots = facts.isPresent() ? SnapshotRow.of(file, facts.get()) : List.of();
            encryption = facts.isPresent() ? LuksFacts.of(file, facts.get()) : Map.of();
        }
        shownName = location.fileName().equals("json:{\"driver\":\"null-co\"}") ? "null-co://" : location.fileName();
        hostBytes = hostBytes(location.fileName());
    }

    /** Reads what an implementation doesn't tell; the size and the bitmaps are what it told. */
    static ImageReport of(ImageLocation location, long size, List<BitmapInfo> bitmaps) throws DiskException {
        return new ImageReport(location, size, bitmaps);
    }

    private static long hostBytes(String fileName) {
        if (fileName.startsWith("json:") || fileName.startsWith("null-co:")) {
            return 0;
        }
        try {
            return HostUsage.bytes(Path.of(fileName));
        } catch (IOException e) {
            // The image was open a moment ago; it is shown without what is not known of it any more.
            return 0;
        }
    }

    /** Returns the header's facts, if this is a qcow2 image. */
    Optional<HeaderFacts> facts() {
        return facts;
    }

    /** Returns the backing file's name as the host knows it. */
    Optional<String> fullBackingName() {
        return facts.flatMap(HeaderFacts::backingName).map(name -> CreateCommand.combined(location.fileName(), name));
    }

    /** As JSON has it. */
    Map<String, Object> members() {
        Map<String, Object> members = new LinkedHashMap<>();
        if (!snapshots.isEmpty()) {
            members.put(
                    "snapshots", snapshots.stream().map(SnapshotRow::members).toList());
        }
        Optional<String> backing = facts.flatMap(HeaderFacts::backingName);
        if (backing.isPresent()) {
            facts.flatMap(HeaderFacts::backingFormat)
                    .ifPresent(format -> members.put("backing-filename-format", format));
        }
        members.put("virtual-size", size);
        members.put("filename", shownName);
        facts.ifPresent(header -> members.put("cluster-size", header.clusterSize()));
        members.put("format", location.format());
        members.put("actual-size", hostBytes);
        facts.ifPresent(header -> {
            Map<String, Object> specific = new LinkedHashMap<>();
            specific.put("type", "qcow2");
            specific.put("data", specific(header));
            members.put("format-specific", specific);
        });
        fullBackingName().ifPresent(name -> members.put("full-backing-filename", name));
        if (!encryption.isEmpty()) {
            members.put("encrypted", true);
        }
        backing.ifPresent(name -> members.put("backing-filename", name));
        members.put("dirty-flag", facts.map(HeaderFacts::dirty).orElse(false));
        return members;
    }

    private Map<String, Object> specific(HeaderFacts header) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("compat", header.version() == 2 ? "0.10" : "1.1");
        members.put("compression-type", header.compression());
        if (header.version() > 2) {
            members.put("lazy-refcounts", header.lazyRefcounts());
        }
        if (!bitmaps.isEmpty()) {
            members.put("bitmaps", bitmaps.stream().map(ImageReport::bitmap).toList());
        }
        members.put("refcount-bits", header.refcountBits());
        header.dataFileName().ifPresent(name -> members.put("data-file", name));
        if (!encryption.isEmpty()) {
            members.put("encrypt", encryption);
        }
        if (header.hasDataFile()) {
            members.put("data-file-raw", header.rawDataFile());
        }
        if (header.version() > 2) {
            members.put("corrupt", header.corrupt());
            members.put("extended-l2", header.extendedL2());
        }
        return members;
    }

    private static Map<String, Object> bitmap(BitmapInfo bitmap) {
        List<String> flags = new ArrayList<>();
        if (bitmap.inUse()) {
            flags.add("in-use");
        }
        if (bitmap.enabled()) {
            flags.add("auto");
        }
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("flags", flags);
        members.put("name", bitmap.name());
        members.put("granularity", 1L << bitmap.granularityBits());
        return members;
    }

    /** As people read it. */
    String lines() {
        StringBuilder text = new StringBuilder();
        text.append("image: ").append(shownName).append('\n');
        text.append("file format: ").append(location.format()).append('\n');
        text.append("virtual size: ")
                .append(ByteSize.text(size))
                .append(" (")
                .append(size)
                .append(" bytes)\n");
        text.append("disk size: ").append(ByteSize.text(hostBytes)).append('\n');
        if (!encryption.isEmpty()) {
            text.append("encrypted: yes\n");
        }
        facts.ifPresent(header -> header(text, header));
        return text.toString();
    }

    private void header(StringBuilder text, HeaderFacts header) {
        text.append("cluster_size: ").append(header.clusterSize()).append('\n');
        if (header.dirty()) {
            text.append("cleanly shut down: no\n");
        }
        header.backingName().ifPresent(name -> {
            text.append("backing file: ").append(name);
            String full = CreateCommand.combined(location.fileName(), name);
            text.append(full.equals(name) ? "\n" : " (actual path: " + full + ")\n");
            header.backingFormat()
                    .ifPresent(format ->
                            text.append("backing file format: ").append(format).append('\n'));
        });
        if (!snapshots.isEmpty()) {
            text.append(list(snapshots));
        }
        text.append("Format specific information:\n").append(ImgJson.lines(specific(header), 1));
    }

    /** The table of snapshots, as {@code snapshot -l} prints it, too. */
    static String list(List<SnapshotRow> snapshots) {
        StringBuilder text = new StringBuilder("Snapshot list:\n")
                .append(SnapshotRow.heading())
                .append('\n');
        snapshots.forEach(row -> text.append(row.line()).append('\n'));
        return text.toString();
    }

    /** The size that an image claims which can't be opened without its secret. */
    static long claimedSize(ImageLocation location) throws DiskException {
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            return HeaderFacts.of(file)
                    .map(header -> header.value(HeaderLayout.SIZE))
                    .orElse(0L);
        }
    }
}
