package dev.qcow2.conformance.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Opens what a tree of options describes: formats {@code qcow2} and {@code raw} over the protocols {@code file}, {@code null-co}
 * and {@code blkdebug}.
 */
public final class NodeOpener {

    /** Drivers that give a file's bytes. */
    static final Set<String> PROTOCOLS = Set.of("file", "null-co", "null-aio", "blkdebug");

    /** Members that tune or name a node, and change nothing that a guest sees. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "node-name",
            "cache",
            "discard",
            "detect-zeroes",
            "auto-read-only",
            "locking",
            "aio",
            "aio-max-batch",
            "force-share",
            "read-only",
            "lazy-refcounts",
            "pass-discard-request",
            "pass-discard-snapshot",
            "pass-discard-other",
            "discard-no-unref",
            "overlap-check",
            "cache-size",
            "l2-cache-size",
            "l2-cache-entry-size",
            "refcount-cache-size",
            "cache-clean-interval",
            "drop-cache",
            "latency-ns",
            "read-zeroes",
            "x-check-cache-dropped");

    private static final Map<String, Set<String>> MEMBERS = Map.of(
            "qcow2", Set.of("driver", "file", "backing", "data-file", "encrypt"),
            "raw", Set.of("driver", "file", "offset", "size"),
            "file", Set.of("driver", "filename"),
            "null-co", Set.of("driver", "size"),
            "blkdebug",
                    Set.of(
                            "driver",
                            "image",
                            "config",
                            "align",
                            "max-transfer",
                            "opt-write-zero",
                            "max-write-zero",
                            "opt-discard",
                            "max-discard"));

    private final ToolSettings settings;
    private final HostDirectory files;
    private final Map<String, String> keySecrets = new HashMap<>();

    /**
     * Makes an opener.
     *
     * @param settings implementation, secrets and cache mode
     */
    public NodeOpener(ToolSettings settings) {
        this.settings = settings;
        this.files = settings.files();
    }

    /**
     * Returns the settings.
     *
     * @return implementation, secrets and cache mode
     */
    public ToolSettings settings() {
        return settings;
    }

    /**
     * Finds an image by its name and opens it.
     *
     * @param name as {@link BlockOptions#named} reads it
     * @param format the format that the user gave, if any
     * @param request how it is opened
     * @return the open image
     * @throws ToolException if the name or the options are wrong
     * @throws DiskException if the implementation or the host refuses
     */
    public OpenNode open(String name, Optional<String> format, OpenRequest request)
            throws ToolException, DiskException {
        return open(locate(BlockOptions.named(name, format)), request);
    }

    /**
     * Finds out where an image is and what format it has; it is not opened yet.
     *
     * @param tree a format's or protocol's node
     * @return the place
     * @throws ToolException if an option is wrong or not supported
     * @throws DiskException if the host refuses
     */
    public ImageLocation locate(ObjectNode tree) throws ToolException, DiskException {
        NodeDirectory directory =
                new NodeDirectory(files, settings.withForceShare(true).files(), this);
        return locate(directory, tree, "");
    }

    private ImageLocation locate(NodeDirectory directory, ObjectNode tree, String base)
            throws ToolException, DiskException {
        Optional<String> driver = BlockOptions.text(tree, "driver");
        if (driver.isPresent() && PROTOCOLS.contains(driver.get())) {
            return new ImageLocation(directory, place(directory, tree, base), driver.get(), false, tree);
        }
        if (!(tree.get("file") instanceof ObjectNode file)) {
            throw new ToolException("A block device must be specified for \"file\"");
        }
        ObjectNode below = driver.orElse("").equals("raw") ? tree : file;
        String name = place(directory, below, base);
        String format = driver.isPresent() ? driver.get() : probe(directory, name);
        if (!format.equals("qcow2") && !format.equals("raw")) {
            throw new ToolException("Unknown driver '" + format + "'");
        }
        requireKnown(format, tree);
        if (format.equals("qcow2")) {
            prepare(directory, tree, name);
        }
        return new ImageLocation(directory, name, format, driver.isEmpty(), tree);
    }

    private static String probe(NodeDirectory directory, String name) throws DiskException {
        try (HostFile file = directory.peek(name)) {
            return HeaderFacts.of(file).isPresent() ? "qcow2" : "raw";
        }
    }

    /** Gives the file below a format a name: its own if it is a file of the host's, another one otherwise. */
    private String place(NodeDirectory directory, ObjectNode node, String base) throws ToolException, DiskException {
        String driver = BlockOptions.text(node, "driver").orElse("file");
        if (driver.equals("file")) {
            requireKnown("file", node);
            String name = BlockOptions.text(node, "filename")
                    .orElseThrow(() -> new ToolException("A block device must be specified for \"filename\""));
            return base.isEmpty() ? name : files.resolve(base, name);
        }
        boolean plainRaw = driver.equals("raw") && !node.has("offset") && !node.has("size");
        if (plainRaw && node.get("file") instanceof ObjectNode below) {
            requireKnown("raw", node);
            return place(directory, below, base);
        }
        String name = "json:" + node;
        directory.register(name, innermost(node), access -> protocol(node, base, access));
        return name;
    }

    /** The name of the file at the bottom of a tree; empty if it has none. */
    static String innermost(ObjectNode node) {
        for (String child : new String[] {"file", "image"}) {
            if (node.get(child) instanceof ObjectNode below) {
                return innermost(below);
            }
        }
        return BlockOptions.text(node, "filename").orElse("");
    }

    /** Opens a file below a format; whatever is wrong with the options was said when the node was placed, or is said as the host's. */
    private HostFile protocol(ObjectNode node, String base, Access access) throws DiskException {
        try {
            return openProtocol(node, base, access);
        } catch (ToolException e) {
            throw new HostIoException(node.toString(), String.valueOf(e.getMessage()), null);
        }
    }

    private HostFile openProtocol(ObjectNode node, String base, Access access) throws ToolException, DiskException {
        String driver = BlockOptions.text(node, "driver").orElse("file");
        requireKnown(driver, node);
        return switch (driver) {
            case "file" -> {
                String name = BlockOptions.text(node, "filename").orElse("");
                yield files.open(base.isEmpty() ? name : files.resolve(base, name), access);
            }
            case "null-co", "null-aio" -> new NullFile(size(node, "size").orElse(NullFile.DEFAULT_SIZE));
            case "blkdebug" -> new LimitedFile(child(node, "image", base, access), node);
            case "raw" ->
                new WindowFile(
                        child(node, "file", base, access), size(node, "offset").orElse(0), size(node, "size"));
            default -> throw new ToolException("Unknown driver '" + driver + "'");
        };
    }

    private HostFile child(ObjectNode node, String key, String base, Access access)
            throws ToolException, DiskException {
        if (node.get(key) instanceof ObjectNode below) {
            return openProtocol(below, base, access);
        }
        throw new ToolException("A block device must be specified for \"" + key + "\"");
    }

    /** Registers what the user says of an image's secret, its backing file and its data file. */
    private void prepare(NodeDirectory directory, ObjectNode tree, String name) throws ToolException, DiskException {
        if (tree.get("encrypt") instanceof ObjectNode encryption) {
            BlockOptions.text(encryption, "key-secret").ifPresent(id -> keySecrets.put(name, id));
        }
        if (!(tree.get("backing") instanceof ObjectNode) && !(tree.get("data-file") instanceof ObjectNode)) {
            return;
        }
        Optional<HeaderFacts> facts;
        try (HostFile file = directory.peek(name)) {
            facts = HeaderFacts.of(file);
        }
        standIn(directory, tree, "backing", name, facts.flatMap(HeaderFacts::backingName));
        standIn(directory, tree, "data-file", name, facts.flatMap(HeaderFacts::dataFileName));
    }

    private void standIn(NodeDirectory directory, ObjectNode tree, String key, String name, Optional<String> reference)
            throws ToolException, DiskException {
        if (tree.get(key) instanceof ObjectNode other) {
            if (reference.isEmpty()) {
                throw new ToolException("'" + key + "' is not supported for an image that names none");
            }
            boolean format = other.has("file")
                    || !PROTOCOLS.contains(BlockOptions.text(other, "driver").orElse("file"));
            String target = format ? locate(directory, other, "").fileName() : place(directory, other, "");
            directory.standIn(name, reference.get(), target);
        }
    }

    /** Registers a {@code json:} reference that stands in an image. */
    String registerReference(NodeDirectory directory, String imageName, String reference) throws DiskException {
        try {
            ObjectNode tree = BlockOptions.named(reference, Optional.empty());
            return locate(directory, tree, imageName.startsWith("json:") ? "" : imageName)
                    .fileName();
        } catch (ToolException e) {
            throw new HostIoException(reference, String.valueOf(e.getMessage()), null);
        }
    }

    /**
     * Opens an image.
     *
     * @param location where it is
     * @param request how it is opened
     * @return the open image
     * @throws ToolException if a secret is not there
     * @throws DiskException if the implementation or the host refuses
     */
    public OpenNode open(ImageLocation location, OpenRequest request) throws ToolException, DiskException {
        if (location.qcow2()) {
            VirtualDisk disk =
                    settings.driver().open(location.directory(), location.fileName(), openOptions(location, request));
            return new OpenNode(location, disk, request.writable());
        }
        Access access = request.writable() ? Access.READ_WRITE : Access.READ_ONLY;
        HostFile file = location.directory().open(location.fileName(), access);
        return new OpenNode(location, new RawDisk(file, request.writable()), request.writable());
    }

    /**
     * Returns the options with which an implementation opens an image: for what {@link dev.qcow2.spec.disk.MaintenanceDriver} does
     * to images that are not open.
     *
     * @param location where it is
     * @param request how it is opened
     * @return options that follow the names in the image and know its secrets
     * @throws ToolException if a secret is not there
     */
    public OpenOptions openOptions(ImageLocation location, OpenRequest request) throws ToolException {
        for (String id : keySecrets.values()) {
            settings.secrets().require(id);
        }
        return request.options(
                fileName -> Optional.ofNullable(keySecrets.get(fileName)).flatMap(settings.secrets()::find));
    }

    private static void requireKnown(String driver, ObjectNode node) throws ToolException {
        Set<String> known = MEMBERS.get(driver.equals("null-aio") ? "null-co" : driver);
        if (known == null) {
            throw new ToolException("Unknown driver '" + driver + "'");
        }
        for (Map.Entry<String, JsonNode> member : node.properties()) {
            String key = member.getKey();
            if (!known.contains(key) && !WITHOUT_EFFECT.contains(key)) {
                String kind = PROTOCOLS.contains(driver) ? "protocol" : "format";
                throw new ToolException(
                        "Block " + kind + " '" + driver + "' does not support the option '" + key + "'");
            }
        }
    }

    /** Returns a member that is a size. */
    static OptionalLong size(ObjectNode node, String key) throws ToolException {
        Optional<String> text = BlockOptions.text(node, key);
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        OptionalLong size = ByteSize.parse(text.get());
        if (size.isEmpty()) {
            throw new ToolException("Parameter '" + key + "' expects a size");
        }
        return size;
    }
}
