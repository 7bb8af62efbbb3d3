package dev.qcow2.spec.disk;

import java.util.Optional;

/**
 * How an image is opened.
 *
 * @param access whether changes are allowed
 * @param backing whether the image's backing files may be opened (QC-BACK-06)
 * @param dataFile whether an external data file that the image names may be opened
 * @param dirty what is done with an image whose last writer did not finish; asked only if the guest may write
 * @param secrets unlocks encrypted images of the chain
 */
public record OpenOptions(
        Access access, BackingPolicy backing, DataFilePolicy dataFile, DirtyPolicy dirty, Secrets secrets) {

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
        FOLLOW,
        /**
         * The image is taken as if it named none: what it leaves open reads as zero. For tools that look at one image of a chain;
         * never for a guest, so only with {@link Access#READ_ONLY}.
         */
        IGNORE
    }

    /** Whether an external data file that an image names is opened. */
    public enum DataFilePolicy {
        /** An image that needs a data file is refused: its name may come from a stranger, and a writer would write there. */
        REFUSE,
        /** The data file is opened with the image's own access, wherever the {@code HostDirectory} finds it. */
        FOLLOW
    }

    /** What is done with an image that is marked dirty, before the guest may write to it. */
    public enum DirtyPolicy {
        /** It is refused. */
        REFUSE,
        /** Its reference counts are recomputed; {@link VirtualDisk#notices()} says so. */
        REPAIR
    }

    /** Knows what unlocks an image. */
    @FunctionalInterface
    public interface Secrets {
        /** Knows nothing. */
        Secrets NONE = fileName -> Optional.empty();

        /**
         * Returns what unlocks an image.
         *
         * @param fileName the image, as it was opened
         * @return its passphrase, if known
         */
        Optional<Passphrase> of(String fileName);
    }

    /**
     * Checks the combination.
     *
     * @throws IllegalArgumentException if backing files are ignored and the guest may write
     */
    public OpenOptions {
        if (backing == BackingPolicy.IGNORE && access == Access.READ_WRITE) {
            // A write would take the rest of its cluster for zero, and hide the backing file's bytes for good.
            throw new IllegalArgumentException("an image whose backing file is ignored can't be written");
        }
    }

    /**
     * Options that follow no data file, repair nothing and unlock nothing.
     *
     * @param access whether changes are allowed
     * @param backing whether backing files may be opened
     */
    public OpenOptions(Access access, BackingPolicy backing) {
        this(access, backing, DataFilePolicy.REFUSE, DirtyPolicy.REFUSE, Secrets.NONE);
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
        return new OpenOptions(access, BackingPolicy.FOLLOW, dataFile, dirty, secrets);
    }

    /**
     * Returns these options with an external data file allowed.
     *
     * @return a copy that follows a data file
     */
    public OpenOptions followingDataFile() {
        return new OpenOptions(access, backing, DataFilePolicy.FOLLOW, dirty, secrets);
    }

    /**
     * Returns these options with the repair of dirty images allowed.
     *
     * @return a copy that repairs before the guest writes
     */
    public OpenOptions repairingDirty() {
        return new OpenOptions(access, backing, dataFile, DirtyPolicy.REPAIR, secrets);
    }

    /**
     * Returns these options with secrets.
     *
     * @param newSecrets knows what unlocks each image of the chain
     * @return a copy
     */
    public OpenOptions withSecrets(Secrets newSecrets) {
        return new OpenOptions(access, backing, dataFile, dirty, newSecrets);
    }

    /**
     * Returns these options with one passphrase for every image of the chain.
     *
     * @param passphrase unlocks all of them
     * @return a copy
     */
    public OpenOptions withPassphrase(Passphrase passphrase) {
        return withSecrets(fileName -> Optional.of(passphrase));
    }

    /**
     * Returns these options with another access.
     *
     * @param newAccess whether changes are allowed
     * @return a copy
     */
    public OpenOptions withAccess(Access newAccess) {
        return new OpenOptions(newAccess, backing, dataFile, dirty, secrets);
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
