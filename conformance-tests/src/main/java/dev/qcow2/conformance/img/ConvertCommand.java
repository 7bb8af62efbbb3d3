package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.disk.DiskException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img convert}: copies what images show into another one. Here the options are read; {@link Conversion} does it. */
@Command(
        name = "convert",
        description = "Copies the content of one or more images into another image.",
        footer = {
            "Examples:",
            "  qcow2 img convert -p -O qcow2 disk.raw disk.qcow2",
            "  qcow2 img convert -c -O qcow2 -o compression_type=zstd disk.qcow2 small.qcow2",
            "  qcow2 img convert -l snapshot.name=monday -O raw disk.qcow2 monday.raw"
        })
final class ConvertCommand extends ImgSubcommand {

    private static final long MOST_SPARSE = 16L << 20;
    private static final int MOST_WORKERS = 16;

    @Option(names = "-c", description = "writes compressed clusters")
    private boolean compressed;

    @Option(names = "-C", description = "lets the host copy; taken, and without effect")
    private boolean offload;

    @Option(names = "-n", description = "the target exists and is not made anew")
    private boolean keepTarget;

    @Option(names = "-p", description = "shows how much is done")
    private boolean progress;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the source; guessed if not given")
    private @Nullable String format;

    @Option(names = "-O", paramLabel = "FORMAT", description = "format of the target; raw if not given")
    private @Nullable String targetFormat;

    @Option(names = "-B", paramLabel = "FILE", description = "backing file of the target")
    private @Nullable String backing;

    @Option(names = "-F", paramLabel = "FORMAT", description = "format of the backing file")
    private @Nullable String backingFormat;

    @Option(names = "-o", paramLabel = "OPTIONS", description = "options of the target's format; help lists them")
    private List<String> options = new ArrayList<>();

    @Option(names = "-l", paramLabel = "SNAPSHOT", description = "copies an internal snapshot: its id, name, or both")
    private @Nullable String snapshot;

    @Option(names = "-S", paramLabel = "SIZE", description = "zeros that make a gap in the target; 0 writes all")
    private @Nullable String sparse;

    @Option(names = "-m", paramLabel = "COUNT", description = "pieces that are read at a time, 1 to 16")
    private @Nullable String workers;

    @Option(names = "-W", description = "writes in any order")
    private boolean outOfOrder;

    @Option(names = "-t", paramLabel = "MODE", description = "cache mode of the target")
    private @Nullable String cache;

    @Option(names = "-T", paramLabel = "MODE", description = "cache mode of the sources")
    private @Nullable String sourceCache;

    @Option(names = "-r", paramLabel = "RATE", description = "bytes in a second, at most")
    private @Nullable String rate;

    @Option(names = "--salvage", description = "takes what can't be read for zeros, and goes on")
    private boolean salvage;

    @Option(names = "--target-is-zero", description = "the target, which is not made anew, reads as zero")
    private boolean targetIsZero;

    @Option(names = "--target-image-opts", description = "the target is named by options")
    private boolean targetImageOptions;

    @Option(names = "--bitmaps", description = "copies the persistent bitmaps, too")
    private boolean bitmaps;

    @Option(names = "--skip-broken-bitmaps", description = "leaves out bitmaps that were left in use")
    private boolean skipBrokenBitmaps;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads also what somebody else is writing")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        long minSparse = minSparse();
        int threads = workers();
        long bytesPerSecond = rate();
        SnapshotChoice chosen = snapshot == null ? null : SnapshotChoice.of(console(), snapshot);
        for (String text : options) {
            FormatOptions.requireList(text);
        }
        requireConsistent();
        if (options.stream().anyMatch(FormatOptions::asksForHelp)) {
            FormatOptions.help(console(), targetOptions(), operands().size() >= 2);
            return OK;
        }
        if (operands().size() < 2) {
            throw new ToolException("Must specify image file name");
        }
        CacheMode readMode = ToolOptions.cache("source", sourceCache, CacheMode.WRITEBACK);
        Conversion.Target target = new Conversion.Target(
                operands().get(operands().size() - 1), keepTarget, targetImageOptions, targetIsZero, compressed);
        try (Conversion conversion = new Conversion(this, target)) {
            for (String name : operands().subList(0, operands().size() - 1)) {
                if (chosen != null && operands().size() > 2) {
                    throw new ToolException("No support for concatenating multiple snapshot");
                }
                conversion.open(opener(readMode, forceShare), name, format, chosen);
            }
            conversion.requireBitmaps(bitmaps, skipBrokenBitmaps);
            conversion.create(targetOptionsOrNone(), backing, backingFormat, () -> targetCache());
            try (ImgProgress shown = ImgProgress.start(console(), progress && !quiet, 1)) {
                conversion.copy(
                        new DiskCopy.Manner(
                                compressed, 1, targetIsZero, minSparse, salvage, threads, outOfOrder, bytesPerSecond),
                        shown);
                shown.done();
            }
        }
        return OK;
    }

    private CacheMode targetCache() throws ToolException {
        CacheMode mode = CacheMode.UNSAFE;
        if (cache != null) {
            mode = CacheMode.named(cache).orElseThrow(() -> new ToolException("Invalid cache option: " + cache));
        }
        return mode;
    }

    /** The options of the target's format; null if the target is not made. */
    private @Nullable FormatOptions targetOptionsOrNone() throws ToolException {
        if (keepTarget) {
            return null;
        }
        FormatOptions all = targetOptions();
        for (String text : options) {
            all.add(text);
        }
        return all;
    }

    private FormatOptions targetOptions() throws ToolException {
        String name = targetFormat();
        return FormatOptions.of(name).orElseThrow(() -> new ToolException("Unknown file format '" + name + "'"));
    }

    /** The format of the target, as far as the user has a say in it. */
    String targetFormat() {
        return targetFormat == null ? "raw" : targetFormat;
    }

    private void requireConsistent() throws ToolException {
        require(!keepTarget || options.isEmpty(), "-o has no effect when skipping image creation");
        require(!targetIsZero || keepTarget, "--target-is-zero requires use of -n flag");
        require(!targetImageOptions || keepTarget, "--target-image-opts requires use of -n flag");
        require(!skipBrokenBitmaps || bitmaps, "Use of --skip-broken-bitmaps requires --bitmaps");
        require(!offload || sparse == null, "Cannot enable copy offloading when -S is used");
        require(!offload || !compressed, "Cannot enable copy offloading when -c is used");
        require(!offload || !salvage, "Cannot use copy offloading in salvaging mode");
        require(!targetImageOptions || targetFormat == null, "--image-opts and --format are mutually exclusive");
    }

    private static void require(boolean holds, String otherwise) throws ToolException {
        if (!holds) {
            throw new ToolException(otherwise);
        }
    }

    private long minSparse() throws ToolException {
        if (sparse == null) {
            return 4096;
        }
        OptionalLong size = ByteSize.parse(sparse);
        if (size.isEmpty()) {
            throw SizeArgument.invalid("buffer size for sparse output");
        }
        require(
                size.getAsLong() % Sectors.BYTES == 0 && size.getAsLong() <= MOST_SPARSE,
                "Invalid buffer size for sparse output specified. Valid sizes are multiples of " + Sectors.BYTES
                        + " up to " + MOST_SPARSE
                        + ". Select 0 to disable sparse detection (fully allocates output).");
        return size.getAsLong();
    }

    private int workers() throws ToolException {
        int number = 8;
        if (workers != null) {
            number = workers.matches("[0-9]{1,4}") ? Integer.parseInt(workers) : 0;
        }
        require(
                number >= 1 && number <= MOST_WORKERS,
                "Invalid number of coroutines. Allowed number of coroutines is between 1 and " + MOST_WORKERS);
        return number;
    }

    private long rate() throws ToolException {
        return SizeArgument.of("rate limit", rate, 0);
    }
}
