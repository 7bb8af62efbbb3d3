package dev.qcow2.conformance.nbd;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.conformance.tool.ToolSettings;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * An image that is open.
 *
 * @param disk what is in it
 * @param kind its format, and who works on it
 * @param traits what the image and its cache mode are good for
 */
record ServedImage(VirtualDisk disk, String kind, Set<Trait> traits) {

    /** The first version whose tables can say that a cluster is zero. */
    private static final int VERSION_WITH_ZERO_CLUSTERS = 3;

    /** The part of the command line that is about the image. */
    static final class Options {

        @Mixin
        private ToolOptions tool = new ToolOptions();

        @Option(
                names = {"-f", "--format"},
                paramLabel = "FORMAT",
                description = "qcow2 or raw; guessed if not given.")
        private @Nullable String format;

        @Option(
                names = "--cache",
                paramLabel = "MODE",
                description = "none, writeback, writethrough, directsync or unsafe; default writeback.")
        private @Nullable String cache;

        @Option(
                names = {"-n", "--nocache"},
                description = "As --cache=none.")
        private boolean noCache;

        @Option(
                names = {"-U", "--force-share"},
                description = "With -r: also if somebody else writes to the image.")
        private boolean forceShare;

        ServedImage open(String image, boolean readOnly) throws ToolException {
            if (forceShare && !readOnly) {
                throw new ToolException("--force-share can only be used with read-only images (-r)");
            }
            CacheMode usual = noCache ? CacheMode.NONE : CacheMode.WRITEBACK;
            CacheMode mode = ToolOptions.cache("--cache", cache, usual);
            ToolSettings settings = tool.settings(mode, forceShare);
            NodeOpener opener = new NodeOpener(settings);
            try {
                ImageLocation location = opener.locate(
                        tool.imageOptions()
                                ? BlockOptions.imageOptions(image)
                                : BlockOptions.named(image, Optional.ofNullable(format)));
                Set<Trait> traits = EnumSet.noneOf(Trait.class);
                if (mode.flushEachWrite()) {
                    traits.add(Trait.WRITE_THROUGH);
                }
                if (zeroesFast(location)) {
                    traits.add(Trait.FAST_ZEROES);
                }
                VirtualDisk disk = opener.open(location, readOnly ? OpenRequest.READ : OpenRequest.WRITE)
                        .disk();
                String kind = location.format()
                        + (location.qcow2() ? " by " + settings.driver().name() : "");
                return new ServedImage(disk, kind, traits);
            } catch (DiskException e) {
                throw new ToolException(Failures.open(image, e), ServeCommand.FAILED, e);
            }
        }

        /** What the tables say is zero needs no bytes; a raw file's host decides each time, so nothing is promised. */
        private static boolean zeroesFast(ImageLocation location) throws DiskException {
            if (!location.qcow2()) {
                return false;
            }
            try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
                return HeaderFacts.of(file)
                        .filter(facts -> facts.version() >= VERSION_WITH_ZERO_CLUSTERS && !facts.rawDataFile())
                        .isPresent();
            }
        }
    }
}
