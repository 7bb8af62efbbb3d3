package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img resize}: changes the length of a disk. */
@Command(
        name = "resize",
        description = "Changes the size of the disk in an image.",
        footer = {
            "Examples:",
            "  qcow2 img resize disk.qcow2 20G",
            "  qcow2 img resize disk.qcow2 +512M",
            "  qcow2 img resize --shrink disk.qcow2 -1G"
        })
final class ResizeCommand extends ImgSubcommand {

    private static final long SECTOR = 512;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(
            names = "--preallocation",
            paramLabel = "MODE",
            description = "what of the new part is allocated: off, metadata, falloc, full")
    private @Nullable String preallocation;

    @Option(names = "--shrink", description = "permits that the disk gets smaller and loses what is behind the new end")
    private boolean shrink;

    private String size = "";

    /** The last argument is the size: {@code -1M} is none of the options. */
    @Override
    List<String> received(List<String> arguments) throws UsageException {
        boolean help = arguments.contains("-h") || arguments.contains("--help");
        // The choice of an implementation is no argument that QEMU's users would count.
        long counted =
                arguments.stream().filter(one -> !one.startsWith("--impl=")).count();
        if (counted < 2 && !help) {
            throw new UsageException("Not enough arguments");
        }
        if (help) {
            return arguments;
        }
        size = arguments.get(arguments.size() - 1);
        return arguments.subList(0, arguments.size() - 1);
    }

    @Override
    int work() throws UsageException, ToolException, DiskException {
        Preallocation mode = mode();
        if (operands().size() != 1) {
            throw new UsageException("Expecting image file name and size");
        }
        boolean relative = size.startsWith("+") || size.startsWith("-");
        OptionalLong amount = ByteSize.parse(relative ? size.substring(1) : size);
        if (amount.isEmpty()) {
            throw new ToolException("""
                    Parameter 'size' expects a non-negative number below 2^64
                    Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
                    and exabytes, respectively.""");
        }
        NodeOpener opener = opener(CacheMode.WRITEBACK, false);
        try (OpenNode image = open(opener, operands().get(0), format, OpenRequest.WRITE)) {
            long old = image.disk().size();
            long wanted = relative ? old + signed(amount.getAsLong()) : amount.getAsLong();
            require(old, wanted, mode);
            if (wanted < old && !shrink) {
                return refuseToShrink();
            }
            resize(image, wanted, mode);
        }
        if (!quiet) {
            console().line("Image resized.");
        }
        return OK;
    }

    private long signed(long amount) {
        return size.startsWith("-") ? -amount : amount;
    }

    private Preallocation mode() throws ToolException {
        if (preallocation == null) {
            return Preallocation.OFF;
        }
        for (Preallocation mode : Preallocation.values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(preallocation)) {
                return mode;
            }
        }
        throw new ToolException("Invalid preallocation mode '" + preallocation + "'");
    }

    private static void require(long old, long wanted, Preallocation mode) throws ToolException {
        if (wanted <= 0) {
            throw new ToolException("New image size must be positive");
        }
        if (wanted <= old && mode != Preallocation.OFF) {
            throw new ToolException("Preallocation can only be used for growing images");
        }
    }

    private int refuseToShrink() {
        console().error("Use the --shrink option to perform a shrink operation.");
        console()
                .warning("Shrinking an image will delete all data beyond the shrunken image's end."
                        + " Before performing such an operation, make sure there is no important data there.");
        return FAILED;
    }

    private static void resize(OpenNode image, long wanted, Preallocation mode) throws ToolException {
        if (image.location().qcow2() && wanted % SECTOR != 0) {
            throw new ToolException("The new size must be a multiple of 512");
        }
        if (!image.location().qcow2() && mode == Preallocation.METADATA) {
            throw new ToolException("Unsupported preallocation mode: metadata");
        }
        try {
            image.disk().resize(wanted, mode);
        } catch (DiskException e) {
            boolean tooLarge = e instanceof RequestRefusedException refused
                    && refused.clause().equals(LimitClause.QC_LIM_02);
            String words = tooLarge ? "Failed to grow the L1 table: File too large" : Failures.words(e);
            throw new ToolException(words, FAILED, e);
        }
    }
}
