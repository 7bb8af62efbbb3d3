package dev.qcow2.conformance.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The ways to name an image, all turned into one tree: a file's name, {@code json:{…}}, and {@code --image-opts}.
 *
 * <p>A node of the tree has the member {@code driver}, the driver's own members, and its children: {@code file} below a format,
 * {@code image} below blkdebug, {@code backing} and {@code data-file} beside them. A format's node without a driver is probed.
 */
public final class BlockOptions {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Pattern PROTOCOL = Pattern.compile("([A-Za-z0-9_.+-]+):(.*)", Pattern.DOTALL);

    private BlockOptions() {}

    /**
     * Reads a name as users type it.
     *
     * @param name a path, {@code file:path}, {@code json:{…}}, {@code null-co://} or {@code blkdebug:CONFIG:NAME}
     * @param format the format that the user gave, if any
     * @return a format's node
     * @throws ToolException if the name is none of these
     */
    public static ObjectNode named(String name, Optional<String> format) throws ToolException {
        if (name.startsWith("json:")) {
            ObjectNode tree = json(name.substring("json:".length()));
            format.ifPresent(given -> tree.put("driver", given));
            return withFileChild(tree);
        }
        ObjectNode tree = MAPPER.createObjectNode();
        format.ifPresent(given -> tree.put("driver", given));
        tree.set("file", protocol(name));
        return tree;
    }

    /** Reads the name of a file below a format. */
    static ObjectNode protocol(String name) throws ToolException {
        ObjectNode node = MAPPER.createObjectNode();
        Matcher matcher = PROTOCOL.matcher(name);
        // A colon behind a slash belongs to a path.
        if (!matcher.matches() || matcher.group(1).contains("/")) {
            return node.put("driver", "file").put("filename", name);
        }
        String rest = matcher.group(2);
        return switch (matcher.group(1)) {
            case "file" -> node.put("driver", "file").put("filename", rest);
            case "null-co", "null-aio" -> node.put("driver", "null-co");
            case "blkdebug" -> blkdebug(node, rest);
            default ->
                throw new ToolException("Could not open '" + name + "': Unknown protocol '" + matcher.group(1) + "'");
        };
    }

    /** {@code blkdebug:CONFIG:NAME}; there are no rules to inject, so a configuration must be empty. */
    private static ObjectNode blkdebug(ObjectNode node, String rest) throws ToolException {
        int colon = rest.indexOf(':');
        if (colon < 0) {
            throw new ToolException("blkdebug requires both config file and image path");
        }
        node.put("driver", "blkdebug").put("config", rest.substring(0, colon));
        node.set("image", protocol(rest.substring(colon + 1)));
        return node;
    }

    /**
     * Reads the text of {@code --image-opts}.
     *
     * @param text {@code driver=qcow2,file.filename=disk.qcow2} and the like
     * @return a format's node
     * @throws ToolException if keys contradict each other
     */
    public static ObjectNode imageOptions(String text) throws ToolException {
        ObjectNode tree = MAPPER.createObjectNode();
        for (Map.Entry<String, String> entry : KeyValues.parse(text, "file").entrySet()) {
            put(tree, entry.getKey(), MAPPER.getNodeFactory().textNode(entry.getValue()));
        }
        Optional<String> reference = text(tree, "file");
        if (reference.isPresent()) {
            throw new ToolException(
                    "Cannot find device='" + reference.get() + "' nor node-name='" + reference.get() + "'");
        }
        return withFileChild(tree);
    }

    /**
     * Reads a JSON object; dotted keys become nested objects.
     *
     * @param text the object
     * @return a copy that can be changed
     * @throws ToolException if the text is no JSON object
     */
    public static ObjectNode json(String text) throws ToolException {
        try {
            JsonNode parsed = MAPPER.readTree(text);
            if (!(parsed instanceof ObjectNode object)) {
                throw new ToolException("Could not parse the JSON options: not an object");
            }
            return nested(object);
        } catch (JsonProcessingException e) {
            throw new ToolException("Could not parse the JSON options: " + e.getOriginalMessage(), 1, e);
        }
    }

    private static ObjectNode nested(ObjectNode object) throws ToolException {
        ObjectNode tree = MAPPER.createObjectNode();
        for (Map.Entry<String, JsonNode> member : object.properties()) {
            JsonNode value = member.getValue() instanceof ObjectNode inner ? nested(inner) : member.getValue();
            put(tree, member.getKey(), value);
        }
        return tree;
    }

    private static void put(ObjectNode tree, String key, JsonNode value) throws ToolException {
        int dot = key.indexOf('.');
        if (dot < 0) {
            if (tree.get(key) instanceof ObjectNode old && value instanceof ObjectNode more) {
                old.setAll(more);
            } else {
                tree.set(key, value);
            }
            return;
        }
        JsonNode child = tree.get(key.substring(0, dot));
        if (child != null && !(child instanceof ObjectNode)) {
            throw new ToolException("Option '" + key + "' can't be given beside '" + key.substring(0, dot) + "'");
        }
        put(
                child instanceof ObjectNode below ? below : tree.putObject(key.substring(0, dot)),
                key.substring(dot + 1),
                value);
    }

    /** A format that is given a file's name instead of a child gets the child. */
    private static ObjectNode withFileChild(ObjectNode tree) throws ToolException {
        Optional<String> driver = text(tree, "driver");
        Optional<String> fileName = text(tree, "filename");
        boolean isProtocol = driver.map(NodeOpener.PROTOCOLS::contains).orElse(false);
        if (!isProtocol && fileName.isPresent() && !tree.has("file")) {
            tree.remove("filename");
            tree.set("file", protocol(fileName.get()));
        }
        if (tree.get("file") instanceof ObjectNode file && !file.has("driver") && file.has("filename")) {
            ObjectNode below = protocol(text(file, "filename").orElse(""));
            file.setAll(below);
        }
        return tree;
    }

    /**
     * Returns a member as text, whatever JSON type it has.
     *
     * @param tree a node
     * @param key a member's name
     * @return its text, if the member is there and no object, list or null
     */
    public static Optional<String> text(ObjectNode tree, String key) {
        JsonNode value = tree.get(key);
        return value == null || !value.isValueNode() || value.isNull() ? Optional.empty() : Optional.of(value.asText());
    }

    /** Returns all members as text, with the dotted keys of those below. */
    static Map<String, String> flat(ObjectNode tree) {
        Map<String, String> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> member : tree.properties()) {
            if (member.getValue() instanceof ObjectNode inner) {
                flat(inner).forEach((key, value) -> values.put(member.getKey() + "." + key, value));
            } else {
                values.put(member.getKey(), member.getValue().asText());
            }
        }
        return values;
    }
}
