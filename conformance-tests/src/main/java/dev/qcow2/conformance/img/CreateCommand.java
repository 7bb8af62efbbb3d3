package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.ByteSize;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img create}: makes an image. */
@Command(
        name = "create",
        description = "Makes a new image.",
        footer = {
            "Examples:",
            "  qcow2 img create -f qcow2 disk.qcow2 20G",
            "  qcow2 img create -f qcow2 -o cluster_size=2M,extended_l2=on disk.qcow2 1T",
            "  qcow2 img create -f qcow2 -b base.qcow2 -F qcow2 overlay.qcow2",
            "  qcow2 img create -f qcow2 -o help"
        })
final class CreateCommand extends ImgSubcommand {

    private static final Pattern PROTOCOL = Pattern.compile("([A-Za-z0-9_.+-]+):.*", Pattern.DOTALL);

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the new image: raw (if not given) or qcow2")
    private String format = "raw";

    @Option(names = "-b", paramLabel = "FILE", description = "backing file, which holds what the image leaves open")
    private @Nullable String backing;

    @Option(names = "-F", paramLabel = "FORMAT", description = "format of the backing file")
    private @Nullable String backingFormat;

    @Option(names = "-u", description = "does not look whether the backing file can be opened")
    private boolean unsafe;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(names = "-o", paramLabel = "OPTIONS", description = "name=value,…; -o help lists what there is")
    private List<String> options = new ArrayList<>();

    private @Nullable NodeOpener opener;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        for (String text : options) {
            FormatOptions.requireList(text);
        }
        boolean help = options.stream().anyMatch(FormatOptions::asksForHelp);
        if (operands().isEmpty() && !help) {
            throw new UsageException("Expecting image file name");
        }
        Optional<String> size = operands().size() < 2
                ? Optional.empty()
                : Optional.of(String.valueOf(size(operands().get(1))));
        if (operands().size() > 2) {
            throw new UsageException("Unexpected argument: " + operands().get(2));
        }
        if (help) {
            FormatOptions.help(console(), known(), !operands().isEmpty());
            return OK;
        }
        String name = operands().get(0);
        try {
            return create(name, size);
        } catch (ToolException e) {
            throw new ToolException(name + ": " + e.getMessage(), FAILED, e);
        }
    }

    private static long size(String text) throws ToolException {
        OptionalLong size = ByteSize.parse(text);
        if (size.isEmpty() && !ByteSize.isTooLarge(text)) {
            throw new ToolException("Invalid image size specified. You may use k, M, G, T, P or E suffixes for\n"
                    + ImgConsole.PROGRAM + ": kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
        }
        return size.orElseThrow(
                () -> new ToolException("Invalid image size specified. Must be between 0 and 9223372036854775807."));
    }

    private FormatOptions known() throws ToolException {
        return FormatOptions.of(format).orElseThrow(() -> new ToolException("Unknown file format '" + format + "'"));
    }

    private int create(String name, Optional<String> size) throws ToolException {
        FormatOptions all = known();
        Matcher protocol = PROTOCOL.matcher(name);
        if (protocol.matches() && !protocol.group(1).equals("file")) {
            throw new ToolException("Unknown protocol '" + protocol.group(1) + "'");
        }
        for (String text : options) {
            all.add(text);
        }
        if (size.isPresent()) {
            if (all.given("size").isPresent()) {
                throw new ToolException("The image size must be specified only once");
            }
            all.set("size", size.get());
        }
        addBacking(all);
        Optional<String> detected = requireBacking(name, all);
        if (all.given("backing_file").isPresent() && all.given("backing_fmt").isEmpty()) {
            console().error(name + ": Backing file specified without backing format");
            console()
                    .unfinished(detected.map(found -> "Detected format of " + found + ".")
                            .orElse(""));
            return FAILED;
        }
        if (all.given("size").isEmpty()) {
            throw new ToolException("Image creation needs a size parameter");
        }
        if (!quiet) {
            console().line("Formatting '" + name + "', fmt=" + format + " " + all.line());
        }
        new NewImage(opener().settings(), all).create(name);
        return OK;
    }

    private NodeOpener opener() throws ToolException {
        if (opener == null) {
            opener = opener(CacheMode.WRITEBACK, false);
        }
        return opener;
    }

    private void addBacking(FormatOptions all) throws ToolException {
        boolean raw = format.equals("raw");
        if (backing != null) {
            if (raw) {
                throw new ToolException("Backing file not supported for file format 'raw'");
            }
            all.set("backing_file", backing);
        }
        if (backingFormat != null) {
            if (raw) {
                throw new ToolException("Backing format not supported for file format 'raw'");
            }
            all.set("backing_fmt", backingFormat);
        }
    }

    /** Looks at the backing file, and returns its format if it was opened. */
    private Optional<String> requireBacking(String name, FormatOptions all) throws ToolException {
        Optional<String> file = all.given("backing_file");
        if (file.isEmpty()) {
            return Optional.empty();
        }
        if (file.get().isEmpty()) {
            throw new ToolException("Expected backing file name, got empty string");
        }
        if (file.get().equals(name)) {
            throw new ToolException("Error: Trying to create an image with the same filename as the backing file");
        }
        Optional<String> known = all.given("backing_fmt");
        Optional<String> detected = Optional.empty();
        if (!unsafe) {
            String full = combined(name, file.get());
            try (OpenNode base = openBase(full, known)) {
                detected = Optional.of(base.location().format());
                if (all.given("size").isEmpty()) {
                    all.set("size", String.valueOf(base.disk().size()));
                }
            } catch (ToolException e) {
                throw new ToolException(e.getMessage() + "\nCould not open backing image.", FAILED, e);
            } catch (DiskException e) {
                throw new ToolException(Failures.inner(full, e) + "\nCould not open backing image.", FAILED, e);
            }
        }
        return detected;
    }

    private OpenNode openBase(String file, Optional<String> known) throws ToolException, DiskException {
        NodeOpener bases = opener(CacheMode.WRITEBACK, false);
        ImageLocation location = bases.locate(BlockOptions.named(file, known));
        return bases.open(location, OpenRequest.READ);
    }

    /** A backing file's name counts from where the image is. */
    static String combined(String image, String reference) {
        int slash = image.lastIndexOf('/');
        boolean stands = reference.startsWith("/")
                || PROTOCOL.matcher(firstPart(reference)).matches();
        return stands || slash < 0 ? reference : image.substring(0, slash + 1) + reference;
    }

    private static String firstPart(String reference) {
        int slash = reference.indexOf('/');
        return slash < 0 ? reference : reference.substring(0, slash);
    }
}
