package dev.qcow2.spec.disk;

/**
 * How an image is opened.
 *
 * @param access whether changes are allowed
 * @param backing whether the image's backing files may be opened (QC-BACK-06)
 */
public record OpenOptions(Access access, BackingPolicy backing) {

    /** Whether an image may be changed. */
    public enum Access {
        /** Nothing is written to the file. */
        READ_ONLY,
        /** The guest may write. */
        READ_WRITE
    }

    /** Whether names of other files that stand in an image are followed. */
    public enum BackingPolicy {
        /** An image that names a backing file is refused: the safe choice for images of strangers. */
        REFUSE,
        /** Backing files are opened read-only, wherever the {@code HostDirectory} finds them. */
        FOLLOW
    }

    /**
     * Options to read an image that stands alone.
     *
     * @return read-only, no backing files
     */
    public static OpenOptions readOnly() {
        return new OpenOptions(Access.READ_ONLY, BackingPolicy.REFUSE);
    }

    /**
     * Options to change an image that stands alone.
     *
     * @return read-write, no backing files
     */
    public static OpenOptions readWrite() {
        return new OpenOptions(Access.READ_WRITE, BackingPolicy.REFUSE);
    }

    /**
     * Returns these options with backing files allowed.
     *
     * @return a copy that follows backing files
     */
    public OpenOptions followingBacking() {
        return new OpenOptions(access, BackingPolicy.FOLLOW);
    }

    /**
     * Says whether the guest may write.
     *
     * @return true for read-write
     */
    public boolean writable() {
        return access == Access.READ_WRITE;
    }
}
