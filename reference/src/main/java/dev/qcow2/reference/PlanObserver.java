package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;

/** Watches plans as they are performed: to print them, or to cut them short in a test of power cuts. */
@FunctionalInterface
public interface PlanObserver {

    /**
     * Is told before each step.
     *
     * @param plan what is being done
     * @param step index of the step that comes next
     * @throws DiskException to stop here, as if the host had failed
     */
    void before(Plan plan, int step) throws DiskException;
}
