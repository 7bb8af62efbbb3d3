package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.disk.DiskException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img compare}: says whether two images show the guest the same. */
@Command(
        name = "compare",
        description = "Says whether two images hold the same.",
        footer = {
            "Exit code: 0 the same, 1 a difference, 2 an image can't be opened, 3 its map can't be read, 4 its data can't be read.",
            "Examples:",
            "  qcow2 img compare -p disk.raw disk.qcow2",
            "  qcow2 img compare -s old.qcow2 new.qcow2"
        })
final class CompareCommand extends ImgSubcommand {

    private static final int NOT_OPENED = 2;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the first image; guessed if not given")
    private @Nullable String firstFormat;

    @Option(names = "-F", paramLabel = "FORMAT", description = "format of the second image; guessed if not given")
    private @Nullable String secondFormat;

    @Option(names = "-T", paramLabel = "MODE", description = "cache mode of the images")
    private @Nullable String cache;

    @Option(names = "-p", description = "shows how much is done")
    private boolean progress;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(names = "-s", description = "sizes and allocation must be the same, too")
    private boolean strict;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads also what somebody else is writing")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException {
        if (operands().size() != 2) {
            throw new UsageException("Expecting two image file names");
        }
        try (OpenNode first = open(0, firstFormat);
                OpenNode second = open(1, secondFormat);
                ImgProgress shown = ImgProgress.start(console(), progress && !quiet, 2)) {
            ImageComparison comparison = new ImageComparison(
                    new ImageComparison.Side(operands().get(0), new MapCursor(first.disk()), first.disk()),
                    new ImageComparison.Side(operands().get(1), new MapCursor(second.disk()), second.disk()),
                    strict,
                    new ReadFailure(console()),
                    shown);
            ImageComparison.Verdict verdict = comparison.run(this::say);
            say(verdict.message());
            shown.done();
            return verdict.same() ? OK : FAILED;
        } catch (DiskException e) {
            throw new ToolException(new ReadFailure(console()).words(e), ImageComparison.NOT_READ, e);
        }
    }

    private void say(String line) {
        if (!quiet) {
            console().line(line);
        }
    }

    private OpenNode open(int index, @Nullable String format) throws ToolException {
        try {
            CacheMode mode = ToolOptions.cache("source", cache, CacheMode.WRITEBACK);
            NodeOpener opener = opener(mode, forceShare);
            return open(opener, operands().get(index), format, OpenRequest.READ);
        } catch (ToolException e) {
            throw new ToolException(String.valueOf(e.getMessage()), NOT_OPENED, e);
        }
    }
}
