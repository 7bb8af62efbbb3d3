package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img commit}: writes what an overlay holds into an image below it. */
@Command(
        name = "commit",
        description = "Writes what an image holds into its backing file, or into one further down.",
        footer = {
            "Examples:",
            "  qcow2 img commit overlay.qcow2",
            "  qcow2 img commit -b base.qcow2 top-of-a-long-chain.qcow2",
            "  qcow2 img commit -d overlay-that-will-be-removed.qcow2"
        })
final class CommitCommand extends ImgSubcommand {

    private static final int CHUNK = 1 << 20;
    private static final int LONGEST_CHAIN = 256;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-t", paramLabel = "CACHE", description = "how the base is written")
    private @Nullable String cache;

    @Option(names = "-b", paramLabel = "BASE", description = "an image of the chain that takes all above it")
    private @Nullable String base;

    @Option(names = "-r", paramLabel = "RATE", description = "taken and ignored: bytes a second")
    private @Nullable String rate;

    @Option(names = "-d", description = "leaves the image as it is, for it will be removed")
    private boolean drop;

    @Option(names = "-p", description = "shows progress")
    private boolean progress;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        if (rate != null && ByteSize.parse(rate).isEmpty()) {
            throw new ToolException("Invalid rate limit specified. You may use k, M, G, T, P or E suffixes for\n"
                    + ImgConsole.PROGRAM + ": kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
        }
        String name = onlyFile();
        NodeOpener opener = opener(ToolOptions.cache("", cache, CacheMode.WRITEBACK), false);
        ImageLocation location = locate(opener, name, format);
        boolean snapshots;
        try (OpenNode image = open(opener, name, location, OpenRequest.READ)) {
            snapshots = !image.disk().snapshots().isEmpty();
        }
        List<ImageLocation> chain = chain(opener, location);
        if (chain.size() < 2 && base == null) {
            throw new ToolException("Image does not have a backing file");
        }
        int depth = base == null ? 1 : depthOf(chain, base, name);
        try (ImgProgress shown = ImgProgress.start(console(), progress && !quiet, 1)) {
            if (base == null && !drop && !snapshots) {
                opener.settings()
                        .driver()
                        .commit(
                                location.directory(),
                                location.fileName(),
                                opener.openOptions(location, OpenRequest.WRITE));
            } else {
                copyDown(opener, chain, depth, shown);
            }
            shown.done();
        }
        if (!quiet) {
            console().line("Image committed.");
        }
        return OK;
    }

    /** The images of a chain, from the top down. */
    private static List<ImageLocation> chain(NodeOpener opener, ImageLocation top) throws ToolException, DiskException {
        List<ImageLocation> chain = new ArrayList<>(List.of(top));
        while (chain.size() < LONGEST_CHAIN) {
            ImageLocation last = chain.get(chain.size() - 1);
            Optional<HeaderFacts> facts = Optional.empty();
            if (last.qcow2()) {
                try (HostFile file = last.directory().open(last.fileName(), Access.READ_ONLY)) {
                    facts = HeaderFacts.of(file);
                }
            }
            Optional<String> reference = facts.flatMap(HeaderFacts::backingName);
            if (reference.isEmpty()) {
                break;
            }
            String name = last.directory().resolve(last.fileName(), reference.get());
            chain.add(opener.locate(BlockOptions.named(name, facts.flatMap(HeaderFacts::backingFormat))));
        }
        return chain;
    }

    private static int depthOf(List<ImageLocation> chain, String wanted, String top)
            throws ToolException, DiskException {
        for (int depth = 1; depth < chain.size(); depth++) {
            ImageLocation above = chain.get(depth - 1);
            String there = chain.get(depth).fileName();
            if (there.equals(wanted)
                    || there.equals(above.directory().resolve(above.fileName(), wanted))
                    || there.equals(CreateCommand.combined(chain.get(0).fileName(), wanted))) {
                return depth;
            }
        }
        throw new ToolException("Did not find '" + wanted + "' in the backing chain of '" + top + "'");
    }

    /** Writes all that is above a depth into the image at that depth; what is above stays as it is. */
    private static void copyDown(NodeOpener opener, List<ImageLocation> chain, int depth, ImgProgress shown)
            throws ToolException, DiskException {
        ImageLocation base = chain.get(depth);
        try (OpenNode source = opener.open(chain.get(0), OpenRequest.READ);
                OpenNode target = opener.open(base, OpenRequest.WRITE)) {
            long size = source.disk().size();
            // Asked before the target changes: the source's chain ends in it, by a handle that knows nothing of
            // changes.
            List<BlockStatus> extents = source.disk().status(0, size);
            if (target.disk().size() < size) {
                target.disk().resize(size, Preallocation.OFF);
            }
            for (BlockStatus extent : extents) {
                if (extent.depth() < depth && extent.allocated()) {
                    copy(source.disk(), target.disk(), extent);
                }
                shown.show(extent.end(), size);
            }
            target.disk().flush();
        } catch (DiskException e) {
            throw new ToolException(Failures.words(e), FAILED, e);
        }
    }

    private static void copy(VirtualDisk source, VirtualDisk target, BlockStatus extent) throws DiskException {
        if (extent.content() == BlockStatus.Content.ZERO) {
            target.writeZeroes(extent.guestOffset(), extent.length(), ZeroMode.MAY_UNMAP);
            return;
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(CHUNK, extent.length()));
        for (long at = extent.guestOffset(); at < extent.end(); at += buffer.limit()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), extent.end() - at));
            source.read(at, buffer);
            target.write(at, buffer.flip());
        }
    }
}
