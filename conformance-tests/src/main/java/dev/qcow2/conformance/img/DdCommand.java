package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img dd}: copies blocks of one image into a new one. */
@Command(
        name = "dd",
        description = "Copies blocks of an image into a new image: if=FILE of=FILE [bs=BYTES] [count=N] [skip=N].",
        footer = {
            "Example:",
            "  qcow2 img dd -O qcow2 bs=1M count=100 if=disk.raw of=begin.qcow2",
        })
final class DdCommand extends ImgSubcommand {

    private static final int STEP = 2 << 20;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the source; guessed if not given")
    private @Nullable String format;

    @Option(names = "-O", paramLabel = "FORMAT", description = "format of the target; raw if not given")
    private String targetFormat = "raw";

    @Option(
            names = {"-U", "--force-share"},
            description = "reads also what somebody else is writing")
    private boolean forceShare;

    private String input = "";
    private String target = "";
    private long blockSize = Sectors.BYTES;
    private long count = -1;
    private long skip;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        for (String operand : operands()) {
            read(operand);
        }
        if (input.isEmpty() || target.isEmpty()) {
            throw new ToolException("Must specify both input and output files");
        }
        requireOneWayToName(format);
        NodeOpener reader = opener(CacheMode.WRITEBACK, forceShare);
        try (OpenNode source = open(reader, input, format, OpenRequest.READ)) {
            copy(source);
        }
        return OK;
    }

    private void read(String operand) throws ToolException {
        int equals = operand.indexOf('=');
        if (equals < 0) {
            throw new ToolException("unrecognized operand " + operand);
        }
        String key = operand.substring(0, equals);
        String value = operand.substring(equals + 1);
        switch (key) {
            case "if" -> input = value;
            case "of" -> target = value;
            case "bs" -> blockSize = blockSize(value);
            case "count" -> count = SizeArgument.of("count", value, 0);
            case "skip" -> skip = SizeArgument.of("skip", value, 0);
            default -> throw new ToolException("unrecognized operand " + key);
        }
    }

    private static long blockSize(String value) throws ToolException {
        long size = SizeArgument.of("bs", value, 0);
        if (size < 1 || size > Integer.MAX_VALUE) {
            throw new ToolException("Invalid bs specified. Must be between 1 and " + Integer.MAX_VALUE + ".");
        }
        return size;
    }

    private void copy(OpenNode source) throws ToolException, DiskException {
        FormatOptions options =
                FormatOptions.of(targetFormat).orElseThrow(() -> new ToolException("Unknown file format"));
        long size = source.disk().size();
        // As in QEMU 7.2, the count limits where the copy ends and not how long it is: blocks that are skipped count,
        // too.
        // A product that is too large is as good as the disk's end.
        long end = count < 0 || count > size / blockSize ? size : count * blockSize;
        boolean behind = skip > end / blockSize;
        long from = behind ? end : skip * blockSize;
        long length = end - from;
        options.set("size", String.valueOf(length));
        NodeOpener writer = opener(CacheMode.WRITEBACK, false);
        try {
            new NewImage(writer.settings(), options).create(target);
        } catch (ToolException e) {
            throw new ToolException(target + ": error while creating output image: " + e.getMessage(), FAILED, e);
        }
        try (OpenNode made = open(
                writer,
                target,
                writer.locate(BlockOptions.named(target, Optional.of(targetFormat))),
                OpenRequest.WRITE)) {
            if (behind) {
                console().error(input + ": cannot skip to specified offset");
                return;
            }
            copyBytes(source, made, from, length);
        }
    }

    private void copyBytes(OpenNode source, OpenNode made, long from, long length) throws ToolException, DiskException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(STEP);
        ReadFailure failures = new ReadFailure(console());
        for (long done = 0; done < length; done += bytes.limit()) {
            bytes.clear().limit((int) Math.min(STEP, length - done));
            try {
                source.disk().read(from + done, bytes);
            } catch (DiskException e) {
                throw new ToolException("error while reading from input image file: " + failures.words(e), FAILED, e);
            }
            try {
                made.disk().write(done, bytes.flip());
            } catch (DiskException e) {
                throw new ToolException("error while writing to output image file: " + Failures.words(e), FAILED, e);
            }
        }
    }
}
