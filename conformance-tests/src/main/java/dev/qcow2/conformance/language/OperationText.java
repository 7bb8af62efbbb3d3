package dev.qcow2.conformance.language;

import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.Exchange;
import dev.qcow2.conformance.language.Operation.Flush;
import dev.qcow2.conformance.language.Operation.Kind;
import dev.qcow2.conformance.language.Operation.Qemu;
import dev.qcow2.conformance.language.Operation.Read;
import dev.qcow2.conformance.language.Operation.Reopen;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Status;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;

/**
 * The text form of operations, one line each:
 *
 * <pre>
 * read OFFSET LENGTH
 * write OFFSET LENGTH FILL|zeros                (zeros are written like any data)
 * write-compressed OFFSET LENGTH FILL          (fills from 1048576 to 2097151 do not get smaller, from there on little)
 * write-zeroes OFFSET LENGTH keep|unmap
 * discard OFFSET LENGTH
 * status OFFSET LENGTH
 * flush
 * reopen
 * exchange
 * snapshot-create NAME [state BYTES]
 * snapshot-apply NAME
 * snapshot-delete NAME
 * resize SIZE off|metadata|falloc|full
 * vm-state read OFFSET LENGTH
 * vm-state write OFFSET LENGTH FILL
 * bitmap add NAME GRANULARITY enabled|disabled
 * bitmap remove|clear|enable|disable|ask NAME
 * bitmap merge NAME FROM
 * repair leaks|all [leak|copied|count|dirty]   (what the kit breaks before)
 * commit
 * rebase safe|unsafe LAYER                     (0 for none)
 * amend version 2|3
 * amend refcount BITS
 * amend lazy-refcounts on|off
 * qemu STEP                                    (QEMU does it: a write of any kind, discard, snapshot-..., resize,
 *                                               bitmap, amend or repair)
 * </pre>
 */
public final class OperationText {

    /** No read or write of a script is longer than this: 64 MiB. */
    public static final long LONGEST_TRANSFER = 1 << 26;

    static final OperationVisitor<String, RuntimeException> WRITER = new Writer();

    private OperationText() {}

    /**
     * Reads an operation.
     *
     * @param words the words of its line
     * @return the operation
     * @throws ScriptException if the line is not an operation
     */
    public static Operation parse(Words words) throws ScriptException {
        String first = words.next("an operation");
        for (Kind kind : Kind.values()) {
            if (kind.word().equals(first)) {
                return parse(kind, words);
            }
        }
        throw words.error("an operation", first);
    }

    private static Operation parse(Kind kind, Words words) throws ScriptException {
        return switch (kind) {
            case READ -> new Read(words.number("an offset"), transfer(words));
            case WRITE -> new Write(words.number("an offset"), transfer(words), fill(words));
            case WRITE_ZEROES -> new WriteZeroes(words.number("an offset"), length(words), mode(words));
            case DISCARD -> new Discard(words.number("an offset"), length(words));
            case STATUS -> new Status(words.number("an offset"), length(words));
            case FLUSH -> new Flush();
            case REOPEN -> new Reopen();
            case EXCHANGE -> new Exchange();
            case WRITE_COMPRESSED -> new WriteCompressed(words.number("an offset"), transfer(words), fill(words));
            case SNAPSHOT_CREATE ->
                new SnapshotCreate(words.next("a name"), words.takes("state") ? transfer(words) : 0);
            case SNAPSHOT_APPLY -> new SnapshotApply(words.next("a name"));
            case SNAPSHOT_DELETE -> new SnapshotDelete(words.next("a name"));
            case RESIZE, VM_STATE, BITMAP, REPAIR, COMMIT, REBASE, AMEND -> ImageStepText.parse(kind, words);
            case QEMU -> new Qemu(forQemu(words));
        };
    }

    static long length(Words words) throws ScriptException {
        long length = words.number("a length");
        if (length < 0) {
            throw words.error("a length of 0 or more", Long.toString(length));
        }
        return length;
    }

    /** A buffer of that size is needed. */
    static long transfer(Words words) throws ScriptException {
        long length = length(words);
        if (length > LONGEST_TRANSFER) {
            throw words.error("at most " + LONGEST_TRANSFER + " bytes", Long.toString(length));
        }
        return length;
    }

    private static Operation forQemu(Words words) throws ScriptException {
        Operation step = parse(words);
        if (!Qemu.canDo(step)) {
            throw words.error("a step that QEMU can do", step.kind().word());
        }
        return step;
    }

    private static int fill(Words words) throws ScriptException {
        return words.takes("zeros") ? Fill.ZEROS : words.integer("a fill");
    }

    private static ZeroMode mode(Words words) throws ScriptException {
        return words.choice("keep", "unmap").equals("keep") ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP;
    }

    private static final class Writer implements OperationVisitor<String, RuntimeException> {

        private static String ranged(Operation.Ranged step) {
            return step.kind().word() + " " + step.offset() + " " + step.length();
        }

        private static String fill(int fill) {
            return fill == Fill.ZEROS ? " zeros" : " " + fill;
        }

        @Override
        public String read(Read step) {
            return ranged(step);
        }

        @Override
        public String write(Write step) {
            return ranged(step) + fill(step.fill());
        }

        @Override
        public String writeCompressed(WriteCompressed step) {
            return ranged(step) + fill(step.fill());
        }

        @Override
        public String writeZeroes(WriteZeroes step) {
            return ranged(step) + (step.mode() == ZeroMode.MAY_UNMAP ? " unmap" : " keep");
        }

        @Override
        public String discard(Discard step) {
            return ranged(step);
        }

        @Override
        public String status(Status step) {
            return ranged(step);
        }

        @Override
        public String flush(Flush step) {
            return step.kind().word();
        }

        @Override
        public String reopen(Reopen step) {
            return step.kind().word();
        }

        @Override
        public String exchange(Exchange step) {
            return step.kind().word();
        }

        @Override
        public String snapshotCreate(SnapshotCreate step) {
            String state = step.vmStateSize() == 0 ? "" : " state " + step.vmStateSize();
            return step.kind().word() + " " + step.name() + state;
        }

        @Override
        public String snapshotApply(SnapshotApply step) {
            return step.kind().word() + " " + step.name();
        }

        @Override
        public String snapshotDelete(SnapshotDelete step) {
            return step.kind().word() + " " + step.name();
        }

        @Override
        public String resize(Resize step) {
            return ImageStepText.write(step);
        }

        @Override
        public String vmState(VmStateStep step) {
            return ImageStepText.write(step);
        }

        @Override
        public String bitmap(BitmapStep step) {
            return ImageStepText.write(step);
        }

        @Override
        public String maintenance(MaintenanceStep step) {
            return ImageStepText.write(step);
        }

        @Override
        public String qemu(Qemu step) {
            return step.kind().word() + " " + step.step().text();
        }
    }
}
