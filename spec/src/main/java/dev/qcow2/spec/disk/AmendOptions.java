package dev.qcow2.spec.disk;

import java.util.Optional;

/**
 * What is to become of an image that exists. What is empty stays as it is.
 *
 * @param version 2 or 3
 * @param refcountOrder 0 to 6
 * @param lazyRefcounts whether counts may be postponed
 */
public record AmendOptions(
        Optional<Integer> version, Optional<Integer> refcountOrder, Optional<Boolean> lazyRefcounts) {

    /** Changes nothing. */
    public static final AmendOptions NOTHING = new AmendOptions(Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * Returns these options with a version to change to.
     *
     * @param other 2 or 3
     * @return a copy
     */
    public AmendOptions withVersion(int other) {
        return new AmendOptions(Optional.of(other), refcountOrder, lazyRefcounts);
    }

    /**
     * Returns these options with a width of reference counts to change to.
     *
     * @param other 0 to 6
     * @return a copy
     */
    public AmendOptions withRefcountOrder(int other) {
        return new AmendOptions(version, Optional.of(other), lazyRefcounts);
    }

    /**
     * Returns these options with lazy reference counts turned on or off.
     *
     * @param other whether counts may be postponed
     * @return a copy
     */
    public AmendOptions withLazyRefcounts(boolean other) {
        return new AmendOptions(version, refcountOrder, Optional.of(other));
    }
}
