package dev.qcow2.conformance.language;

import dev.qcow2.spec.disk.FormatFeatures.Preallocation;

/**
 * Changes the length of the disk. All implementations have to refuse it, or none.
 *
 * @param size the new length, bytes
 * @param preallocation what of the new part is allocated at once
 */
public record Resize(long size, Preallocation preallocation) implements Operation {

    @Override
    public Kind kind() {
        return Kind.RESIZE;
    }

    @Override
    public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
        return visitor.resize(this);
    }
}
