package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.SnapshotRow;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.host.HostFile;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code qcow2 img snapshot}: lists, makes, loads and removes snapshots inside an image. */
@Command(
        name = "snapshot",
        description = "Lists, makes, loads or removes snapshots inside an image.",
        footer = {
            "Examples:",
            "  qcow2 img snapshot -c before-update disk.qcow2",
            "  qcow2 img snapshot -l disk.qcow2",
            "  qcow2 img snapshot -a before-update disk.qcow2"
        })
// picocli fills the fields; those that are taken without effect, and help, are read by nobody.
@SuppressWarnings("UnusedVariable")
final class SnapshotCommand extends ImgSubcommand {

    @Option(names = "-l", description = "lists the snapshots")
    private boolean list;

    @Option(names = "-c", paramLabel = "NAME", description = "makes a snapshot")
    private @Nullable String create;

    @Option(names = "-a", paramLabel = "SNAPSHOT", description = "makes a snapshot's content the disk's")
    private @Nullable String apply;

    @Option(names = "-d", paramLabel = "NAME", description = "removes a snapshot")
    private @Nullable String delete;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads an image that somebody else writes to; for -l only")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        int actions = (list ? 1 : 0) + (create != null ? 1 : 0) + (apply != null ? 1 : 0) + (delete != null ? 1 : 0);
        if (actions > 1) {
            throw new UsageException("Cannot mix '-l', '-a', '-c', '-d'");
        }
        String name = onlyFile();
        boolean changes = actions == 1 && !list;
        if (changes && forceShare) {
            throw new ToolException(
                    "Could not open '" + name + "': force-share=on can only be used with read-only images");
        }
        NodeOpener opener = opener(CacheMode.WRITEBACK, forceShare);
        ImageLocation location = locate(opener, name, null);
        try (OpenNode image = open(opener, name, location, changes ? OpenRequest.WRITE : OpenRequest.READ)) {
            if (list) {
                list(image.location());
            } else if (create != null) {
                create(image, create);
            } else if (apply != null) {
                apply(image, apply);
            } else if (delete != null) {
                delete(image, delete);
            }
        }
        return OK;
    }

    private void list(ImageLocation location) throws DiskException {
        if (!location.qcow2()) {
            return;
        }
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            Optional<HeaderFacts> facts = HeaderFacts.of(file);
            List<SnapshotRow> rows = facts.isPresent() ? SnapshotRow.of(file, facts.get()) : List.of();
            if (!rows.isEmpty()) {
                console().out().print(ImageReport.list(rows));
                console().out().flush();
            }
        }
    }

    private static void create(OpenNode image, String name) throws ToolException {
        String failed = "Could not create snapshot '" + name + "': ";
        if (!image.location().qcow2()) {
            throw new ToolException(failed + "-95 (Operation not supported)");
        }
        try {
            image.disk().createSnapshot(name);
        } catch (RequestRefusedException e) {
            boolean overflow = e.clause().equals(RefcountClause.QC_REF_11);
            throw new ToolException(failed + (overflow ? "-22 (Invalid argument)" : Failures.words(e)), FAILED, e);
        } catch (DiskException e) {
            throw new ToolException(failed + Failures.words(e), FAILED, e);
        }
    }

    private static void apply(OpenNode image, String name) throws ToolException, DiskException {
        String failed = "Could not apply snapshot '" + name + "': ";
        if (!image.location().qcow2()) {
            throw new ToolException(failed + "Block driver does not support snapshots");
        }
        List<SnapshotInfo> all = image.disk().snapshots();
        // An id goes before a name.
        Optional<SnapshotInfo> found = all.stream()
                .filter(snapshot -> snapshot.id().equals(name))
                .findFirst()
                .or(() -> all.stream()
                        .filter(snapshot -> snapshot.name().equals(name))
                        .findFirst());
        if (found.isEmpty()) {
            throw new ToolException(failed + "Failed to load snapshot: No such file or directory");
        }
        try {
            image.disk().applySnapshot(found.get().id());
        } catch (DiskException e) {
            throw new ToolException(failed + Failures.words(e), FAILED, e);
        }
    }

    /** Ids don't count here. */
    private static void delete(OpenNode image, String name) throws ToolException, DiskException {
        String failed = "Could not delete snapshot '" + name + "': ";
        SnapshotInfo found = image.disk().snapshots().stream()
                .filter(snapshot -> snapshot.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ToolException(failed + "snapshot not found"));
        try {
            image.disk().deleteSnapshot(found.id());
        } catch (DiskException e) {
            throw new ToolException(failed + Failures.words(e), FAILED, e);
        }
    }
}
