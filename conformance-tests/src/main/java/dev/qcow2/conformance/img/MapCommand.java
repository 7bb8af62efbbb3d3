package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.ChainFiles;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img map}: shows where guest bytes are in the files of the chain. */
@Command(
        name = "map",
        description = "Shows where the disk's data is in the files of the image's chain.",
        footer = {
            "Examples:",
            "  qcow2 img map disk.qcow2",
            "  qcow2 img map --output=json --start-offset=1G --max-length=64M disk.qcow2"
        })
final class MapCommand extends ImgSubcommand {

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "--output", paramLabel = "FORM", description = "human or json")
    private @Nullable String output;

    @Option(
            names = {"-s", "--start-offset"},
            paramLabel = "OFFSET",
            description = "where the map begins")
    private @Nullable String start;

    @Option(
            names = {"-l", "--max-length"},
            paramLabel = "LENGTH",
            description = "how much is shown")
    private @Nullable String length;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads also what somebody else is writing")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        long from = SizeArgument.of("start offset", start, 0);
        long most = SizeArgument.of("max length", length, Long.MAX_VALUE);
        boolean json = json(output);
        String name = onlyFile();
        NodeOpener opener = opener(CacheMode.WRITEBACK, forceShare);
        ImageLocation location = locate(opener, name, format);
        try (OpenNode image = open(opener, name, location, OpenRequest.READ);
                ChainFiles chain = ChainFiles.of(location, true)) {
            return show(image, chain, from, most, json);
        }
    }

    private int show(OpenNode image, ChainFiles chain, long from, long most, boolean json) throws ToolException {
        MapPrinter printer = json ? new JsonMap(console()) : new HumanMap(console(), names(chain));
        try {
            MapCursor cursor = new MapCursor(image.disk());
            MapRefiner refiner = new MapRefiner(chain.links(), printer);
            long end = most > cursor.size() - from ? cursor.size() : from + most;
            if (from >= end) {
                printer.nothing(from);
            }
            for (long at = from; at < end; ) {
                MappedExtent extent = cursor.at(at);
                long stop = Math.min(extent.end(), end);
                refiner.add(extent, at, stop);
                at = stop;
            }
            refiner.finish();
            return OK;
        } catch (DiskException e) {
            throw new ToolException("Could not read file metadata: " + new ReadFailure(console()).words(e), FAILED, e);
        } finally {
            printer.end();
        }
    }

    private static List<String> names(ChainFiles chain) {
        return chain.links().stream()
                .map(link -> ChainFiles.shown(link.dataName()))
                .toList();
    }

    /** Prints entries of a map. */
    interface MapPrinter {
        /** Prints an entry. */
        void entry(MapEntry entry) throws ToolException;

        /** Prints that there is nothing behind an offset. */
        void nothing(long offset);

        /** Ends the map. */
        void end();
    }

    /** A list of JSON objects, one a line. */
    private static final class JsonMap implements MapPrinter {
        private final ImgConsole console;
        private final StringBuilder line = new StringBuilder("[");

        JsonMap(ImgConsole console) {
            this.console = console;
        }

        @Override
        public void entry(MapEntry entry) {
            print(entry.json());
        }

        @Override
        public void nothing(long offset) {
            print("{ \"start\": " + offset
                    + ", \"length\": 0, \"depth\": 0, \"present\": false, \"zero\": false, \"data\": false}");
        }

        private void print(String object) {
            if (line.length() > 1) {
                console.line(line + ",");
                line.setLength(0);
            }
            line.append(object);
        }

        @Override
        public void end() {
            console.line(line.length() == 1 ? "[]" : line + "]");
        }
    }

    /** A table of what is data. */
    private static final class HumanMap implements MapPrinter {
        private final ImgConsole console;
        private final List<String> names;

        HumanMap(ImgConsole console, List<String> names) {
            this.console = console;
            this.names = names;
            console.line(String.format("%-16s%-16s%-16s%s", "Offset", "Length", "Mapped to", "File"));
        }

        @Override
        public void entry(MapEntry entry) throws ToolException {
            if (!entry.data() || entry.zero()) {
                return;
            }
            if (entry.extent().hostOffset().isEmpty()) {
                throw new ToolException("File contains external, encrypted or compressed clusters.");
            }
            MappedExtent extent = entry.extent();
            console.line(String.format(
                    "%-16s%-16s%-16s%s",
                    hex(extent.guestOffset()),
                    hex(extent.length()),
                    hex(extent.hostOffset().getAsLong()),
                    extent.depth() < names.size() ? names.get(extent.depth()) : ""));
        }

        private static String hex(long number) {
            return number == 0 ? "0" : "0x" + Long.toHexString(number);
        }

        @Override
        public void nothing(long offset) {
            // A table without lines says it.
        }

        @Override
        public void end() {
            // Nothing closes a table.
        }
    }

    /**
     * What is printed of an extent.
     *
     * @param extent its place
     * @param zero whether it reads as zero
     */
    record MapEntry(MappedExtent extent, boolean zero) {

        /** Whether there is data, of zeros if need be. */
        boolean data() {
            return extent.allocated() && extent.content() == Content.DATA;
        }

        private String json() {
            StringBuilder text = new StringBuilder("{ \"start\": ").append(extent.guestOffset());
            text.append(", \"length\": ").append(extent.length());
            text.append(", \"depth\": ").append(extent.depth());
            text.append(", \"present\": ").append(extent.allocated());
            text.append(", \"zero\": ").append(zero);
            text.append(", \"data\": ").append(data());
            extent.hostOffset()
                    .ifPresent(offset -> text.append(", \"offset\": ").append(offset));
            return text.append('}').toString();
        }

        /** Says whether another entry goes on where this one ends. */
        boolean joins(MapEntry next) {
            // What is packed looks the same as what is encrypted.
            MappedExtent plain = withoutPacking(extent);
            return zero == next.zero && plain.joins(withoutPacking(next.extent));
        }

        private static MappedExtent withoutPacking(MappedExtent extent) {
            return new MappedExtent(
                    extent.guestOffset(),
                    extent.length(),
                    extent.content(),
                    extent.allocated(),
                    extent.depth(),
                    extent.hostOffset(),
                    false);
        }

        /** Returns this entry with the one behind it. */
        MapEntry with(MapEntry next) {
            return new MapEntry(
                    new MappedExtent(
                            extent.guestOffset(),
                            extent.length() + next.extent.length(),
                            extent.content(),
                            extent.allocated(),
                            extent.depth(),
                            extent.hostOffset(),
                            extent.compressed()),
                    zero);
        }
    }
}
