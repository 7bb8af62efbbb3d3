package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;

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
        List<String> faults = new ArrayList<>();
        report.findings().stream()
                .filter(finding -> finding.kind() != Finding.Kind.WARNING)
                .map(Finding::toString)
                .forEach(faults::add);
        return faults.isEmpty() ? List.of(report.toText()) : faults;
    }
}
