package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.List;

/** The auditor of spec: an image must have no corruption, no leak and no broken rule. */
final class AuditJudge implements Judge {

    static final AuditJudge INSTANCE = new AuditJudge();

    private final Auditor auditor = new Auditor();

    private AuditJudge() {}

    @Override
    public List<String> faults(HostFile file) throws DiskException {
        AuditReport report = auditor.audit(file);
        return report.clean()
                ? List.of()
                : report.findings().stream()
                        .filter(finding -> finding.kind() != Finding.Kind.WARNING || !report.complete())
                        .map(Finding::toString)
                        .toList();
    }
}
