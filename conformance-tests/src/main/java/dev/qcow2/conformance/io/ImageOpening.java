package dev.qcow2.conformance.io;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.tool.BlockOptions;
import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolSettings;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Opens images for the commands, and says what is wrong in qemu-io's words. */
final class ImageOpening {

    private final ToolSettings tool;
    private final IoOutput output;

    ImageOpening(ToolSettings tool, IoOutput output) {
        this.tool = tool;
        this.output = output;
    }

    /** Opens an image; the name is empty where options alone name it. */
    OpenImage open(ObjectNode tree, Optional<String> name, ImageSettings settings) throws CommandFailure {
        try {
            return opened(tree, name, settings);
        } catch (ToolException e) {
            throw failed(name, String.valueOf(e.getMessage()));
        } catch (DiskException e) {
            throw failed(name, RequestErrors.opening(e));
        }
    }

    /** Says that an image can't be opened. */
    static CommandFailure failed(Optional<String> name, String reason) {
        return CommandFailure.named(
                "can't open" + name.map(given -> " device " + given).orElse("") + ": " + reason);
    }

    private OpenImage opened(ObjectNode tree, Optional<String> name, ImageSettings given)
            throws ToolException, DiskException {
        ImageSettings settings = asOptionsSay(tree, given);
        if (settings.forceShare() && settings.writable() && !settings.overlay()) {
            throw new ToolException("force-share=on can only be used with read-only images");
        }
        if (settings.copyOnRead() && !settings.writable()) {
            throw new ToolException("Can't use copy-on-read on read-only device");
        }
        if (settings.nativeAio() && !settings.direct()) {
            throw new ToolException(
                    "aio=native was specified, but it requires cache.direct=on, which was not specified.");
        }
        NodeOpener opener = new NodeOpener(tool.withCache(settings.cache()).withForceShare(settings.forceShare()));
        ImageLocation location = opener.locate(tree);
        boolean writesItself = settings.writable() && !settings.overlay();
        if (location.probed() && !location.qcow2() && writesItself) {
            warnOfProbing(name.orElse(location.fileName()));
        }
        if (!settings.overlay()) {
            OpenNode node = opener.open(location, writesItself ? OpenRequest.WRITE : OpenRequest.READ);
            if (writesItself) {
                // That it was repaired, for instance: nothing is done silently to an image (QC-MNT-09).
                node.disk().notices().forEach(output::warning);
            }
            return new OpenImage(node, settings, name, tree, Optional.empty());
        }
        return withOverlay(opener, location, name, settings);
    }

    /** What stands in the image's own options goes before what the program was told. */
    private static ImageSettings asOptionsSay(ObjectNode tree, ImageSettings given) throws ToolException {
        ImageSettings settings = given;
        if (isOn(tree, "read-only")) {
            if (settings.writable()) {
                // The commands want to write, and the options forbid it.
                throw new ToolException("Block node is read-only");
            }
        }
        if (BlockOptions.text(tree, "discard").isPresent()) {
            settings = settings.withDiscards(isOn(tree, "discard"));
        }
        if (tree.get("cache") instanceof ObjectNode cache) {
            if (isOn(cache, "no-flush")) {
                settings = settings.withCache(CacheMode.UNSAFE);
            } else if (isOn(cache, "direct")) {
                settings =
                        settings.withCache(settings.cache().flushEachWrite() ? CacheMode.DIRECTSYNC : CacheMode.NONE);
            }
        }
        return settings;
    }

    private static boolean isOn(ObjectNode node, String key) {
        String value = BlockOptions.text(node, key).orElse("off");
        return value.equals("on") || value.equals("true") || value.equals("unmap");
    }

    private OpenImage withOverlay(NodeOpener opener, ImageLocation base, Optional<String> name, ImageSettings settings)
            throws ToolException, DiskException {
        long size;
        try (OpenNode node = opener.open(base, OpenRequest.READ)) {
            size = node.disk().size();
        }
        Path overlay = temporary();
        try {
            String file = overlay.toString();
            String backing = base.fileName().startsWith("json:")
                    ? base.fileName()
                    : Path.of(base.fileName()).toAbsolutePath().toString();
            BackingFormat format = base.qcow2() ? BackingFormat.QCOW2 : BackingFormat.RAW;
            opener.settings()
                    .driver()
                    .create(
                            opener.settings().files(),
                            file,
                            CreateOptions.ofSize(size).withBacking(reference(base, backing), Optional.of(format)));
            ObjectNode tree = BlockOptions.named(file, Optional.of("qcow2"));
            OpenRequest request = settings.writable() ? OpenRequest.WRITE : OpenRequest.READ;
            return new OpenImage(
                    opener.open(opener.locate(tree), request), settings, name, base.options(), Optional.of(overlay));
        } catch (ToolException | DiskException | RuntimeException e) {
            OpenImage.delete(overlay);
            throw e;
        }
    }

    /** An image that needs more than its name, such as a secret, is named by all its options. */
    private static String reference(ImageLocation base, String backing) {
        boolean plain = base.options().size() <= 2 && !backing.startsWith("json:");
        return plain ? backing : "json:" + base.options();
    }

    private static Path temporary() throws ToolException {
        try {
            return Files.createTempFile("qcow2-overlay", ".qcow2");
        } catch (IOException e) {
            throw new ToolException("Could not make a temporary overlay: " + e.getMessage(), 1, e);
        }
    }

    private void warnOfProbing(String name) {
        output.message("WARNING: Image format was not specified for '" + name + "' and probing guessed raw.\n"
                + "         Automatically detecting the format is dangerous for raw images, write operations on block 0 will"
                + " be restricted.\n"
                + "         Specify the 'raw' format explicitly to remove the restrictions.");
    }
}
