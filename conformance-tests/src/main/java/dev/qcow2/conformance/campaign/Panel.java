package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.conformance.trace.TraceStore;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Who judges a sequence, besides the model and the implementations among themselves.
 *
 * @param judge the auditor
 * @param qemu QEMU's tools, if they are there
 * @param scratch directory of the real host for files that QEMU opens
 * @param image what scripts start from that name an image
 * @param coverage where to count
 * @param traces where the traces of the images go, if anywhere
 * @param tracesHost whether the order of writes to the host is judged too
 */
record Panel(
        Judge judge,
        Optional<QemuTools> qemu,
        Path scratch,
        Optional<Ground> image,
        Coverage coverage,
        Optional<TraceStore> traces,
        boolean tracesHost) {

    Panel(Judge judge, Optional<QemuTools> qemu, Path scratch, Optional<Ground> image, Coverage coverage) {
        this(judge, qemu, scratch, image, coverage, Optional.empty(), true);
    }

    Panel withCoverage(Coverage other) {
        return new Panel(judge, qemu, scratch, image, other, traces, tracesHost);
    }

    Panel withTraces(Optional<TraceStore> store, boolean host) {
        return new Panel(judge, qemu, scratch, image, coverage, store, host);
    }
}
