package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.CacheMode;
import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.conformance.tool.ImageLocation;
import dev.qcow2.conformance.tool.NodeOpener;
import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.conformance.tool.OpenRequest;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.conformance.tool.ToolOptions;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.host.HostFile;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code qcow2 img check}: finds what is broken in an image, and repairs it if it is asked to. What is found is the auditor's word,
 * which trusts no implementation; what is repaired is the implementation's work.
 */
@Command(
        name = "check",
        description = "Checks an image for broken metadata and lost clusters.",
        footer = {
            "Exit code: 0 nothing was found, 1 the check failed, 2 errors, 3 lost clusters only, 63 the format has no checks.",
            "Examples:",
            "  qcow2 img check disk.qcow2",
            "  qcow2 img check -r leaks disk.qcow2",
            "  qcow2 img check --output=json disk.qcow2"
        })
final class CheckCommand extends ImgSubcommand {

    private static final int ERRORS = 2;
    private static final int LEAKS = 3;
    private static final int NO_CHECKS = 63;
    private static final int MOST_FINDINGS = 10_000;
    private static final Pattern COUNTS =
            Pattern.compile("cluster (\\d+) has count (\\d+) and (\\d+) references", Pattern.DOTALL);

    private static final Pattern COPIED =
            Pattern.compile("COPIED is wrong, the cluster's count is (\\d+): L2 entry 0x([0-9a-f]+)");

    @Option(names = "-f", paramLabel = "FORMAT", description = "format of the image; guessed if not given")
    private @Nullable String format;

    @Option(names = "--output", paramLabel = "FORM", description = "human (if not given) or json")
    private @Nullable String output;

    @Option(names = "-r", paramLabel = "WHAT", description = "repairs: leaks or all")
    private @Nullable String repair;

    @Option(names = "-q", description = "says nothing but what is wrong")
    private boolean quiet;

    @Option(names = "-T", paramLabel = "CACHE", description = "how the image is read")
    private @Nullable String cache;

    @Option(
            names = {"-U", "--force-share"},
            description = "reads an image that somebody else writes to")
    private boolean forceShare;

    @Override
    int work() throws UsageException, ToolException, DiskException {
        Optional<RepairMode> mode = mode();
        String name = onlyFile();
        boolean json = json(output);
        CacheMode caching = ToolOptions.cache("source", cache, CacheMode.WRITEBACK);
        NodeOpener opener = opener(caching, forceShare);
        ImageLocation location = locate(opener, name, format);
        try (OpenNode image = open(opener, name, location, OpenRequest.READ)) {
            if (!image.location().qcow2()) {
                throw new ToolException("This image format does not support checks", NO_CHECKS, null);
            }
        }
        AuditReport found = audit(location);
        Optional<RepairReport> repaired = Optional.empty();
        if (mode.isPresent()) {
            repaired = Optional.of(repair(opener, location, mode.get()));
        }
        list(found, false);
        if (repaired.isPresent()) {
            list(found, true);
        }
        if (repaired.isPresent() && fixed(repaired.get()) > 0) {
            if (!json) {
                sayRepaired(repaired.get());
            }
            found = audit(location);
            list(found, false);
        }
        if (!found.complete()) {
            throw new ToolException("Check failed: " + found.stopReason());
        }
        if (json) {
            console().line(ImgJson.text(members(name, location, found, repaired)));
        } else {
            say(found);
        }
        return found.corruptions() > 0 ? ERRORS : found.leaks() > 0 ? LEAKS : OK;
    }

    private Optional<RepairMode> mode() throws UsageException {
        if (repair == null) {
            return Optional.empty();
        }
        return switch (repair) {
            case "leaks" -> Optional.of(RepairMode.LEAKS);
            case "all" -> Optional.of(RepairMode.ALL);
            default -> throw new UsageException("Unknown option value for -r (expecting 'leaks' or 'all'): " + repair);
        };
    }

    private static AuditReport audit(ImageLocation location) throws DiskException {
        Auditor.Limits standard = Auditor.Limits.standard();
        Auditor auditor =
                new Auditor(new Auditor.Limits(MOST_FINDINGS, standard.metadataBytes(), standard.memoryBytes()));
        try (HostFile file = location.directory().open(location.fileName(), Access.READ_ONLY)) {
            return auditor.audit(file);
        }
    }

    private static RepairReport repair(NodeOpener opener, ImageLocation location, RepairMode mode)
            throws ToolException {
        try {
            return opener.settings()
                    .driver()
                    .repair(
                            location.directory(),
                            location.fileName(),
                            mode,
                            opener.openOptions(location, OpenRequest.WRITE));
        } catch (DiskException e) {
            throw new ToolException("Check failed: " + Failures.words(e), FAILED, e);
        }
    }

    private static long fixed(RepairReport report) {
        return report.corruptionsFixed() + report.leaksFixed();
    }

    private void list(AuditReport report, boolean repairing) {
        for (Finding finding : report.findings()) {
            boolean leak = finding.kind() == Finding.Kind.LEAK;
            if (leak || finding.kind() == Finding.Kind.CORRUPTION) {
                String head = repairing ? "Repairing" : leak ? "Leaked" : "ERROR";
                console().plainError(head + " " + words(finding.message()));
            }
        }
    }

    private static String words(String message) {
        Matcher counts = COUNTS.matcher(message);
        if (counts.matches()) {
            return "cluster " + counts.group(1) + " refcount=" + counts.group(2) + " reference=" + counts.group(3);
        }
        Matcher copied = COPIED.matcher(message);
        return copied.matches()
                ? "OFLAG_COPIED data cluster: l2_entry=" + copied.group(2) + " refcount=" + copied.group(1)
                : message;
    }

    private void print(String text) {
        if (!quiet) {
            console().out().print(text);
            console().out().flush();
        }
    }

    private void sayRepaired(RepairReport report) {
        print("The following inconsistencies were found and repaired:\n\n    " + report.leaksFixed()
                + " leaked clusters\n    " + report.corruptionsFixed()
                + " corruptions\n\nDouble checking the fixed image now...\n");
    }

    private void say(AuditReport report) {
        if (report.corruptions() == 0 && report.leaks() == 0) {
            print("No errors were found on the image.\n");
        }
        if (report.corruptions() > 0) {
            print("\n" + report.corruptions() + " errors were found on the image.\n"
                    + "Data may be corrupted, or further writes to the image may corrupt it.\n");
        }
        if (report.leaks() > 0) {
            print("\n" + report.leaks() + " leaked clusters were found on the image.\n"
                    + "This means waste of disk space, but no harm to data.\n");
        }
        AuditReport.Clusters clusters = report.clusters();
        if (clusters.total() > 0 && clusters.allocated() > 0) {
            print(String.format(
                    Locale.ROOT,
                    "%d/%d = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed clusters%n",
                    clusters.allocated(),
                    clusters.total(),
                    100.0 * clusters.allocated() / clusters.total(),
                    100.0 * clusters.fragmented() / clusters.allocated(),
                    100.0 * clusters.compressed() / clusters.allocated()));
        }
        print("Image end offset: " + clusters.imageEnd() + "\n");
    }

    private static Map<String, Object> members(
            String name, ImageLocation location, AuditReport report, Optional<RepairReport> repaired) {
        AuditReport.Clusters clusters = report.clusters();
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("image-end-offset", clusters.imageEnd());
        putCount(members, "compressed-clusters", clusters.compressed());
        putCount(members, "total-clusters", clusters.total());
        putCount(members, "corruptions", report.corruptions());
        putCount(
                members,
                "corruptions-fixed",
                repaired.map(RepairReport::corruptionsFixed).orElse(0L));
        members.put("check-errors", 0);
        putCount(members, "leaks", report.leaks());
        putCount(members, "leaks-fixed", repaired.map(RepairReport::leaksFixed).orElse(0L));
        putCount(members, "allocated-clusters", clusters.allocated());
        members.put("filename", name);
        members.put("format", location.format());
        putCount(members, "fragmented-clusters", clusters.fragmented());
        return members;
    }

    /** A count of nothing is left out. */
    private static void putCount(Map<String, Object> members, String name, long count) {
        if (count != 0) {
            members.put(name, count);
        }
    }
}
