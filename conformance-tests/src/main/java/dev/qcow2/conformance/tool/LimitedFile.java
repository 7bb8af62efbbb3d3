package dev.qcow2.conformance.tool;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** The limits of the driver blkdebug: larger requests reach the file below in pieces. Errors are not injected. */
final class LimitedFile extends ForwardingHostFile {

    private final long maxTransfer;
    private final long maxZero;
    private final long maxDiscard;

    LimitedFile(HostFile target, ObjectNode options) throws ToolException {
        super(target);
        long align = limit(options, "align", 1, 1);
        if (Long.bitCount(align) != 1 || align > Integer.MAX_VALUE) {
            throw new ToolException("Cannot meet constraints with align " + align);
        }
        maxTransfer = limit(options, "max-transfer", align, Integer.MAX_VALUE / align * align);
        long optZero = limit(options, "opt-write-zero", align, align);
        maxZero = limit(options, "max-write-zero", Math.max(optZero, align), Long.MAX_VALUE);
        long optDiscard = limit(options, "opt-discard", align, align);
        maxDiscard = limit(options, "max-discard", Math.max(optDiscard, align), Long.MAX_VALUE);
    }

    private static long limit(ObjectNode options, String key, long multipleOf, long otherwise) throws ToolException {
        OptionalLong value = NodeOpener.size(options, key);
        if (value.isEmpty() || value.getAsLong() == 0) {
            return otherwise;
        }
        if (value.getAsLong() % multipleOf != 0 || value.getAsLong() < 0) {
            throw new ToolException("Cannot meet constraints with " + key + " " + value.getAsLong());
        }
        return value.getAsLong();
    }

    @Override
    public int read(long hostOffset, ByteBuffer into) throws DiskException {
        int limit = into.limit();
        int total = 0;
        try {
            while (into.position() < limit) {
                int piece = (int) Math.min(limit - into.position(), maxTransfer);
                into.limit(into.position() + piece);
                int read = target().read(hostOffset + total, into);
                total += read;
                if (read < piece) {
                    break;
                }
            }
            return total;
        } finally {
            into.limit(limit);
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        int limit = from.limit();
        long at = hostOffset;
        while (from.position() < limit) {
            int piece = (int) Math.min(limit - from.position(), maxTransfer);
            from.limit(from.position() + piece);
            target().write(at, from);
            at += piece;
        }
        from.limit(limit);
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        boolean done = true;
        for (long at = 0; done && at < length; at += Math.min(maxZero, length - at)) {
            done = target().zero(hostOffset + at, Math.min(maxZero, length - at));
        }
        return done;
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        boolean done = true;
        for (long at = 0; done && at < length; at += Math.min(maxDiscard, length - at)) {
            done = target().punchHole(hostOffset + at, Math.min(maxDiscard, length - at));
        }
        return done;
    }
}
