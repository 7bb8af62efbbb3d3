package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img bitmap}: changes the persistent bitmaps of an image. Actions are done in the order of the command line. */
@Command(
        name = "bitmap",
        description = "Adds, removes, clears, enables, disables and merges persistent bitmaps.",
        footer = {
            "Examples:",
            "  qcow2 img bitmap --add disk.qcow2 since-sunday",
            "  qcow2 img bitmap --add -g 1M --disable disk.qcow2 coarse",
            "  qcow2 img bitmap --merge since-sunday disk.qcow2 all",
            "  qcow2 img bitmap --merge theirs -b other.qcow2 -F qcow2 disk.qcow2 all"
        })
final class BitmapCommand extends ImgSubcommand {

    private static final int LONGEST_NAME = 1023;
    private static final int SMALLEST_STANDARD = 12;
    private static final int LARGEST_STANDARD = 16;

    /** One thing to do. */
    private record Action(String name, String source) {}

    private final List<Action> actions = new ArrayList<>();

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-b", paramLabel = "FILE", description = "the image whose bitmap is merged")
    private @Nullable String sourceFile;

    @Option(names = "-F", paramLabel = "FORMAT", description = "its format")
    private @Nullable String sourceFormat;

    @Option(names = "-g", paramLabel = "SIZE", description = "bytes that a bit of a new bitmap stands for")
    private @Nullable String granularity;

    @Option(names = "--add", description = "makes the bitmap")
    void add(boolean given) {
        actions.add(new Action("add", ""));
    }

    @Option(names = "--remove", description = "removes the bitmap")
    void remove(boolean given) {
        actions.add(new Action("remove", ""));
    }

    @Option(names = "--clear", description = "makes everything clean")
    void clear(boolean given) {
        actions.add(new Action("clear", ""));
    }

    @Option(names = "--enable", description = "lets the bitmap follow writes")
    void enable(boolean given) {
        actions.add(new Action("enable", ""));
    }

    @Option(names = "--disable", description = "lets the bitmap stay as it is")
    void disable(boolean given) {
        actions.add(new Action("disable", ""));
    }

    @Option(names = "--merge", paramLabel = "BITMAP", description = "adds what another bitmap calls dirty")
    void merge(String source) {
        actions.add(new Action("merge", source));
    }

    @Override
    int work() throws UsageException, ToolException, DiskException {
        OptionalLong grain = granularity == null ? OptionalLong.empty() : ByteSize.parse(granularity);
        if (granularity != null && grain.isEmpty()) {
            throw new ToolException("Invalid granularity specified. You may use k, M, G, T, P or E suffixes for\n"
                    + ImgConsole.PROGRAM + ": kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
        }
        requireSense();
        NodeOpener opener = opener(CacheMode.WRITEBACK, false);
        String name = operands().get(0);
        String bitmap = operands().get(1);
        try (OpenNode image = open(opener, name, format, OpenRequest.WRITE)) {
            for (Action action : actions) {
                try {
                    perform(image, action, bitmap, grain);
                } catch (ToolException e) {
                    throw failed(action, bitmap, String.valueOf(e.getMessage()), e);
                } catch (DiskException e) {
                    throw failed(action, bitmap, Failures.words(e), e);
                }
            }
        }
        return OK;
    }

    private static ToolException failed(Action action, String bitmap, String words, Exception cause) {
        return new ToolException(
                "Operation " + action.name() + " on bitmap " + bitmap + " failed: " + words, FAILED, cause);
    }

    private void requireSense() throws ToolException {
        if (operands().size() != 2 && !actions.isEmpty()) {
            throw new ToolException("Expecting filename and bitmap name");
        }
        if (actions.isEmpty()) {
            throw new ToolException("Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
        }
        boolean adds = actions.stream().anyMatch(action -> action.name().equals("add"));
        boolean merges = actions.stream().anyMatch(action -> action.name().equals("merge"));
        if (granularity != null && !adds) {
            throw new ToolException("granularity only supported with --add");
        }
        if (sourceFormat != null && sourceFile == null) {
            throw new ToolException("-F only supported with -b");
        }
        if (sourceFile != null && !merges) {
            throw new ToolException("Merge bitmap source file only supported with --merge");
        }
    }

    private void perform(OpenNode image, Action action, String bitmap, OptionalLong grain)
            throws ToolException, DiskException {
        if (!image.location().qcow2()) {
            throw new ToolException(
                    "Can't store persistent bitmaps to " + image.location().fileName() + ": Operation not supported");
        }
        Bitmaps bitmaps = image.disk().bitmaps();
        if (action.name().equals("add")) {
            add(image, bitmaps, bitmap, grain);
            return;
        }
        require(bitmaps, bitmap);
        switch (action.name()) {
            case "remove" -> bitmaps.remove(bitmap);
            case "clear" -> bitmaps.clear(bitmap);
            case "enable" -> bitmaps.setEnabled(bitmap, true);
            case "disable" -> bitmaps.setEnabled(bitmap, false);
            default -> merge(bitmaps, bitmap, action.source());
        }
    }

    private static void require(Bitmaps bitmaps, String name) throws ToolException, DiskException {
        if (bitmaps.list().stream().noneMatch(one -> one.name().equals(name))) {
            throw new ToolException("Dirty bitmap '" + name + "' not found");
        }
    }

    private static void add(OpenNode image, Bitmaps bitmaps, String name, OptionalLong grain)
            throws ToolException, DiskException {
        if (name.isEmpty()) {
            throw new ToolException("Bitmap name cannot be empty");
        }
        long bytes = grain.orElse(1L << standardGranularity(image));
        if (Long.bitCount(bytes) != 1 || bytes < 512 || bytes > 1L << 31) {
            throw new ToolException("Granularity must be power of 2 and at least 512");
        }
        if (bitmaps.list().stream().anyMatch(one -> one.name().equals(name))) {
            throw new ToolException("Bitmap already exists: " + name);
        }
        String cannot = "Can't make bitmap '" + name + "' persistent in '"
                + image.location().fileName() + "': ";
        if (facts(image).map(HeaderFacts::version).orElse(0) == 2) {
            throw new ToolException(cannot + "Cannot store dirty bitmaps in qcow2 v2 files");
        }
        if (name.length() > LONGEST_NAME) {
            throw new ToolException(cannot + "Name length exceeds maximum (1023 characters)");
        }
        bitmaps.add(name, Long.numberOfTrailingZeros(bytes), true);
    }

    private static Optional<HeaderFacts> facts(OpenNode image) throws DiskException {
        try (HostFile file = image.location().directory().open(image.location().fileName(), Access.READ_ONLY)) {
            return HeaderFacts.of(file);
        }
    }

    private static int standardGranularity(OpenNode image) throws DiskException {
        int bits = facts(image)
                .map(header -> Long.numberOfTrailingZeros(header.clusterSize()))
                .orElse(LARGEST_STANDARD);
        return Math.max(SMALLEST_STANDARD, Math.min(LARGEST_STANDARD, bits));
    }

    private void merge(Bitmaps bitmaps, String into, String source) throws ToolException, DiskException {
        if (sourceFile == null) {
            require(bitmaps, source);
            bitmaps.merge(into, source);
            return;
        }
        NodeOpener other = opener(CacheMode.WRITEBACK, false);
        String named = sourceFile;
        try (OpenNode from = other.open(
                other.locate(BlockOptions.named(named, Optional.ofNullable(sourceFormat))), OpenRequest.ALONE)) {
            Bitmaps theirs = from.disk().bitmaps();
            require(theirs, source);
            for (Bitmaps.Dirty range : theirs.dirty(source)) {
                bitmaps.mark(into, range.guestOffset(), range.length());
            }
        }
    }
}
