package dev.qcow2.conformance.language;

import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;

/**
 * One step of a sequence. Its text form, {@link #text()}, is one line of a script.
 *
 * <p>Offsets and lengths are guest bytes. They may lie outside the disk: then the request has to be
 * refused and must change nothing (QC-GUEST-02).
 */
public sealed interface Operation
        permits Operation.Ranged,
                Operation.Flush,
                Operation.Reopen,
                Operation.Exchange,
                Operation.SnapshotCreate,
                Operation.SnapshotApply,
                Operation.SnapshotDelete,
                Operation.Qemu,
                Resize,
                VmStateStep,
                BitmapStep,
                MaintenanceStep {

    /** The kinds of steps. */
    enum Kind {
        /** {@link Operation.Read}. */
        READ("read"),
        /** {@link Operation.Write}. */
        WRITE("write"),
        /** {@link Operation.WriteZeroes}. */
        WRITE_ZEROES("write-zeroes"),
        /** {@link WriteCompressed}. */
        WRITE_COMPRESSED("write-compressed"),
        /** {@link Operation.Discard}. */
        DISCARD("discard"),
        /** {@link Operation.Status}. */
        STATUS("status"),
        /** {@link Operation.Flush}. */
        FLUSH("flush"),
        /** {@link Operation.Reopen}. */
        REOPEN("reopen"),
        /** {@link Operation.Exchange}. */
        EXCHANGE("exchange"),
        /** {@link Operation.SnapshotCreate}. */
        SNAPSHOT_CREATE("snapshot-create"),
        /** {@link Operation.SnapshotApply}. */
        SNAPSHOT_APPLY("snapshot-apply"),
        /** {@link Operation.SnapshotDelete}. */
        SNAPSHOT_DELETE("snapshot-delete"),
        /** {@link Resize}. */
        RESIZE("resize"),
        /** {@link VmStateStep}. */
        VM_STATE("vm-state"),
        /** {@link BitmapStep}. */
        BITMAP("bitmap"),
        /** {@link MaintenanceStep.Repair}. */
        REPAIR("repair"),
        /** {@link MaintenanceStep.Commit}. */
        COMMIT("commit"),
        /** {@link MaintenanceStep.Rebase}. */
        REBASE("rebase"),
        /** {@link MaintenanceStep.Amend}. */
        AMEND("amend"),
        /** {@link Operation.Qemu}. */
        QEMU("qemu");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        /**
         * Returns the word that begins the line.
         *
         * @return lower case, without a blank
         */
        public String word() {
            return word;
        }
    }

    /** A step that names a range of the disk. */
    sealed interface Ranged extends Operation permits Change, Read, Status {

        /**
         * Returns where the range starts.
         *
         * @return guest offset
         */
        long offset();

        /**
         * Returns how long the range is.
         *
         * @return bytes
         */
        long length();

        /**
         * Returns the same step on another range.
         *
         * @param offset guest offset
         * @param length bytes
         * @return a copy
         */
        Ranged withRange(long offset, long length);
    }

    /** A step that changes the bytes of a range; QEMU can be asked to do it as well. */
    sealed interface Change extends Ranged permits Write, WriteCompressed, WriteZeroes, Discard {
        @Override
        Change withRange(long offset, long length);
    }

    /**
     * Reads a range and compares it.
     *
     * @param offset guest offset
     * @param length bytes
     */
    record Read(long offset, long length) implements Ranged {
        @Override
        public Kind kind() {
            return Kind.READ;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.read(this);
        }

        @Override
        public Read withRange(long newOffset, long newLength) {
            return new Read(newOffset, newLength);
        }
    }

    /**
     * Writes bytes that no other write has: see {@link Fill}.
     *
     * @param offset guest offset
     * @param length bytes
     * @param fill number of the pattern
     */
    record Write(long offset, long length, int fill) implements Change {
        @Override
        public Kind kind() {
            return Kind.WRITE;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.write(this);
        }

        @Override
        public Write withRange(long newOffset, long newLength) {
            return new Write(newOffset, newLength, fill);
        }
    }

    /**
     * Makes a range read as zero.
     *
     * @param offset guest offset
     * @param length bytes
     * @param mode whether host clusters may be freed
     */
    record WriteZeroes(long offset, long length, ZeroMode mode) implements Change {
        @Override
        public Kind kind() {
            return Kind.WRITE_ZEROES;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.writeZeroes(this);
        }

        @Override
        public WriteZeroes withRange(long newOffset, long newLength) {
            return new WriteZeroes(newOffset, newLength, mode);
        }
    }

    /**
     * Discards a range.
     *
     * @param offset guest offset
     * @param length bytes
     */
    record Discard(long offset, long length) implements Change {
        @Override
        public Kind kind() {
            return Kind.DISCARD;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.discard(this);
        }

        @Override
        public Discard withRange(long newOffset, long newLength) {
            return new Discard(newOffset, newLength);
        }
    }

    /**
     * Asks for the block status of a range and judges it.
     *
     * @param offset guest offset
     * @param length bytes
     */
    record Status(long offset, long length) implements Ranged {
        @Override
        public Kind kind() {
            return Kind.STATUS;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.status(this);
        }

        @Override
        public Status withRange(long newOffset, long newLength) {
            return new Status(newOffset, newLength);
        }
    }

    /** Flushes. */
    record Flush() implements Operation {
        @Override
        public Kind kind() {
            return Kind.FLUSH;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.flush(this);
        }
    }

    /** Closes the image and opens it again. */
    record Reopen() implements Operation {
        @Override
        public Kind kind() {
            return Kind.REOPEN;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.reopen(this);
        }
    }

    /** Closes all images; each implementation goes on with the image of the one before it. */
    record Exchange() implements Operation {
        @Override
        public Kind kind() {
            return Kind.EXCHANGE;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.exchange(this);
        }
    }

    /**
     * Takes a snapshot inside the image.
     *
     * @param name its name, without blanks; at most one snapshot of a name exists at a time
     * @param vmStateSize bytes of saved machine state that belong to it
     */
    record SnapshotCreate(String name, long vmStateSize) implements Operation {

        /**
         * A snapshot without machine state.
         *
         * @param name its name
         */
        public SnapshotCreate(String name) {
            this(name, 0);
        }

        @Override
        public Kind kind() {
            return Kind.SNAPSHOT_CREATE;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.snapshotCreate(this);
        }
    }

    /**
     * Goes back to a snapshot; nothing happens if there is none of the name.
     *
     * @param name name of a snapshot
     */
    record SnapshotApply(String name) implements Operation {
        @Override
        public Kind kind() {
            return Kind.SNAPSHOT_APPLY;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.snapshotApply(this);
        }
    }

    /**
     * Removes a snapshot; nothing happens if there is none of the name.
     *
     * @param name name of a snapshot
     */
    record SnapshotDelete(String name) implements Operation {
        @Override
        public Kind kind() {
            return Kind.SNAPSHOT_DELETE;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.snapshotDelete(this);
        }
    }

    /**
     * Closes the image, lets QEMU do a step to it, and opens it again. Where QEMU is missing, or can't do the step,
     * the implementation itself does it.
     *
     * @param step what QEMU does; {@link #canDo} says whether it can
     */
    record Qemu(Operation step) implements Operation {

        /**
         * Says whether QEMU's tools know how to do a step.
         *
         * @param step any step
         * @return true for changes of the guest, snapshots, resize, bitmaps, amend and repair
         */
        public static boolean canDo(Operation step) {
            return switch (step.kind()) {
                case WRITE, WRITE_ZEROES, WRITE_COMPRESSED, DISCARD, RESIZE, BITMAP, REPAIR, AMEND -> true;
                case SNAPSHOT_CREATE, SNAPSHOT_APPLY, SNAPSHOT_DELETE -> true;
                case READ, STATUS, FLUSH, REOPEN, EXCHANGE, VM_STATE, COMMIT, REBASE, QEMU -> false;
            };
        }

        @Override
        public Kind kind() {
            return Kind.QEMU;
        }

        @Override
        public <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
            return visitor.qemu(this);
        }
    }

    /**
     * Returns the kind.
     *
     * @return one constant for each class
     */
    Kind kind();

    /**
     * Calls the visitor's method for this class.
     *
     * @param visitor what to do
     * @param <R> what comes of it
     * @param <E> what it may throw
     * @return what the visitor returned
     * @throws E if the visitor did
     */
    <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E;

    /**
     * Returns the line of a script that says this step.
     *
     * @return text that {@link OperationText#parse} reads back
     */
    default String text() {
        return accept(OperationText.WRITER);
    }
}
