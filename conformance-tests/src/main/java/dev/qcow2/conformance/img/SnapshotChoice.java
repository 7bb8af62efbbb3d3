package dev.qcow2.conformance.img;

import dev.qcow2.conformance.image.CopyOnWriteDirectory;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.KeyValues;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.ForwardingDisk;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Shows an internal snapshot in place of the disk's present content. The snapshot is loaded into a copy of the image that is in memory
 * as far as it differs, so the image itself is only read.
 */
final class SnapshotChoice {

    private static final Set<String> KEYS = Set.of("snapshot.id", "snapshot.name");

    private final Optional<String> id;
    private final Optional<String> name;
    private final boolean either;

    private SnapshotChoice(Optional<String> id, Optional<String> name, boolean either) {
        this.id = id;
        this.name = name;
        this.either = either;
    }

    /** Reads {@code snapshot.id=…,snapshot.name=…}, or an id or a name alone. */
    static SnapshotChoice of(ImgConsole console, String text) throws ToolException {
        if (!text.startsWith("snapshot.")) {
            return new SnapshotChoice(Optional.of(text), Optional.of(text), true);
        }
        Map<String, String> values = KeyValues.parse(text, "");
        for (String key : values.keySet()) {
            if (!KEYS.contains(key)) {
                console.error("Invalid parameter '" + key + "'");
                throw new ToolException("Failed in parsing snapshot param '" + text + "'");
            }
        }
        return new SnapshotChoice(
                Optional.ofNullable(values.get("snapshot.id")),
                Optional.ofNullable(values.get("snapshot.name")),
                false);
    }

    /** Opens an image so that it shows the snapshot. */
    OpenNode open(NodeOpener opener, ImageLocation location) throws ToolException, DiskException {
        if (!location.qcow2()) {
            throw notLoaded("Can't find snapshot");
        }
        HostFile original = location.directory().open(location.fileName(), Access.READ_ONLY);
        boolean done = false;
        OpenNode image = null;
        try {
            CopyOnWriteDirectory memory =
                    new CopyOnWriteDirectory(location.directory(), location.fileName(), original, true);
            image = opener.open(
                    new ImageLocation(memory, location.fileName(), location.format(), false, location.options()),
                    OpenRequest.WRITE);
            image.disk().applySnapshot(find(image.disk().snapshots()).id());
            done = true;
            return new OpenNode(image.location(), new Shown(image.disk(), original), image.writable());
        } finally {
            if (!done) {
                close(original, image);
            }
        }
    }

    /** The snapshot's disk, which gives up the image together with the changes that are in memory. */
    private static final class Shown extends ForwardingDisk {
        private final HostFile original;

        Shown(VirtualDisk disk, HostFile original) {
            super(disk);
            this.original = original;
        }

        @Override
        public void close() throws DiskException {
            try (original) {
                super.close();
            }
        }
    }

    private static void close(HostFile original, @Nullable OpenNode image) throws DiskException {
        try (original) {
            if (image != null) {
                image.close();
            }
        }
    }

    private SnapshotInfo find(List<SnapshotInfo> all) throws ToolException {
        Optional<SnapshotInfo> found = either
                ? all.stream()
                        .filter(one -> id.equals(Optional.of(one.id())))
                        .findFirst()
                        .or(() -> named(all))
                : all.stream().filter(this::fits).findFirst();
        return found.orElseThrow(() -> notLoaded("Can't find snapshot"));
    }

    private Optional<SnapshotInfo> named(List<SnapshotInfo> all) {
        return all.stream().filter(one -> name.equals(Optional.of(one.name()))).findFirst();
    }

    private boolean fits(SnapshotInfo one) {
        return (id.isEmpty() || id.get().equals(one.id()))
                && (name.isEmpty() || name.get().equals(one.name()))
                && (id.isPresent() || name.isPresent());
    }

    private static ToolException notLoaded(String why) {
        return new ToolException("Failed to load snapshot: " + why);
    }
}
