package dev.qcow2.spec.disk;

/**
 * What a repair found and did, counted as {@code qemu-img check} counts.
 *
 * @param corruptionsFixed broken rules that were mended
 * @param leaksFixed host clusters that nothing needs, and that were given back
 * @param corruptions broken rules that are left
 * @param leaks host clusters that are still leaked
 */
public record RepairReport(long corruptionsFixed, long leaksFixed, long corruptions, long leaks) {

    /**
     * Says whether nothing is left to be mended.
     *
     * @return true if no corruption and no leak is left
     */
    public boolean clean() {
        return corruptions == 0 && leaks == 0;
    }
}
