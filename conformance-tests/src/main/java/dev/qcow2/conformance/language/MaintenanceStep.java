package dev.qcow2.conformance.language;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;

/** What is done to an image while it is closed. All implementations have to refuse it, or none. */
public sealed interface MaintenanceStep extends Operation {

    /** What the kit breaks before it asks for a repair. */
    enum Damage {
        /** Nothing: the repair must find nothing. */
        NONE,
        /** A cluster behind the end of the file is counted, and nobody refers to it (QC-REF-03). */
        LEAK,
        /** The COPIED flag of an L1 entry is turned round (QC-L1-03). */
        COPIED,
        /** The count of an L2 table is lowered to 0 (QC-REF-03). */
        COUNT,
        /** The dirty bit is set, and a cluster is leaked (QC-MNT-08). */
        DIRTY
    }

    @Override
    default <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
        return visitor.maintenance(this);
    }

    /**
     * Repairs the image, which the kit may have broken before. Guest bytes stay as they were.
     *
     * @param mode what may be changed
     * @param damage what is broken before
     */
    record Repair(RepairMode mode, Damage damage) implements MaintenanceStep {
        @Override
        public Kind kind() {
            return Kind.REPAIR;
        }
    }

    /** Writes all that the image holds into its backing file. */
    record Commit() implements MaintenanceStep {
        @Override
        public Kind kind() {
            return Kind.COMMIT;
        }
    }

    /**
     * Gives the image another backing file.
     *
     * @param mode an unsafe rebase is done only to the backing file that the image has
     * @param layer index of the layer, from 1; 0 for none
     */
    record Rebase(RebaseMode mode, int layer) implements MaintenanceStep {
        @Override
        public Kind kind() {
            return Kind.REBASE;
        }
    }

    /**
     * Changes what kind of image it is.
     *
     * @param changes what shall be different
     */
    record Amend(AmendOptions changes) implements MaintenanceStep {
        @Override
        public Kind kind() {
            return Kind.AMEND;
        }
    }
}
