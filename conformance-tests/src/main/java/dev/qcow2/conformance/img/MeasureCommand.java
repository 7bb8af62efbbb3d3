package dev.qcow2.conformance.img;

import dev.qcow2.conformance.img.MapCommand.MapEntry;
import dev.qcow2.conformance.img.MapCommand.MapPrinter;
import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.ChainFiles;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MappedExtent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img measure}: says how long the file of a new image would get. */
@Command(
        name = "measure",
        description = "Says how much space a new image needs.",
        footer = {
            "Examples:",
            "  qcow2 img measure --size 100G -O qcow2",
            "  qcow2 img measure --output=json -O qcow2 -o cluster_size=2M disk.raw"
        })
final class MeasureCommand extends ImgSubcommand {

    private static final int MOST_NAME_BYTES_PADDING = 8;
    private static final long DIRECTORY_ENTRY_BYTES = 24;
    private static final long LUKS_ALIGNMENT = 4096;
    private static final long LUKS_HEADER_BYTES = 4096;
    private static final long LUKS_STRIPES = 4000;
    private static final int LUKS_SLOTS = 8;

    @Option(names = "--size", paramLabel = "SIZE", description = "size of the disk, if there is no image to copy")
    private @Nullable String size;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-O", paramLabel = "FORMAT", description = "format of the new image; raw if not given")
    private String targetFormat = "raw";

    @Option(names = "-o", paramLabel = "OPTIONS", description = "options of the new image's format; help lists them")
    private List<String> options = new ArrayList<>();

    @Option(names = "-l", paramLabel = "SNAPSHOT", description = "an internal snapshot: its id, name, or both")
    private @Nullable String snapshot;

    @Option(names = "--output", paramLabel = "FORM", description = "human or json")
    private @Nullable String output;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads also what somebody else is writing")
    private boolean forceShare;

    /** What is printed; bitmaps only if they have a place. */
    private record Answer(long required, long fullyAllocated, OptionalLong bitmaps) {}

    @Override
    int work() throws UsageException, ToolException, DiskException {
        for (String text : options) {
            FormatOptions.requireList(text);
        }
        boolean json = json(output);
        OptionalLong given = size();
        SnapshotChoice chosen = snapshot == null ? null : SnapshotChoice.of(console(), snapshot);
        requireOneSource(given);
        if (options.stream().anyMatch(FormatOptions::asksForHelp)) {
            FormatOptions.help(console(), known(), true);
            return OK;
        }
        if (operands().isEmpty()) {
            print(measured(given.orElseThrow(), null), json);
            return OK;
        }
        NodeOpener opener = opener(CacheMode.WRITEBACK, forceShare);
        String name = operands().get(0);
        ImageLocation location = locate(opener, name, format);
        try (OpenNode image =
                chosen == null ? open(opener, name, location, OpenRequest.READ) : chosen.open(opener, location)) {
            print(measured(Sectors.ceiling(image.disk().size()), image), json);
            return OK;
        }
    }

    private OptionalLong size() throws ToolException {
        if (size == null) {
            return OptionalLong.empty();
        }
        OptionalLong parsed = ByteSize.parse(size);
        if (parsed.isEmpty() && ByteSize.isTooLarge(size)) {
            throw new ToolException("Invalid image size specified. Must be between 0 and 9223372036854775807.");
        }
        return parsed.isPresent() ? parsed : OptionalLong.of(SizeArgument.of("image size", size, 0));
    }

    private void requireOneSource(OptionalLong given) throws ToolException {
        if (operands().size() > 1) {
            throw new ToolException("At most one filename argument is allowed.");
        }
        if (operands().isEmpty() && (tool().imageOptions() || format != null || snapshot != null)) {
            throw new ToolException("--image-opts, -f, and -l require a filename argument.");
        }
        if (operands().isEmpty() && given.isEmpty()) {
            throw new ToolException("Either --size N or one filename must be specified.");
        }
        if (!operands().isEmpty() && given.isPresent()) {
            throw new ToolException("--size N cannot be used together with a filename.");
        }
    }

    private FormatOptions known() throws ToolException {
        return FormatOptions.of(targetFormat)
                .orElseThrow(() -> new ToolException("Unknown file format '" + targetFormat + "'"));
    }

    private Answer measured(long diskSize, @Nullable OpenNode image) throws ToolException, DiskException {
        FormatOptions all = known();
        try {
            for (String text : options) {
                all.add(text);
            }
        } catch (ToolException e) {
            console().error(String.valueOf(e.getMessage()));
            throw new ToolException("Invalid options for file format '" + targetFormat + "'", FAILED, e);
        }
        all.set("size", String.valueOf(diskSize));
        if (all.format().equals("raw")) {
            return new Answer(Sectors.ceiling(diskSize), Sectors.ceiling(diskSize), OptionalLong.empty());
        }
        return qcow2(all, image);
    }

    private Answer qcow2(FormatOptions all, @Nullable OpenNode image) throws ToolException, DiskException {
        CreateOptions create = new NewImage(opener(CacheMode.WRITEBACK, false).settings(), all).qcow2();
        Measurement measurement = new Measurement(create);
        long luks = create.features().encryption().isPresent()
                ? luksBytes(create.features().encryption().get().cipher(), measurement.clusterSize())
                : 0;
        Preallocation mode = create.features().preallocation();
        long metadata = measurement.fullyAllocated() - measurement.alignedSize() + luks;
        long data = 0;
        if (mode == Preallocation.FULL || mode == Preallocation.FALLOC) {
            data = measurement.alignedSize();
        } else if (image != null) {
            data = dataBytes(image, create.backing().isPresent(), measurement.clusterSize());
        }
        OptionalLong bitmaps = image != null && image.location().qcow2() && create.version() == 3
                ? OptionalLong.of(bitmapBytes(image.disk().bitmaps().list(), measurement))
                : OptionalLong.empty();
        return new Answer(metadata + data, metadata + measurement.alignedSize(), bitmaps);
    }

    /** Guest clusters of the new image that would have data. */
    private long dataBytes(OpenNode image, boolean backing, long clusterSize) throws ToolException, DiskException {
        DataCount count = new DataCount(backing, clusterSize);
        // A snapshot is seen through a copy of the image, whose file says nothing of holes.
        try (ChainFiles chain = ChainFiles.of(image.location(), true)) {
            MapRefiner refiner = new MapRefiner(snapshot == null ? chain.links() : List.of(), count);
            MapCursor map = new MapCursor(image.disk());
            for (long at = 0; at < map.size(); ) {
                MappedExtent extent = map.at(at);
                refiner.add(extent, at, extent.end());
                at = extent.end();
            }
            refiner.finish();
        }
        return count.bytes;
    }

    /** Counts clusters of the new image that have data. */
    private static final class DataCount implements MapPrinter {
        private final boolean backing;
        private final long clusterSize;
        private long covered;
        private long bytes;

        DataCount(boolean backing, long clusterSize) {
            this.backing = backing;
            this.clusterSize = clusterSize;
        }

        @Override
        public void entry(MapEntry entry) {
            MappedExtent extent = entry.extent();
            boolean copied = !backing || extent.depth() == 0;
            if (entry.data() && !entry.zero() && copied) {
                long first = Math.max(covered, extent.guestOffset() / clusterSize * clusterSize);
                covered = Math.max(covered, Measurement.roundedUp(extent.end(), clusterSize));
                bytes += Math.max(0, covered - first);
            }
        }

        @Override
        public void nothing(long offset) {
            // Nothing counts for nothing.
        }

        @Override
        public void end() {
            // The sum stands.
        }
    }

    private static long bitmapBytes(List<BitmapInfo> bitmaps, Measurement measurement) {
        long bytes = 0;
        long directory = 0;
        for (BitmapInfo bitmap : bitmaps) {
            if (!bitmap.inUse()) {
                bytes += measurement.bitmapBytes(bitmap.granularityBits());
                long name = bitmap.name().getBytes(StandardCharsets.UTF_8).length;
                directory += Measurement.roundedUp(DIRECTORY_ENTRY_BYTES + name, MOST_NAME_BYTES_PADDING);
            }
        }
        return bytes + Measurement.roundedUp(directory, measurement.clusterSize());
    }

    /** The area in front of the data of a LUKS image: the header and eight split keys. */
    private static long luksBytes(Cipher cipher, long clusterSize) {
        long keyBytes =
                switch (cipher) {
                    case LUKS_AES_256_XTS_PLAIN64 -> 64;
                    case LUKS_AES_128_XTS_PLAIN64, LUKS_AES_256_CBC_ESSIV_SHA256 -> 32;
                    case LUKS_AES_128_CBC_ESSIV_SHA256 -> 16;
                    case LEGACY_AES_128_CBC -> 0;
                };
        long slot = Measurement.roundedUp(keyBytes * LUKS_STRIPES, LUKS_ALIGNMENT);
        return keyBytes == 0 ? 0 : Measurement.roundedUp(LUKS_HEADER_BYTES + LUKS_SLOTS * slot, clusterSize);
    }

    private void print(Answer answer, boolean json) {
        if (json) {
            console().line("{");
            if (answer.bitmaps.isPresent()) {
                console().line("    \"bitmaps\": " + answer.bitmaps.getAsLong() + ",");
            }
            console().line("    \"required\": " + answer.required + ",");
            console().line("    \"fully-allocated\": " + answer.fullyAllocated);
            console().line("}");
            return;
        }
        console().line("required size: " + answer.required);
        console().line("fully allocated size: " + answer.fullyAllocated);
        if (answer.bitmaps.isPresent()) {
            console().line("bitmaps size: " + answer.bitmaps.getAsLong());
        }
    }
}
