package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FileInUseException;
import dev.qcow2.spec.disk.HostIoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The locks that one user of images holds, in the manner of QEMU, so that each refuses what the other has open.
 *
 * <p>What a user may do with a file is a set of permissions, each with a number. Byte 100 + n of the file is locked
 * by who uses permission n, byte 200 + n by who does not want anybody else to use it. All locks are shared ones: a
 * user takes those of its own needs, then looks whether somebody else holds a byte that stands against them. As
 * observed, QEMU takes for a qcow2 image
 *
 * <table>
 * <caption>Bytes that QEMU 7.2 locks</caption>
 * <tr><th>opened</th><th>uses</th><th>lets nobody else use</th></tr>
 * <tr><td>to read</td><td>100</td><td>201, 203</td></tr>
 * <tr><td>to read and write</td><td>100, 101, 103</td><td>201, 203</td></tr>
 * <tr><td>to read, with {@code -U}</td><td>100</td><td>none</td></tr>
 * </table>
 *
 * <p>A raw image is denied to nobody by QEMU; here it is locked as any other, for a file does not tell what is in it.
 *
 * <p>All handles of one user stand on the same side: a file that is open twice has the sum of their locks. That is
 * so because an implementation opens a backing file to read it and, while it commits, once more to write to it.
 */
final class ImageLocks {

    /** What a handle needs. */
    enum Use {
        /** Reads, and relies on nobody changing the file. */
        READ(0b0001, 0b1010),
        /** Reads and writes. */
        WRITE(0b1011, 0b1010),
        /** Reads, whatever others do to the file. */
        READ_SHARED(0b0001, 0b0000);

        private final int used;
        private final int denied;

        Use(int used, int denied) {
            this.used = used;
            this.denied = denied;
        }
    }

    private static final int USED_BASE = 100;
    private static final int DENIED_BASE = 200;
    private static final String[] PERMISSIONS = {"consistent read", "write", "write unchanged", "resize"};

    private final Map<Object, Held> files = new HashMap<>();

    /** One handle's share in the locks of its file; closing it twice is harmless. */
    final class Share implements AutoCloseable {
        private final Held held;
        private final Use use;
        private boolean closed;

        private Share(Held held, Use use) {
            this.held = held;
            this.use = use;
        }

        @Override
        public void close() throws DiskException {
            synchronized (ImageLocks.this) {
                if (!closed) {
                    closed = true;
                    drop(held, use);
                }
            }
        }
    }

    /** What is held on one file, for all its handles together. */
    private static final class Held {
        private final Object key;
        private final LockBytes bytes;
        private final Map<Use, Integer> handles = new EnumMap<>(Use.class);
        private int used;
        private int denied;

        Held(Object key, LockBytes bytes) {
            this.key = key;
            this.bytes = bytes;
        }
    }

    /**
     * Takes the locks for one more handle.
     *
     * @param path an existing file
     * @param use what the handle is for
     * @return must be closed with the handle; null if the host has no such locks
     * @throws DiskException if another user stands against it; nothing has changed then
     */
    synchronized @Nullable Share take(Path path, Use use) throws DiskException {
        Held held = held(path);
        if (held == null) {
            return null;
        }
        int oldUsed = held.used;
        int oldDenied = held.denied;
        held.handles.merge(use, 1, Integer::sum);
        try {
            settle(held);
            requireNoObjection(path.toString(), held, held.used & ~oldUsed, held.denied & ~oldDenied);
        } catch (DiskException e) {
            drop(held, use);
            throw e;
        }
        return new Share(held, use);
    }

    private @Nullable Held held(Path path) throws DiskException {
        Object key;
        try {
            key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (IOException e) {
            throw new HostIoException(path.toString(), "open", e);
        }
        Held known = files.get(key);
        if (known != null || key == null) {
            return known;
        }
        LockBytes bytes = LockBytes.open(path);
        if (bytes == null) {
            return null;
        }
        Held fresh = new Held(key, bytes);
        files.put(key, fresh);
        return fresh;
    }

    /** Looks only at what is new: what stands against the rest was looked at when that was taken. */
    private static void requireNoObjection(String name, Held held, int newlyUsed, int newlyDenied)
            throws DiskException {
        for (int n = 0; n < PERMISSIONS.length; n++) {
            if ((newlyUsed >> n & 1) == 1 && held.bytes.takenByOther(DENIED_BASE + n)) {
                throw new FileInUseException(name, "Failed to get \"" + PERMISSIONS[n] + "\" lock");
            }
        }
        for (int n = 0; n < PERMISSIONS.length; n++) {
            if ((newlyDenied >> n & 1) == 1 && held.bytes.takenByOther(USED_BASE + n)) {
                throw new FileInUseException(name, "Failed to get shared \"" + PERMISSIONS[n] + "\" lock");
            }
        }
    }

    private void drop(Held held, Use use) throws DiskException {
        // The last one takes the entry with it.
        held.handles.computeIfPresent(use, (key, count) -> count == 1 ? null : count - 1);
        if (!held.handles.isEmpty()) {
            settle(held);
            return;
        }
        files.remove(held.key);
        held.bytes.close();
    }

    /** Locks what the handles need together, and no more. */
    private static void settle(Held held) throws DiskException {
        int used = 0;
        int denied = 0;
        for (Use use : held.handles.keySet()) {
            used |= use.used;
            denied |= use.denied;
        }
        for (int n = 0; n < PERMISSIONS.length; n++) {
            held.used = set(held.bytes, USED_BASE, n, held.used, used);
            held.denied = set(held.bytes, DENIED_BASE, n, held.denied, denied);
        }
    }

    /** Brings one byte from what is held to what is wanted; returns what is held then. */
    private static int set(LockBytes bytes, int base, int n, int held, int wanted) throws DiskException {
        int bit = 1 << n;
        if ((held & bit) < (wanted & bit)) {
            bytes.take(base + n);
        } else if ((held & bit) > (wanted & bit)) {
            bytes.release(base + n);
        }
        return (held & ~bit) | (wanted & bit);
    }
}
