package dev.qcow2.conformance.language;

/**
 * Writes whole clusters in compressed form. A range that is not made of whole clusters has to be refused, and so has
 * every such write to an image that can't have any (QC-CMP-16).
 *
 * @param offset guest offset
 * @param length bytes
 * @param fill number of the pattern; one from {@link Fill#FIRST_NOISE} on does not get smaller
 */
public record WriteCompressed(long offset, long length, int fill) implements Operation.Change {

    @Override
    public Operation.Kind kind() {
        return Operation.Kind.WRITE_COMPRESSED;
    }

    @Override
    public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
        return visitor.writeCompressed(this);
    }

    @Override
    public WriteCompressed withRange(long newOffset, long newLength) {
        return new WriteCompressed(newOffset, newLength, fill);
    }
}
