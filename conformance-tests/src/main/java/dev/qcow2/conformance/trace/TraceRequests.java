package dev.qcow2.conformance.trace;

import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.VmStateStep;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What an operation of the campaign is called in a trace. */
final class TraceRequests {

    private TraceRequests() {}

    /**
     * Translates an operation.
     *
     * @param operation what is done
     * @param idOf finds the id of a snapshot by its name
     * @return empty if no model speaks of it, and the image has to be described anew afterwards
     */
    static Optional<Request> of(Operation operation, UnaryOperator<String> idOf) {
        return switch (operation.kind()) {
            case WRITE -> ranged(Verb.WRITE, (Write) operation);
            case WRITE_COMPRESSED -> ranged(Verb.WRITE_COMPRESSED, (WriteCompressed) operation);
            case WRITE_ZEROES -> {
                WriteZeroes step = (WriteZeroes) operation;
                yield ranged(step.mode() == ZeroMode.KEEP_ALLOCATION ? Verb.ZERO_KEEP : Verb.ZERO, step);
            }
            case DISCARD -> ranged(Verb.DISCARD, (Discard) operation);
            case SNAPSHOT_CREATE -> named(Verb.SAVE, ((SnapshotCreate) operation).name());
            case SNAPSHOT_APPLY -> named(Verb.RESTORE, idOf.apply(((SnapshotApply) operation).name()));
            case SNAPSHOT_DELETE -> named(Verb.FORGET, idOf.apply(((SnapshotDelete) operation).name()));
            case RESIZE -> Optional.of(new Request(Verb.RESIZE, ((Resize) operation).size(), 0, ""));
            case VM_STATE -> {
                VmStateStep step = (VmStateStep) operation;
                Verb verb = step instanceof VmStateStep.Write ? Verb.WRITE_STATE : Verb.LOOK;
                yield Optional.of(new Request(verb, step.offset(), step.length(), ""));
            }
            case READ, STATUS, FLUSH, REOPEN, BITMAP -> Optional.of(new Request(Verb.LOOK, 0, 0, ""));
            case EXCHANGE, REPAIR, COMMIT, REBASE, AMEND, QEMU -> Optional.empty();
        };
    }

    private static Optional<Request> ranged(Verb verb, Operation.Change change) {
        return Optional.of(new Request(verb, change.offset(), change.length(), ""));
    }

    private static Optional<Request> named(Verb verb, String name) {
        return Optional.of(new Request(verb, 0, 0, name));
    }
}
