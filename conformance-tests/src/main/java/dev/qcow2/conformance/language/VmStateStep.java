package dev.qcow2.conformance.language;

/** A step on the area of saved machine state. Its line begins with {@code vm-state}. */
public sealed interface VmStateStep extends Operation {

    @Override
    default Kind kind() {
        return Kind.VM_STATE;
    }

    @Override
    default <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
        return visitor.vmState(this);
    }

    /**
     * Returns where the range starts.
     *
     * @return bytes from the start of the area
     */
    long offset();

    /**
     * Returns how long the range is.
     *
     * @return bytes
     */
    long length();

    /**
     * Writes bytes that no other write has.
     *
     * @param offset bytes from the start of the area
     * @param length bytes
     * @param fill number of the pattern
     */
    record Write(long offset, long length, int fill) implements VmStateStep {}

    /**
     * Reads a range and compares it.
     *
     * @param offset bytes from the start of the area
     * @param length bytes
     */
    record Read(long offset, long length) implements VmStateStep {}
}
