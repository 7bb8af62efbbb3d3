package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img rebase}: gives an image another backing file, or none. */
@Command(
        name = "rebase",
        description = "Gives an image another backing file, or none.",
        footer = {
            "Examples:",
            "  qcow2 img rebase -b other-base.qcow2 -F qcow2 overlay.qcow2",
            "  qcow2 img rebase -u -b moved/base.qcow2 -F qcow2 overlay.qcow2",
            "  qcow2 img rebase -b '' overlay.qcow2"
        })
final class RebaseCommand extends ImgSubcommand {

    private static final int LONGEST_NAME = 1023;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-b", paramLabel = "FILE", description = "the new backing file; empty for none")
    private @Nullable String backing;

    @Option(names = "-F", paramLabel = "FORMAT", description = "format of the new backing file")
    private @Nullable String backingFormat;

    @Option(names = "-u", description = "only changes the name: both backing files hold the same")
    private boolean unsafe;

    @Option(names = "-p", description = "shows progress")
    private boolean progress;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(names = "-t", paramLabel = "CACHE", description = "how the image is written")
    private @Nullable String cache;

    @Option(names = "-T", paramLabel = "CACHE", description = "how backing files are read")
    private @Nullable String sourceCache;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads backing files that somebody else writes to")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        if (operands().size() != 1) {
            throw new UsageException("Expecting one image file name");
        }
        if (!unsafe && backing == null) {
            throw new UsageException("Must specify backing file (-b) or use unsafe mode (-u)");
        }
        String name = operands().get(0);
        CacheMode caching = ToolOptions.cache("", cache, CacheMode.WRITEBACK);
        CacheMode sourceCaching = ToolOptions.cache("source", sourceCache, CacheMode.WRITEBACK);
        NodeOpener opener = opener(caching, forceShare);
        ImageLocation location = locate(opener, name, format);
        try (OpenNode image = open(opener, name, location, unsafe ? OpenRequest.ALONE : OpenRequest.READ)) {
            image.disk().size();
            if (backingFormat != null && NewImage.backingFormat(backingFormat).isEmpty()) {
                throw new ToolException("Invalid format name: '" + backingFormat + "'");
            }
        }
        String wanted = backing == null ? "" : backing;
        if (!unsafe && !wanted.isEmpty()) {
            requireBacking(sourceCaching, location, wanted);
        }
        try (ImgProgress shown = ImgProgress.start(console(), progress && !quiet && !unsafe, 1)) {
            rebase(opener, location, wanted);
            shown.done();
        }
        return OK;
    }

    private void requireBacking(CacheMode caching, ImageLocation location, String wanted) throws ToolException {
        String name = CreateCommand.combined(location.fileName(), wanted);
        NodeOpener other = opener(caching, forceShare);
        String failed = "Could not open new backing file '" + name + "': ";
        try (OpenNode image = other.open(
                other.locate(BlockOptions.named(name, Optional.ofNullable(backingFormat))), OpenRequest.READ)) {
            image.disk().size();
        } catch (ToolException e) {
            throw new ToolException(failed + e.getMessage(), FAILED, e);
        } catch (DiskException e) {
            throw new ToolException(failed + Failures.inner(name, e), FAILED, e);
        }
    }

    private void rebase(NodeOpener opener, ImageLocation location, String wanted) throws ToolException {
        String failed = "Could not change the backing file to '" + wanted + "': ";
        if (!wanted.isEmpty() && backingFormat == null) {
            throw new ToolException(failed + "backing format must be specified");
        }
        if (wanted.length() > LONGEST_NAME) {
            throw new ToolException(failed + "Invalid argument");
        }
        if (!location.qcow2()) {
            throw new ToolException(failed + "Operation not supported");
        }
        Optional<Backing> target = wanted.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new Backing(wanted, Optional.ofNullable(backingFormat).flatMap(NewImage::backingFormat)));
        try {
            opener.settings()
                    .driver()
                    .rebase(
                            location.directory(),
                            location.fileName(),
                            target,
                            unsafe ? RebaseMode.UNSAFE : RebaseMode.SAFE,
                            opener.openOptions(location, OpenRequest.WRITE));
        } catch (DiskException e) {
            throw new ToolException(failed + Failures.words(e), FAILED, e);
        }
    }
}
