package dev.qcow2.conformance.hostile;

import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Opens an image and asks for a bit of everything; each answer is success or a typed refusal. */
public final class HostileRequests {

    private static final int REACH = 1 << 16;

    private final List<String> answers = new ArrayList<>();

    private HostileRequests() {}

    /** Something that a disk may refuse. */
    private interface Request {
        void run() throws DiskException;
    }

    /**
     * Opens the image and sends requests.
     *
     * @param driver the implementation
     * @param image is changed
     * @param access how to open
     * @return one line for each request, with its answer; the first one is that of opening
     */
    public static List<String> send(DiskDriver driver, HostileImage image, OpenOptions.Access access) {
        HostileRequests requests = new HostileRequests();
        OpenOptions options = new OpenOptions(access, OpenOptions.BackingPolicy.FOLLOW);
        requests.ask("open", () -> {
            VirtualDisk disk = driver.open(image.directory(), image.fileName(), options);
            requests.answers.add("open: done");
            requests.all(disk, access == OpenOptions.Access.READ_WRITE);
            requests.ask("close", disk::close);
        });
        return requests.answers;
    }

    private void all(VirtualDisk disk, boolean writable) throws DiskException {
        long size = disk.size();
        // The head, the second cluster's neighbourhood, and the tail of the disk, wherever that claims to be.
        long[] places = {0, 20_000, size / 2, Math.max(0, size - REACH)};
        for (long place : places) {
            int length = (int) Math.max(0, Math.min(REACH, size - place));
            if (place <= size) {
                ask("status", () -> disk.status(place, length));
                ask("read", () -> disk.read(place, ByteBuffer.allocate(length)));
            }
        }
        ask("list snapshots", disk::snapshots);
        if (writable) {
            ask("snapshot", () -> disk.createSnapshot("new"));
            for (long place : places) {
                change(disk, place, Math.max(0, Math.min(REACH, size - place)));
            }
            ask("apply", () -> disk.applySnapshot("1"));
            ask("delete", () -> disk.deleteSnapshot("1"));
            ask("write", () -> disk.write(0, ByteBuffer.allocate((int) Math.min(size, 5000))));
        }
        ask("flush", disk::flush);
    }

    private void change(VirtualDisk disk, long place, long length) {
        long third = length / 3;
        ask("write", () -> disk.write(place, ByteBuffer.allocate((int) third)));
        ask("zero", () -> disk.writeZeroes(place + third, third, ZeroMode.MAY_UNMAP));
        ask("keep", () -> disk.writeZeroes(place + third / 2, third, ZeroMode.KEEP_ALLOCATION));
        ask("discard", () -> disk.discard(place + 2 * third, third));
        ask("write", () -> disk.write(place + third + 10, ByteBuffer.allocate((int) Math.min(700, third))));
    }

    /** Asks, and takes down a typed refusal; anything else goes up and is a failure. */
    private void ask(String name, Request request) {
        int before = answers.size();
        try {
            request.run();
            if (!name.equals("open")) {
                answers.add(name + ": done");
            }
        } catch (DiskException e) {
            if (name.equals("open") && answers.size() > before) {
                throw new AssertionError("refused after it was open", e);
            }
            requireWhole(e);
            answers.add(name + ": " + e.getClass().getSimpleName() + " " + clause(e));
        }
    }

    /** A refusal says which clause, where, what was found, what is allowed, and what to do. */
    private static void requireWhole(DiskException e) {
        boolean whole = !e.advice().isBlank() && e.getMessage() != null;
        if (e instanceof MalformedImageException malformed) {
            whole &= malformed.hostOffset() >= 0
                    && !malformed.found().isBlank()
                    && !malformed.allowed().isBlank();
        }
        if (e instanceof CorruptImageException corrupt) {
            whole &= corrupt.hostOffset() >= 0;
        }
        if (!whole) {
            throw new AssertionError("a refusal that leaves the user alone", e);
        }
    }

    private static String clause(DiskException e) {
        return e instanceof ImageException image ? image.clause().id() : "";
    }
}
