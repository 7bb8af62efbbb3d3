package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Predicate;

/** The auditor: neither a corruption nor a leak may be there. */
final class AuditJudge implements Judge {

    static final AuditJudge INSTANCE = new AuditJudge();

    private final Auditor auditor = new Auditor();

    private AuditJudge() {}

    @Override
    public List<String> faults(HostFile file) throws DiskException {
        AuditReport report = auditor.audit(file);
        if (report.clean()) {
            return List.of();
        }
        if (isDirty(file)) {
            return faults(report, finding -> !postponed(finding));
        }
        List<String> faults = faults(report, finding -> true);
        return faults.isEmpty() ? List.of(report.toText()) : faults;
    }

    private static List<String> faults(AuditReport report, Predicate<Finding> counts) {
        return report.findings().stream()
                .filter(finding -> finding.kind() != Finding.Kind.WARNING)
                .filter(counts)
                .map(Finding::toString)
                .toList();
    }

    /** QC-MNT-08: under the dirty bit counts, and with them COPIED flags, may wait. */
    private static boolean postponed(Finding finding) {
        String clause = finding.clause().id();
        return clause.startsWith("QC-REF-") || clause.equals("QC-L1-03") || clause.equals("QC-L2-03");
    }

    /** Says whether the image is marked dirty, as it may be while it is open. */
    static boolean isDirty(HostFile file) throws DiskException {
        ByteBuffer header = ByteBuffer.allocate(80);
        file.readZeroPadded(0, header);
        return header.getInt(4) == 3 && (header.getLong(72) & 1) != 0;
    }
}
