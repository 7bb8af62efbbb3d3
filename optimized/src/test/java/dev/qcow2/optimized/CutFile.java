package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file of a machine whose power goes after so many changes of all its files. What the disk really has is a second file,
 * into which a flush brings what was changed before; of the rest, only some is there after the cut.
 */
final class CutFile extends ForwardingHostFile {

    private final HostFile durable;
    private final AtomicInteger changesLeft;
    private final List<Change> pending = new ArrayList<>();

    private interface Change {
        void applyTo(HostFile file) throws DiskException;
    }

    CutFile(HostFile target, HostFile durable, AtomicInteger changesLeft) {
        super(target);
        this.durable = durable;
        this.changesLeft = changesLeft;
    }

    private void change(Change change) throws DiskException {
        if (changesLeft.getAndDecrement() <= 0) {
            throw new HostIoException(name(), "the power has gone", new IOException());
        }
        pending.add(change);
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        byte[] bytes = new byte[from.remaining()];
        from.duplicate().get(bytes);
        change(file -> file.write(hostOffset, ByteBuffer.wrap(bytes)));
        super.write(hostOffset, from);
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        change(file -> file.zero(hostOffset, length));
        return super.zero(hostOffset, length);
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        change(file -> file.punchHole(hostOffset, length));
        return super.punchHole(hostOffset, length);
    }

    @Override
    public void truncate(long size) throws DiskException {
        change(file -> file.truncate(size));
        super.truncate(size);
    }

    @Override
    public void flush() throws DiskException {
        change(file -> {});
        for (Change change : pending) {
            change.applyTo(durable);
        }
        pending.clear();
        super.flush();
    }

    /** What was not flushed may be there or not. */
    void cut(SplittableRandom random) throws DiskException {
        int chance = random.nextInt(5);
        for (Change change : pending) {
            if (random.nextInt(4) < chance) {
                change.applyTo(durable);
            }
        }
    }
}
