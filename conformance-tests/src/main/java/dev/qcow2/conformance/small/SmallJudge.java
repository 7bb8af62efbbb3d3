package dev.qcow2.conformance.small;

import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.conformance.small.BrokenRule.Bytes;
import dev.qcow2.conformance.small.SmallImage.Snapshot;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Says whether somebody agrees with what an image is by its construction. Each judgement is what is
 * wrong, or empty.
 */
final class SmallJudge {

    private static final String NAME = "small";

    private SmallJudge() {}

    /** The auditor finds the broken rule, and nothing else. */
    static Optional<String> auditor(SmallCase small) throws DiskException {
        AuditReport report = audit(directory(small.file().toBytes()));
        if (small.rule().isEmpty()) {
            return report.clean() ? Optional.empty() : Optional.of("sound, yet: " + report.toText());
        }
        BrokenRule rule = small.rule().get();
        List<Finding> findings = report.findings();
        boolean found = findings.stream()
                .anyMatch(finding -> finding.kind() == rule.kind() && finding.clause() == rule.clause());
        boolean only =
                findings.stream().allMatch(finding -> finding.clause() == rule.clause() || follows(rule, finding));
        return found && only
                ? Optional.empty()
                : Optional.of(
                        "expected " + rule.kind() + " [" + rule.clause().id() + "] only, found " + report.toText());
    }

    private static boolean follows(BrokenRule rule, Finding finding) {
        return rule.leaksToo() && finding.kind() == Finding.Kind.LEAK;
    }

    /** An implementation reads what can be read, uses what is sound, and repairs what is not. */
    static Optional<String> implementation(SmallCase small, MaintenanceDriver driver) {
        try {
            Optional<String> wrong = reads(small, driver);
            if (wrong.isEmpty()) {
                wrong = mends(small, driver);
            }
            if (wrong.isEmpty() && small.rule().isEmpty()) {
                wrong = uses(small, driver);
            }
            return wrong;
        } catch (DiskException e) {
            return Optional.of("refuses: " + e.getMessage());
        }
    }

    /** QEMU counts as many corruptions and leaks as the auditor. */
    static Optional<String> qemu(SmallCase small, QemuTools tools, Path folder) throws IOException {
        AuditReport report = audit(directory(small.file().toBytes()));
        Path file = Files.createTempFile(folder, "small", ".qcow2");
        try {
            Files.write(file, small.file().toBytes());
            QemuTools.Counts counts = tools.count(QemuImage.of(file));
            boolean same = counts.corruptions() == report.corruptions()
                    && counts.leaks() == report.leaks()
                    && counts.checkErrors() == 0;
            return same
                    ? Optional.empty()
                    : Optional.of("QEMU: " + counts + ", auditor: " + report.corruptions() + " corruptions, "
                            + report.leaks() + " leaks");
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static MemoryHostDirectory directory(byte[] bytes) {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        directory.put(NAME, MemoryFileContent.of(bytes));
        return directory;
    }

    private static AuditReport audit(MemoryHostDirectory directory) throws DiskException {
        try (HostFile file = directory.open(NAME, Access.READ_ONLY)) {
            return new Auditor().audit(file);
        }
    }

    private static byte[] read(VirtualDisk disk) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(SmallImage.CLUSTERS * SmallFile.CLUSTER);
        Arrays.fill(bytes.array(), (byte) 0xAA);
        disk.read(0, bytes);
        return bytes.array();
    }

    private static Optional<String> reads(SmallCase small, MaintenanceDriver driver) throws DiskException {
        Bytes bytes = small.rule().map(BrokenRule::bytes).orElse(Bytes.STAY);
        try (VirtualDisk disk = driver.open(directory(small.file().toBytes()), NAME, OpenOptions.readOnly())) {
            byte[] found = read(disk);
            boolean right =
                    Arrays.equals(found, small.file().guest(small.image().active()));
            return right || bytes == Bytes.LOST ? Optional.empty() : Optional.of("reads other bytes");
        } catch (DiskException e) {
            if (bytes != Bytes.STAY) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** What can't be mended may be refused, with the rule's clause. */
    private static Optional<String> mends(SmallCase small, MaintenanceDriver driver) throws DiskException {
        try {
            return repairs(small, driver);
        } catch (MalformedImageException e) {
            if (small.rule()
                    .filter(rule -> !rule.mendable() && rule.clause() == e.clause())
                    .isPresent()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Optional<String> repairs(SmallCase small, MaintenanceDriver driver) throws DiskException {
        byte[] before = small.file().toBytes();
        MemoryHostDirectory directory = directory(before);
        AuditReport found = audit(directory);
        RepairReport report = driver.repair(directory, NAME, RepairMode.ALL, OpenOptions.readWrite());
        AuditReport after = audit(directory);
        if (small.rule().isEmpty()) {
            boolean untouched = Arrays.equals(before, directory.content(NAME).toByteArray())
                    && report.equals(new RepairReport(0, 0, 0, 0));
            return untouched ? Optional.empty() : Optional.of("repairs a sound image: " + report);
        }
        BrokenRule rule = small.rule().get();
        boolean told = report.corruptions() == after.corruptions() && report.leaks() == after.leaks();
        if (!told || (rule.mendable() && after.corruptions() + after.leaks() > 0)) {
            return Optional.of("after its repair (" + report + "): " + after.toText());
        }
        boolean done =
                switch (rule.kind()) {
                    // Flags that follow the count are mended with it.
                    case LEAK -> report.leaksFixed() == found.leaks();
                    case CORRUPTION -> report.corruptionsFixed() > 0 || !rule.mendable();
                    case BREACH, WARNING -> true;
                };
        if (!done) {
            return Optional.of(
                    "says " + report + " of " + found.leaks() + " leaks, " + found.corruptions() + " corruptions");
        }
        return rule.bytes() == Bytes.LOST || !rule.mendable() ? Optional.empty() : shows(small, driver, directory);
    }

    /** The disk and its snapshot show what they did. */
    private static Optional<String> shows(SmallCase small, MaintenanceDriver driver, MemoryHostDirectory directory)
            throws DiskException {
        try (VirtualDisk disk = driver.open(directory, NAME, OpenOptions.readWrite())) {
            if (!Arrays.equals(read(disk), small.file().guest(small.image().active()))) {
                return Optional.of("the guest's bytes are others after the repair");
            }
            if (small.image().snapshot() != Snapshot.NONE) {
                disk.applySnapshot("1");
                if (!Arrays.equals(read(disk), small.file().guest(small.image().savedEntries()))) {
                    return Optional.of("the snapshot's bytes are others after the repair");
                }
            }
        }
        return clean(directory, "using the repaired image");
    }

    /** A sound image is written to, its snapshot restored and deleted; it stays sound. */
    private static Optional<String> uses(SmallCase small, MaintenanceDriver driver) throws DiskException {
        MemoryHostDirectory directory = directory(small.file().toBytes());
        byte[] expected = small.file().guest(small.image().active());
        try (VirtualDisk disk = driver.open(directory, NAME, OpenOptions.readWrite())) {
            for (int at : new int[] {100, SmallFile.CLUSTER + 200}) {
                disk.write(at, ByteBuffer.wrap(new byte[] {9, 9, 9}));
                Arrays.fill(expected, at, at + 3, (byte) 9);
            }
            if (!Arrays.equals(read(disk), expected)) {
                return Optional.of("reads other bytes after a write");
            }
        }
        Optional<String> wrong = clean(directory, "a write");
        if (wrong.isPresent() || small.image().snapshot() == Snapshot.NONE) {
            return wrong;
        }
        try (VirtualDisk disk = driver.open(directory, NAME, OpenOptions.readWrite())) {
            disk.applySnapshot("1");
            if (!Arrays.equals(read(disk), small.file().guest(small.image().savedEntries()))) {
                return Optional.of("the snapshot does not show what was saved");
            }
            disk.deleteSnapshot("1");
        }
        return clean(directory, "restoring and deleting the snapshot");
    }

    private static Optional<String> clean(MemoryHostDirectory directory, String what) throws DiskException {
        AuditReport report = audit(directory);
        return report.clean() ? Optional.empty() : Optional.of("after " + what + ": " + report.toText());
    }
}
