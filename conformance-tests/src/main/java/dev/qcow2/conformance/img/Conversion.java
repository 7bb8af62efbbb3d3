package dev.qcow2.conformance.img;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.ChainFiles;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One run of {@code convert}: opens the sources, makes and opens the target, copies. */
final class Conversion implements AutoCloseable {

    /**
     * What the user says of the target.
     *
     * @param name as the user typed it
     * @param exists whether it is there already
     * @param namedByOptions whether the name is a list of options
     * @param zero whether an existing one reads as zero
     * @param compressed whether it gets compressed clusters
     */
    record Target(String name, boolean exists, boolean namedByOptions, boolean zero, boolean compressed) {}

    /** Gives a cache mode, or says that there is none of that name. */
    @FunctionalInterface
    interface Cache {
        CacheMode mode() throws ToolException;
    }

    private static final int SUBCLUSTERS = 32;

    private final ConvertCommand command;
    private final Target target;
    private final List<OpenNode> sources = new ArrayList<>();
    private final BitmapCopy bitmaps = new BitmapCopy();
    private @Nullable OpenNode opened;
    private Optional<String> backing = Optional.empty();
    private boolean copiesBitmaps;
    private boolean preallocated;

    Conversion(ConvertCommand command, Target target) {
        this.command = command;
        this.target = target;
    }

    /** Opens a source. */
    void open(NodeOpener opener, String name, @Nullable String format, @Nullable SnapshotChoice snapshot)
            throws ToolException, DiskException {
        ImageLocation location = command.locate(opener, name, format);
        if (snapshot == null) {
            sources.add(command.open(opener, name, location, OpenRequest.READ));
        } else {
            sources.add(snapshot.open(opener, location));
        }
    }

    /** Looks at the bitmaps of the source before the target is touched. */
    void requireBitmaps(boolean wanted, boolean skipBroken) throws ToolException, DiskException {
        copiesBitmaps = wanted;
        if (!wanted) {
            return;
        }
        if (sources.size() > 1) {
            throw new ToolException("Copying bitmaps only possible with single source");
        }
        OpenNode source = sources.get(0);
        if (!source.location().qcow2()) {
            throw new ToolException("Source lacks bitmap support");
        }
        bitmaps.choose(command.console(), source.disk(), skipBroken);
    }

    private long sourceSize() throws DiskException {
        long size = 0;
        for (OpenNode source : sources) {
            size += Sectors.ceiling(source.disk().size());
        }
        return size;
    }

    /** Makes the target, unless it exists, and opens it. */
    void create(@Nullable FormatOptions options, @Nullable String base, @Nullable String baseFormat, Cache cache)
            throws ToolException, DiskException {
        backing =
                Optional.ofNullable(base).or(() -> options == null ? Optional.empty() : options.given("backing_file"));
        if (options != null) {
            addBacking(options, base, baseFormat);
        }
        if (sources.size() > 1 && backing.isPresent()) {
            throw new ToolException(
                    "Having a backing file for the target makes no sense when concatenating multiple input images");
        }
        if (options != null) {
            requireFit(options);
        }
        NodeOpener opener = command.opener(cache.mode(), false);
        if (options != null) {
            make(opener, options);
        }
        opened = openTarget(opener, options);
        requireTarget(opened);
    }

    private void addBacking(FormatOptions options, @Nullable String base, @Nullable String baseFormat)
            throws ToolException {
        boolean raw = options.format().equals("raw");
        if (base != null) {
            require(!raw, "Backing file not supported for file format '" + options.format() + "'");
            options.set("backing_file", base);
        }
        if (baseFormat != null) {
            require(!raw, "Backing format not supported for file format '" + options.format() + "'");
            options.set("backing_fmt", baseFormat);
        }
    }

    private void requireFit(FormatOptions options) throws ToolException {
        require(
                backing.isEmpty() || options.given("backing_fmt").isPresent(),
                "Use of backing file requires explicit backing format");
        boolean raw = options.format().equals("raw");
        if (target.compressed()) {
            require(!raw, "Compression not supported for this file format");
            boolean encrypted =
                    options.on("encryption") || options.given("encrypt.format").isPresent();
            require(!encrypted, "Compression and encryption not supported at the same time");
            require(
                    options.text("preallocation").orElse("off").equals("off"),
                    "Compression and preallocation not supported at the same time");
        }
        require(!copiesBitmaps || !raw, "Format driver '" + options.format() + "' does not support bitmaps");
    }

    private static void require(boolean holds, String otherwise) throws ToolException {
        if (!holds) {
            throw new ToolException(otherwise);
        }
    }

    private void make(NodeOpener opener, FormatOptions options) throws ToolException, DiskException {
        preallocated = !options.text("preallocation").orElse("off").equals("off");
        if (options.given("size").isEmpty()) {
            options.set("size", String.valueOf(sourceSize()));
        }
        try {
            new NewImage(opener.settings(), options).create(target.name());
        } catch (ToolException e) {
            throw new ToolException(
                    target.name() + ": error while converting " + options.format() + ": " + e.getMessage(),
                    ImgSubcommand.FAILED,
                    e);
        }
    }

    private OpenNode openTarget(NodeOpener opener, @Nullable FormatOptions options) throws ToolException {
        try {
            ObjectNode tree = target.namedByOptions()
                    ? BlockOptions.imageOptions(target.name())
                    : BlockOptions.named(target.name(), Optional.of(command.targetFormat()));
            if (options != null && options.given("encrypt.key-secret").isPresent()) {
                tree.putObject("encrypt")
                        .put("key-secret", options.given("encrypt.key-secret").get());
            }
            return command.open(opener, target.name(), opener.locate(tree), OpenRequest.WRITE);
        } catch (DiskException e) {
            throw new ToolException(Failures.open(target.name(), e), ImgSubcommand.FAILED, e);
        }
    }

    private void requireTarget(OpenNode node) throws ToolException, DiskException {
        boolean qcow2 = node.location().qcow2();
        require(!target.compressed() || qcow2, "Compression not supported for this file format");
        require(!copiesBitmaps || qcow2, "Format driver '" + node.location().format() + "' does not support bitmaps");
        if (target.exists() && node.disk().size() < sourceSize()) {
            throw new ToolException("output file is smaller than input file");
        }
    }

    /** Copies; what the manner says of the target is completed here. */
    void copy(DiskCopy.Manner manner, ImgProgress progress) throws ToolException, DiskException {
        OpenNode node = Objects.requireNonNull(opened);
        Optional<HeaderFacts> facts = facts(node);
        CopySource source = new CopySource(sources);
        boolean zero = backing.isEmpty() && (target.zero() || !target.exists());
        if (backing.isPresent()) {
            source.leaveToBacking(backingSize(node));
        }
        DiskCopy.Manner completed = new DiskCopy.Manner(
                manner.compressed(),
                unit(facts),
                zero,
                manner.minSparse(),
                manner.salvage(),
                manner.workers(),
                manner.outOfOrder(),
                manner.bytesPerSecond());
        long data = progress.shown() ? new CopySource(sources).dataBytes() : 0;
        new DiskCopy(source, data, node.disk(), completed, command.console(), progress).run();
        if (copiesBitmaps) {
            bitmaps.copy(sources.get(0).disk(), node.disk());
        }
        node.disk().flush();
    }

    /** What a new target allocates at once; what one that has data or a backing file holds already is not written over. */
    private int unit(Optional<HeaderFacts> facts) {
        boolean filled = backing.isPresent() || target.exists() || preallocated;
        if (facts.isEmpty() || (filled && !target.compressed())) {
            return 1;
        }
        long cluster = facts.get().clusterSize();
        return Math.toIntExact(facts.get().extendedL2() && !target.compressed() ? cluster / SUBCLUSTERS : cluster);
    }

    private static Optional<HeaderFacts> facts(OpenNode node) throws DiskException {
        if (!node.location().qcow2()) {
            return Optional.empty();
        }
        try (HostFile file = node.location().directory().open(node.location().fileName(), Access.READ_ONLY)) {
            return HeaderFacts.of(file);
        }
    }

    /** How far the target's backing file reaches. */
    private static long backingSize(OpenNode node) throws DiskException {
        try (ChainFiles chain = ChainFiles.of(node.location(), true)) {
            if (chain.links().size() < 2) {
                return 0;
            }
            ChainFiles.Link below = chain.links().get(1);
            return below.facts().isPresent()
                    ? below.facts().get().size()
                    : below.file().size();
        }
    }

    @Override
    public void close() throws DiskException {
        for (OpenNode source : sources) {
            source.close();
        }
        if (opened != null) {
            opened.close();
        }
    }
}
