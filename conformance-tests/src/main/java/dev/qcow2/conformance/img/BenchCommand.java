package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img bench}: measures a simple sequence of requests. */
@Command(
        name = "bench",
        description = "Sends requests of one kind to an image, many at a time, and says how long they took.",
        footer = {
            "Examples:",
            "  qcow2 img bench -c 10000 -d 16 disk.qcow2",
            "  qcow2 img bench -w --pattern 7 -s 64k --flush-interval 100 disk.qcow2"
        })
// picocli fills the fields; those that are taken without effect, and help, are read by nobody.
@SuppressWarnings("UnusedVariable")
final class BenchCommand extends ImgSubcommand {

    private static final Set<String> AIO = Set.of("threads", "native", "io_uring");

    @Option(names = "-c", paramLabel = "COUNT", description = "number of requests", defaultValue = "75000")
    private String count = "75000";

    @Option(names = "-d", paramLabel = "DEPTH", description = "requests at a time", defaultValue = "64")
    private String depth = "64";

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-i", paramLabel = "AIO", description = "how the host is asked; taken, and without effect")
    private @Nullable String aio;

    @Option(names = "-n", description = "native AIO; taken, and without effect")
    private boolean nativeAio;

    @Option(names = "-o", paramLabel = "OFFSET", description = "where the first request begins")
    private @Nullable String offset;

    @Option(names = "-s", paramLabel = "SIZE", description = "bytes of a request")
    private @Nullable String bufferSize;

    @Option(names = "-S", paramLabel = "STEP", description = "bytes from one request to the next")
    private @Nullable String stepSize;

    @Option(names = "-t", paramLabel = "MODE", description = "cache mode")
    private @Nullable String cache;

    @Option(names = "-w", description = "writes; without it, reads")
    private boolean write;

    @Option(names = "-q", description = "taken, and without effect")
    private boolean quiet;

    @Option(names = "--pattern", paramLabel = "BYTE", description = "what is written")
    private @Nullable String pattern;

    @Option(names = "--flush-interval", paramLabel = "COUNT", description = "writes between two flushes")
    private @Nullable String flushInterval;

    @Option(names = "--no-drain", description = "a flush does not wait for the requests before it")
    private boolean noDrain;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads also what somebody else is writing")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        RequestBench.Settings settings = settings();
        CacheMode mode = CacheMode.named(cache == null ? "writeback" : cache)
                .orElseThrow(() -> new ToolException("Invalid cache mode"));
        String name = onlyFile();
        requireAio(name, mode);
        requireIntervals(settings);
        if (write && forceShare) {
            throw new ToolException(
                    "Could not open '" + name + "': force-share=on can only be used with read-only images");
        }
        NodeOpener opener = opener(mode, forceShare);
        try (OpenNode image = open(opener, name, format, write ? OpenRequest.WRITE : OpenRequest.READ)) {
            console()
                    .line("Sending " + settings.count() + (write ? " write" : " read") + " requests, "
                            + settings.bufferSize() + " bytes each, " + settings.depth()
                            + " in parallel (starting at offset " + settings.offset() + ", step size "
                            + settings.step() + ")");
            if (settings.flushes().interval() > 0) {
                console().line("Sending flush every " + settings.flushes().interval() + " requests");
            }
            RequestBench bench = new RequestBench(image.disk(), settings, mode.flushEachWrite());
            try {
                double seconds = bench.run();
                console().line(String.format(Locale.ROOT, "Run completed in %.3f seconds.", seconds));
                return OK;
            } catch (DiskException e) {
                throw new ToolException("Failed request: " + new ReadFailure(console()).words(e), FAILED, e);
            }
        }
    }

    private RequestBench.Settings settings() throws ToolException {
        long size = SizeArgument.of("buffer size", bufferSize, 4096);
        if (size > Integer.MAX_VALUE) {
            throw SizeArgument.invalid("buffer size");
        }
        long step = SizeArgument.of("step_size", stepSize, 0);
        return new RequestBench.Settings(
                number(count, "request count", 0, Integer.MAX_VALUE),
                number(depth, "queue depth", 1, 1 << 16),
                (int) size,
                step == 0 ? size : step,
                SizeArgument.of("offset", offset, 0),
                write,
                (byte) number(pattern, "pattern byte", 0, 255),
                new RequestBench.Flushes(number(flushInterval, "flush interval", 0, Integer.MAX_VALUE), !noDrain));
    }

    private static int number(@Nullable String text, String what, int least, int most) throws ToolException {
        if (text == null) {
            return 0;
        }
        try {
            long number = Long.decode(text);
            if (number >= least && number <= most) {
                return (int) number;
            }
        } catch (NumberFormatException e) {
            throw new ToolException("Invalid " + what + " specified", FAILED, e);
        }
        throw new ToolException("Invalid " + what + " specified");
    }

    private void requireAio(String name, CacheMode mode) throws ToolException {
        if (aio != null && !AIO.contains(aio)) {
            throw new ToolException("Invalid aio option: " + aio);
        }
        boolean direct = mode == CacheMode.NONE || mode == CacheMode.DIRECTSYNC;
        if ((nativeAio || "native".equals(aio)) && !direct) {
            throw new ToolException("Could not open '" + name
                    + "': aio=native was specified, but it requires cache.direct=on, which was not specified.");
        }
    }

    private void requireIntervals(RequestBench.Settings settings) throws ToolException {
        if (!write && settings.flushes().interval() > 0) {
            throw new ToolException("--flush-interval is only available in write tests");
        }
        if (settings.flushes().interval() > 0 && settings.flushes().interval() < settings.depth()) {
            throw new ToolException("Flush interval can't be smaller than depth");
        }
    }
}
