package dev.qcow2.spec.disk;

import dev.qcow2.spec.disk.CreateOptions.Backing;
import java.util.Optional;

/**
 * What is to become of an image that exists. What is empty stays as it is.
 *
 * @param version 2 or 3
 * @param refcountOrder 0 to 6
 * @param lazyRefcounts whether counts may be postponed
 * @param backing what the image names as its backing file; only the name changes, as in an unsafe rebase
 * @param keys which passphrases open the image
 */
public record AmendOptions(
        Optional<Integer> version,
        Optional<Integer> refcountOrder,
        Optional<Boolean> lazyRefcounts,
        Optional<NewBacking> backing,
        Optional<KeyChange> keys) {

    /**
     * What an image is to name as its backing file.
     *
     * @param file empty to name none
     */
    public record NewBacking(Optional<Backing> file) {}

    /** Changes nothing. */
    public static final AmendOptions NOTHING = new AmendOptions(Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * Options that leave the backing file and the passphrases as they are.
     *
     * @param version 2 or 3
     * @param refcountOrder 0 to 6
     * @param lazyRefcounts whether counts may be postponed
     */
    public AmendOptions(Optional<Integer> version, Optional<Integer> refcountOrder, Optional<Boolean> lazyRefcounts) {
        this(version, refcountOrder, lazyRefcounts, Optional.empty(), Optional.empty());
    }

    /**
     * Returns these options with a version to change to.
     *
     * @param other 2 or 3
     * @return a copy
     */
    public AmendOptions withVersion(int other) {
        return new AmendOptions(Optional.of(other), refcountOrder, lazyRefcounts, backing, keys);
    }

    /**
     * Returns these options with a width of reference counts to change to.
     *
     * @param other 0 to 6
     * @return a copy
     */
    public AmendOptions withRefcountOrder(int other) {
        return new AmendOptions(version, Optional.of(other), lazyRefcounts, backing, keys);
    }

    /**
     * Returns these options with lazy reference counts turned on or off.
     *
     * @param other whether counts may be postponed
     * @return a copy
     */
    public AmendOptions withLazyRefcounts(boolean other) {
        return new AmendOptions(version, refcountOrder, Optional.of(other), backing, keys);
    }

    /**
     * Returns these options with a backing file to name. It is not opened; the caller knows that the guest's bytes are
     * right over it.
     *
     * @param other the file; empty to name none
     * @return a copy
     */
    public AmendOptions withBacking(Optional<Backing> other) {
        return new AmendOptions(version, refcountOrder, lazyRefcounts, Optional.of(new NewBacking(other)), keys);
    }

    /**
     * Returns these options with a change of what opens the image.
     *
     * @param change one key slot more, or some less
     * @return a copy
     */
    public AmendOptions withKeys(KeyChange change) {
        return new AmendOptions(version, refcountOrder, lazyRefcounts, backing, Optional.of(change));
    }
}
