package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.LockedImageException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img info}: shows what an image is. */
@Command(
        name = "info",
        description = "Shows what is known of an image: sizes, backing file, snapshots, bitmaps, features.",
        footer = {
            "Examples:",
            "  qcow2 img info disk.qcow2",
            "  qcow2 img info --backing-chain --output=json overlay.qcow2",
            "  qcow2 img info -U disk-of-a-running-machine.qcow2"
        })
final class InfoCommand extends ImgSubcommand {

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "--output", paramLabel = "FORM", description = "human (if not given) or json")
    private @Nullable String output;

    @Option(names = "--backing-chain", description = "shows the backing files, too")
    private boolean chain;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads an image that somebody else writes to")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        String name = onlyFile();
        boolean json = json(output);
        NodeOpener opener = opener(CacheMode.WRITEBACK, forceShare);
        List<ImageReport> reports = new ArrayList<>();
        ImageLocation location = locate(opener, name, format);
        ImageReport report = report(opener, name, location);
        reports.add(report);
        Set<String> seen = new HashSet<>(Set.of(location.fileName()));
        while (chain && report.fullBackingName().isPresent()) {
            String backing = report.fullBackingName().get();
            if (!seen.add(backing)) {
                throw new ToolException("Backing file '" + backing + "' creates an infinite loop.");
            }
            report = report(opener, backing, backingOf(opener, backing, report));
            reports.add(report);
        }
        if (json) {
            Object tree = chain ? reports.stream().map(ImageReport::members).toList() : report.members();
            console().line(ImgJson.text(tree));
        } else {
            String all = reports.stream().map(ImageReport::lines).collect(Collectors.joining("\n"));
            console().out().print(all);
            console().out().flush();
        }
        return OK;
    }

    private ImageLocation backingOf(NodeOpener opener, String name, ImageReport overlay) throws ToolException {
        Optional<String> known = overlay.facts().flatMap(HeaderFacts::backingFormat);
        try {
            return opener.locate(BlockOptions.named(name, known));
        } catch (ToolException e) {
            throw new ToolException("Could not open '" + name + "': " + e.getMessage(), FAILED, e);
        } catch (DiskException e) {
            throw new ToolException(Failures.open(name, e), FAILED, e);
        }
    }

    private ImageReport report(NodeOpener opener, String name, ImageLocation location) throws ToolException {
        try (OpenNode image = opener.open(location, OpenRequest.ALONE)) {
            if (!isTableWhole(location)) {
                throw new ToolException("Could not open '" + name + "': L1 table is too small");
            }
            List<BitmapInfo> bitmaps = location.qcow2() ? image.disk().bitmaps().list() : List.of();
            return ImageReport.of(location, image.disk().size(), bitmaps);
        } catch (DiskException e) {
            boolean data = e instanceof ImageException image && image.clause().equals(DataFileClause.QC_DATA_07);
            if (data || e instanceof LockedImageException) {
                return closed(name, location);
            }
            throw new ToolException(Failures.open(name, e), FAILED, e);
        }
    }

    /** Without its secret or its data file an image still says what it is. */
    private static ImageReport closed(String name, ImageLocation location) throws ToolException {
        try {
            return ImageReport.of(location, ImageReport.claimedSize(location), List.of());
        } catch (DiskException e) {
            throw new ToolException(Failures.open(name, e), FAILED, e);
        }
    }
}
