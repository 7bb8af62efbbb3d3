package dev.qcow2.conformance.language;

import dev.qcow2.conformance.language.Operation.Change;
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
 * write OFFSET LENGTH FILL
 * write-zeroes OFFSET LENGTH keep|unmap
 * discard OFFSET LENGTH
 * status OFFSET LENGTH
 * flush
 * reopen
 * exchange
 * snapshot-create NAME
 * snapshot-apply NAME
 * snapshot-delete NAME
 * qemu write|write-zeroes|discard ...
 * </pre>
 */
public final class OperationText {

    /** No read or write of a script is longer than this: 64 MiB. */
    public static final long LONGEST_TRANSFER = 1 << 26;

    static final Operation.Visitor<String, RuntimeException> WRITER = new Writer();

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
            case WRITE -> new Write(words.number("an offset"), transfer(words), words.integer("a fill"));
            case WRITE_ZEROES -> new WriteZeroes(words.number("an offset"), length(words), mode(words));
            case DISCARD -> new Discard(words.number("an offset"), length(words));
            case STATUS -> new Status(words.number("an offset"), length(words));
            case FLUSH -> new Flush();
            case REOPEN -> new Reopen();
            case EXCHANGE -> new Exchange();
            case SNAPSHOT_CREATE -> new SnapshotCreate(words.next("a name"));
            case SNAPSHOT_APPLY -> new SnapshotApply(words.next("a name"));
            case SNAPSHOT_DELETE -> new SnapshotDelete(words.next("a name"));
            case QEMU -> new Qemu(change(words));
        };
    }

    private static long length(Words words) throws ScriptException {
        long length = words.number("a length");
        if (length < 0) {
            throw words.error("a length of 0 or more", Long.toString(length));
        }
        return length;
    }

    /** A buffer of that size is needed. */
    private static long transfer(Words words) throws ScriptException {
        long length = length(words);
        if (length > LONGEST_TRANSFER) {
            throw words.error("at most " + LONGEST_TRANSFER + " bytes", Long.toString(length));
        }
        return length;
    }

    private static Change change(Words words) throws ScriptException {
        if (parse(words) instanceof Change change) {
            return change;
        }
        throw words.error("write, write-zeroes or discard", "another operation");
    }

    private static ZeroMode mode(Words words) throws ScriptException {
        return words.choice("keep", "unmap").equals("keep") ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP;
    }

    private static final class Writer implements Operation.Visitor<String, RuntimeException> {

        private static String ranged(Operation.Ranged step) {
            return step.kind().word() + " " + step.offset() + " " + step.length();
        }

        @Override
        public String read(Read step) {
            return ranged(step);
        }

        @Override
        public String write(Write step) {
            return ranged(step) + " " + step.fill();
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
            return step.kind().word() + " " + step.name();
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
        public String qemu(Qemu step) {
            return step.kind().word() + " " + step.change().text();
        }
    }
}
