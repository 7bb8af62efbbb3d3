package dev.qcow2.conformance.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.KeyValues;
import dev.qcow2.conformance.tool.ToolException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The commands that open and close images. */
final class FileCommands {

    /** Options that can change while an image is open; all others need it to be closed and opened. */
    private static final Set<String> CHANGEABLE = Set.of(
            "read-only",
            "auto-read-only",
            "discard",
            "detect-zeroes",
            "cache.direct",
            "cache.no-flush",
            "lazy-refcounts",
            "overlap-check",
            "cache-size",
            "l2-cache-size",
            "l2-cache-entry-size",
            "refcount-cache-size",
            "cache-clean-interval",
            "pass-discard-request",
            "pass-discard-snapshot",
            "pass-discard-other");

    private static final Set<String> SWITCHES = Set.of(
            "read-only",
            "auto-read-only",
            "cache.direct",
            "cache.no-flush",
            "lazy-refcounts",
            "pass-discard-request",
            "pass-discard-snapshot",
            "pass-discard-other");

    private final Session session;
    private final IoOutput output;

    FileCommands(Session session) {
        this.session = session;
        this.output = session.output();
    }

    /** {@code open}. */
    void open(Words words) throws CommandFailure {
        ImageSettings settings = ImageSettings.STANDARD;
        @Nullable String given = null;
        OptionScanner options = words.options(ImageSettings.LETTERS + "o:", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            if (letter == OptionScanner.WRONG) {
                throw CommandFailure.usage(words.verb());
            } else if (letter == 'o') {
                given = options.value();
                warnOfShortForms(given);
            } else {
                settings = settings.with(letter, options.value());
            }
        }
        if (options.operands().size() > 1) {
            throw CommandFailure.usage(words.verb());
        }
        Optional<String> path = options.operands().stream().findFirst();
        if (given == null && path.isEmpty()) {
            requireNoneOpen();
            throw CommandFailure.named("can't open: Must specify either driver or file");
        }
        requireNoneOpen();
        try {
            session.use(session.opening().open(tree(given, path), path, settings));
        } catch (ToolException e) {
            throw ImageOpening.failed(path, String.valueOf(e.getMessage()));
        }
    }

    private void requireNoneOpen() throws CommandFailure {
        if (session.isOpen()) {
            throw CommandFailure.named("file open already, try 'help close'");
        }
    }

    private static ObjectNode tree(@Nullable String given, Optional<String> path) throws ToolException {
        if (path.isEmpty()) {
            return BlockOptions.imageOptions(given == null ? "" : given);
        }
        ObjectNode tree = BlockOptions.named(path.get(), Optional.empty());
        if (given != null) {
            merge(tree, BlockOptions.imageOptions(given));
        }
        return tree;
    }

    /** Adds members to a tree; where both have an object, those of both stay. */
    private static void merge(ObjectNode tree, ObjectNode more) {
        for (Map.Entry<String, JsonNode> member : more.properties()) {
            if (tree.get(member.getKey()) instanceof ObjectNode old && member.getValue() instanceof ObjectNode inner) {
                merge(old, inner);
            } else {
                tree.set(member.getKey(), member.getValue());
            }
        }
    }

    /** A key without a value is taken for a switch, which is out of use. */
    private void warnOfShortForms(String options) {
        for (Map.Entry<String, String> entry : KeyValues.parse(options, "").entrySet()) {
            String key = entry.getKey();
            boolean written = ("," + options).contains("," + key + "=");
            if (!written) {
                output.warning("short-form boolean option '" + key + "' deprecated\nPlease use " + key + "=on instead");
            }
        }
    }

    /** {@code close}. */
    void close() throws CommandFailure {
        session.closeImage();
    }

    /** {@code reopen}. */
    void reopen(Words words) throws CommandFailure {
        ImageSettings settings = session.image().settings();
        @Nullable String given = null;
        boolean access = false;
        boolean cache = false;
        OptionScanner options = words.options("c:o:rw", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            switch (letter) {
                case 'c' -> {
                    settings = settings.withCache(ImageSettings.cache(options.value()));
                    cache = true;
                }
                case 'o' -> {
                    given = options.value();
                    warnOfShortForms(given);
                }
                case 'r', 'w' -> {
                    if (access) {
                        throw CommandFailure.named("Only one -r/-w option may be given");
                    }
                    access = true;
                    settings = settings.withWritable(letter == 'w');
                }
                default -> throw CommandFailure.usage(words.verb());
            }
        }
        if (!options.operands().isEmpty()) {
            throw CommandFailure.usage(words.verb());
        }
        Map<String, String> values = given == null ? Map.of() : KeyValues.parse(given, "");
        if (access && values.containsKey("read-only")) {
            throw CommandFailure.named("Cannot set both -r/-w and 'read-only'");
        }
        if (cache && (values.containsKey("cache.direct") || values.containsKey("cache.no-flush"))) {
            throw CommandFailure.named("Cannot set both -c and the cache options");
        }
        reopen(settings, values);
    }

    private void reopen(ImageSettings asked, Map<String, String> values) throws CommandFailure {
        ImageSettings settings = asked;
        for (Map.Entry<String, String> entry : values.entrySet()) {
            requireChangeable(entry.getKey(), entry.getValue());
            settings = switch (entry.getKey()) {
                case "read-only" -> settings.withWritable(entry.getValue().equals("off"));
                case "discard" -> settings.with('d', entry.getValue());
                case "cache.direct" -> settings.with('t', entry.getValue().equals("on") ? "none" : "writeback");
                case "cache.no-flush" -> settings.with('t', entry.getValue().equals("on") ? "unsafe" : "writeback");
                default -> settings;
            };
        }
        OpenImage old = session.image();
        if (old.overlay().isPresent() || settings.equals(old.settings())) {
            // An overlay lives as long as it is open; how the host is asked changes nothing in it.
            session.background().finish();
            return;
        }
        session.closeImage();
        try {
            session.use(session.opening().open(old.tree(), old.name(), settings));
        } catch (CommandFailure e) {
            session.use(session.opening().open(old.tree(), old.name(), old.settings()));
            throw e;
        }
    }

    private static void requireChangeable(String key, String value) throws CommandFailure {
        if (!CHANGEABLE.contains(key)) {
            throw CommandFailure.named("Cannot change the option '" + key + "'");
        }
        if (SWITCHES.contains(key) && !value.equals("on") && !value.equals("off")) {
            throw CommandFailure.named("Parameter '" + key + "' expects 'on' or 'off'");
        }
    }
}
