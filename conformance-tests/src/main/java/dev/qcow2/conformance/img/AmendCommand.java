package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.LuksFacts;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.HeaderLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img amend}: changes what kind of image it is. */
@Command(
        name = "amend",
        description = "Changes the version, the width of reference counts and other options of an image.",
        footer = {
            "Examples:",
            "  qcow2 img amend -o compat=1.1,lazy_refcounts=on disk.qcow2",
            "  qcow2 img amend -o refcount_bits=1 disk.qcow2",
            "  qcow2 img amend --object secret,id=a,file=old --object secret,id=b,file=new \\",
            "    -o encrypt.state=active,encrypt.new-secret=b \\",
            "    --image-opts driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=a",
            "  qcow2 img amend -f qcow2 -o help"
        })
// picocli fills the fields; those that are taken without effect, and help, are read by nobody.
@SuppressWarnings("UnusedVariable")
final class AmendCommand extends ImgSubcommand {

    private static final long UNSIGNED_INT = 0xffff_ffffL;

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "-o", paramLabel = "OPTIONS", description = "name=value,…; -o help lists what there is")
    private List<String> options = new ArrayList<>();

    @Option(names = "-p", description = "shows progress")
    private boolean progress;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(names = "-t", paramLabel = "CACHE", description = "how the image is written")
    private @Nullable String cache;

    @Option(
            names = "--force",
            description = "overwrites key slots in use, and erases the last one: the data is lost then")
    private boolean force;

    private List<SnapshotInfo> snapshots = List.of();

    @Override
    int work() throws UsageException, ToolException, DiskException {
        for (String text : options) {
            FormatOptions.requireList(text);
        }
        if (options.isEmpty()) {
            throw new UsageException("Must specify options (-o)");
        }
        boolean help = options.stream().anyMatch(FormatOptions::asksForHelp);
        if (help && format != null) {
            return help(format);
        }
        if (operands().size() != 1) {
            throw new ToolException("Expecting one image file name");
        }
        CacheMode caching = ToolOptions.cache("", cache, CacheMode.WRITEBACK);
        NodeOpener opener = opener(caching, false);
        String name = operands().get(0);
        ImageLocation location = locate(opener, name, format);
        try (OpenNode image = open(opener, name, location, help ? OpenRequest.READ : OpenRequest.WRITE)) {
            if (help) {
                return help(image.location().format());
            }
            if (!image.location().qcow2()) {
                throw new ToolException(
                        "Format driver '" + image.location().format() + "' does not support option amendment");
            }
            snapshots = image.disk().snapshots();
        }
        try (ImgProgress shown = ImgProgress.start(console(), progress && !quiet, 1)) {
            amend(opener, location);
            shown.done();
        }
        return OK;
    }

    private int help(String name) throws ToolException {
        if (!name.equals("qcow2")) {
            throw new ToolException("Format driver '" + name + "' does not support option amendment");
        }
        console().line("Amend options for '" + name + "':");
        FormatOptions.list(console(), FormatOption.AMENDABLE);
        return OK;
    }

    private void amend(NodeOpener opener, ImageLocation location) throws ToolException {
        Optional<KeyChange> keys = Optional.empty();
        FormatOptions wanted = FormatOptions.amending();
        for (String text : options) {
            wanted.add(text);
        }
        try {
            HeaderFacts facts = facts(location);
            AmendOptions changes = changes(wanted, facts);
            requireSupported(wanted, facts);
            Map<String, Object> luks = luks(location, facts);
            keys = new KeySlotChoice(wanted, opener.settings().secrets(), luks, force).chosen();
            changes = keys.map(changes::withKeys).orElse(changes);
            if (facts.version() > 2 && changes.version().equals(Optional.of(2))) {
                requireDowngradable(facts);
            }
            opener.settings()
                    .driver()
                    .amend(
                            location.directory(),
                            location.fileName(),
                            changes,
                            opener.openOptions(location, OpenRequest.WRITE));
            OptionalLong size = wanted.amount("size");
            if (size.isPresent()) {
                try (OpenNode image = opener.open(location, OpenRequest.WRITE)) {
                    image.disk().resize(size.getAsLong(), Preallocation.OFF);
                }
            }
        } catch (DiskException e) {
            throw new ToolException(words(keys, e), FAILED, e);
        }
    }

    private static String words(Optional<KeyChange> keys, DiskException failure) {
        boolean ofKeys = failure instanceof LockedImageException
                || (failure instanceof RequestRefusedException refusal && refusal.clause() == CryptClause.QC_CRY_21);
        String words = ofKeys && keys.isPresent()
                ? KeySlotChoice.words(keys.get(), failure instanceof LockedImageException)
                : "";
        return words.isEmpty() ? Failures.words(failure) : words;
    }

    private static Map<String, Object> luks(ImageLocation location, HeaderFacts facts) throws DiskException {
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            return LuksFacts.of(file, facts);
        }
    }

    private static HeaderFacts facts(ImageLocation location) throws ToolException, DiskException {
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            return HeaderFacts.of(file).orElseThrow(() -> new ToolException("Image is not in qcow2 format"));
        }
    }

    private static AmendOptions changes(FormatOptions wanted, HeaderFacts facts) throws ToolException {
        AmendOptions changes = AmendOptions.NOTHING;
        Optional<String> compat = wanted.given("compat");
        int version = facts.version();
        if (compat.isPresent()) {
            version = version(compat.get());
            changes = changes.withVersion(version);
        }
        OptionalLong bits = wanted.amount("refcount_bits");
        if (bits.isPresent()) {
            if (Long.bitCount(bits.getAsLong()) != 1 || bits.getAsLong() < 1 || bits.getAsLong() > 64) {
                throw new ToolException("Refcount width must be a power of two and may not exceed 64 bits");
            }
            changes = changes.withRefcountOrder(Long.numberOfTrailingZeros(bits.getAsLong()));
        }
        boolean lazyGiven = wanted.given("lazy_refcounts").isPresent();
        if (lazyGiven) {
            changes = changes.withLazyRefcounts(wanted.on("lazy_refcounts"));
        }
        if (version == 2) {
            requireVersion2(wanted, facts, bits);
            // What version 2 has not is turned off on the way.
            changes = facts.lazyRefcounts() ? changes.withLazyRefcounts(false) : changes;
        }
        return changes;
    }

    private static void requireVersion2(FormatOptions wanted, HeaderFacts facts, OptionalLong bits)
            throws ToolException {
        boolean otherWidth = bits.orElse(facts.refcountBits()) != 16;
        if (otherWidth && facts.version() == 2) {
            throw new ToolException("Refcount widths other than 16 bits require compatibility level 1.1 or above (use"
                    + " compat=1.1 or greater)");
        }
        if (wanted.on("lazy_refcounts")) {
            throw new ToolException("Lazy refcounts only supported with compatibility level 1.1 and above (use"
                    + " compat=1.1 or greater)");
        }
        if (otherWidth) {
            throw new ToolException("compat=0.10 requires refcount_bits=16");
        }
    }

    /** Says what version 2 has no words for, as QEMU says it; the implementations refuse it in any case (QC-MNT-17). */
    private void requireDowngradable(HeaderFacts facts) throws ToolException {
        if (facts.hasDataFile()) {
            throw new ToolException("Cannot downgrade an image with a data file", FAILED);
        }
        for (SnapshotInfo snapshot : snapshots) {
            if (snapshot.diskSize() != facts.size() || snapshot.vmStateSize() > UNSIGNED_INT) {
                throw new ToolException("Internal snapshots prevent downgrade of image", FAILED);
            }
        }
        if (!facts.compression().equals("zlib")) {
            throw new ToolException(
                    "Cannot downgrade an image with " + facts.compression()
                            + " compression type and existing compressed clusters",
                    FAILED);
        }
        long features = facts.value(HeaderLayout.INCOMPATIBLE_FEATURES) & ~HeaderLayout.DIRTY.mask();
        if (features != 0) {
            throw new ToolException(
                    "Cannot downgrade an image with incompatible features 0x" + Long.toHexString(features) + " set",
                    FAILED);
        }
    }

    private static int version(String compat) throws ToolException {
        return switch (compat) {
            case "0.10", "v2" -> 2;
            case "1.1", "v3" -> 3;
            default -> throw new ToolException("Unknown compatibility level " + compat);
        };
    }

    private static void requireSupported(FormatOptions wanted, HeaderFacts facts) throws ToolException {
        for (String name : wanted.names()) {
            String value = wanted.given(name).orElse("");
            switch (name) {
                case "backing_file" -> requireSame(value, facts.backingName());
                case "backing_fmt" -> requireSame(value, facts.backingFormat());
                case "data_file" -> {
                    if (!facts.hasDataFile()) {
                        throw new ToolException("data-file can only be set for images that use an external data file");
                    }
                    if (!value.equals(facts.dataFileName().orElse(""))) {
                        throw new ToolException("Changing 'data_file' is not supported");
                    }
                }
                case "data_file_raw" -> {
                    if (wanted.on(name) && !facts.rawDataFile()) {
                        throw new ToolException("data-file-raw cannot be set on existing images");
                    }
                    if (!wanted.on(name) && facts.rawDataFile()) {
                        throw new ToolException("Changing 'data_file_raw' is not supported");
                    }
                }
                default -> {}
            }
        }
    }

    private static void requireSame(String wanted, Optional<String> there) throws ToolException {
        if (!there.equals(Optional.of(wanted))) {
            throw new ToolException("Cannot amend the backing file\nYou can use 'qcow2 img rebase' instead.");
        }
    }
}
