package dev.qcow2.conformance.language;

/**
 * Does something for the class of a step; one method for each, so that none is forgotten.
 *
 * @param <R> what comes of it
 * @param <E> what it may throw
 */
public interface OperationVisitor<R, E extends Exception> {

    /** Handles {@link Operation.Read}. */
    R read(Operation.Read step) throws E;

    /** Handles {@link Operation.Write}. */
    R write(Operation.Write step) throws E;

    /** Handles {@link WriteCompressed}. */
    R writeCompressed(WriteCompressed step) throws E;

    /** Handles {@link Operation.WriteZeroes}. */
    R writeZeroes(Operation.WriteZeroes step) throws E;

    /** Handles {@link Operation.Discard}. */
    R discard(Operation.Discard step) throws E;

    /** Handles {@link Operation.Status}. */
    R status(Operation.Status step) throws E;

    /** Handles {@link Operation.Flush}. */
    R flush(Operation.Flush step) throws E;

    /** Handles {@link Operation.Reopen}. */
    R reopen(Operation.Reopen step) throws E;

    /** Handles {@link Operation.Exchange}. */
    R exchange(Operation.Exchange step) throws E;

    /** Handles {@link Operation.SnapshotCreate}. */
    R snapshotCreate(Operation.SnapshotCreate step) throws E;

    /** Handles {@link Operation.SnapshotApply}. */
    R snapshotApply(Operation.SnapshotApply step) throws E;

    /** Handles {@link Operation.SnapshotDelete}. */
    R snapshotDelete(Operation.SnapshotDelete step) throws E;

    /** Handles {@link Resize}. */
    R resize(Resize step) throws E;

    /** Handles all of {@link VmStateStep}. */
    R vmState(VmStateStep step) throws E;

    /** Handles all of {@link BitmapStep}. */
    R bitmap(BitmapStep step) throws E;

    /** Handles all of {@link MaintenanceStep}. */
    R maintenance(MaintenanceStep step) throws E;

    /** Handles {@link Operation.Qemu}. */
    R qemu(Operation.Qemu step) throws E;
}
