package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Asks both judges and demands that they say the same. */
final class Agreement {

    private Agreement() {}

    static AuditReport audit(byte[] image) throws DiskException {
        return new Auditor().audit(new MemoryHostFile("image", MemoryFileContent.of(image), Access.READ_ONLY, true));
    }

    /** Returns the report that both agree on, as far as QEMU looks. */
    static AuditReport of(Path directory, byte[] image, String what) throws IOException, InterruptedException {
        Path file = directory.resolve("agreement.qcow2");
        Files.write(file, image);
        QemuTools.Verdict qemu = QemuTools.check(file);
        AuditReport report;
        try {
            report = audit(image);
        } catch (DiskException e) {
            assertThat(qemu.opened() && qemu.checkErrors() == 0)
                    .as("%s%nwe refuse: %s%nQEMU says: %s", what, e.getMessage(), qemu.text())
                    .isFalse();
            return REFUSED;
        }
        String both = what + "\nQEMU says: " + qemu.text() + "\nwe say: " + report.toText();
        if (!qemu.opened()) {
            assertThat(report.corruptions() + report.breaches() + report.warnings())
                    .as(both)
                    .isPositive();
        } else if (qemu.checkErrors() > 0) {
            assertThat(report.corruptions()).as(both).isPositive();
        } else {
            assertThat(report.corruptions()).as(both).isEqualTo(qemu.corruptions());
            assertThat(report.leaks()).as(both).isEqualTo(qemu.leaks());
            assertThat(report.clusters()).as(both).isEqualTo(qemu.clusters());
        }
        return report;
    }

    /** Stands for an image that neither opens. */
    static final AuditReport REFUSED =
            new AuditReport(0, 0, 0, 0, "refused", new AuditReport.Clusters(0, 0, 0, 0, 0), List.of());
}
