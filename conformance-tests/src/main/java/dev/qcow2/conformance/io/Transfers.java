package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/** Moves bytes to and from one open image. A request of up to 64 MiB is one request of the implementation's, a longer one several. */
final class Transfers {

    /** The longest request that QEMU's block layer takes. */
    static final long MOST_BYTES = 2147483136L;

    private static final int AT_ONCE = 64 << 20;

    /** How images of other formats start: a raw image whose format was guessed must not turn into one. */
    private static final List<String> MAGICS =
            List.of("QED\0", "KDMV", "COWD", "LUKS\u00ba\u00be", "conectix", "vhdxfile");

    private static final int MAGIC_BYTES = 8;

    /**
     * What a read is compared with.
     *
     * @param pattern the byte that all bytes should be
     * @param start the first that counts, from the start of the read
     * @param length how many count
     */
    record Expected(byte pattern, long start, long length) {}

    /**
     * What a read gave.
     *
     * @param matches whether the bytes are as expected
     * @param bytes all bytes; null if they are too many to keep
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Outcome(boolean matches, byte @Nullable [] bytes) {}

    private final OpenImage image;
    private final VirtualDisk disk;

    /** A copy on read must not undo a write that happens at the same time; writes among themselves need no lock. */
    private final ReadWriteLock copying = new ReentrantReadWriteLock();

    Transfers(OpenImage image) {
        this.image = image;
        this.disk = image.disk();
    }

    private void requireInside(long offset, long length) throws Refusal, DiskException {
        if (offset > disk.size() - length) {
            throw new Refusal(RequestErrors.IO);
        }
    }

    /** Writes a pattern over and over, to the disk or to the saved machine state. */
    void write(long offset, long length, byte[] pattern, boolean machineState, boolean flush)
            throws Refusal, DiskException {
        if (!machineState) {
            requireInside(offset, length);
            requireStaysRaw(offset, length, pattern);
        }
        Lock lock = copying.readLock();
        lock.lock();
        try {
            byte[] bytes =
                    new byte[(int) Math.min(length, Math.max(1, AT_ONCE / pattern.length) * (long) pattern.length)];
            fill(bytes, pattern);
            long done = 0;
            while (done < length || done == 0) {
                int piece = (int) Math.min(bytes.length, length - done);
                ByteBuffer from = ByteBuffer.wrap(bytes, 0, piece);
                if (machineState) {
                    disk.writeVmState(offset + done, from);
                } else {
                    disk.write(offset + done, from);
                }
                done += piece;
                if (piece == 0) {
                    break;
                }
            }
            image.settle(flush);
        } finally {
            lock.unlock();
        }
    }

    private static void fill(byte[] bytes, byte[] pattern) {
        if (pattern.length == 1) {
            Arrays.fill(bytes, pattern[0]);
            return;
        }
        for (int at = 0; at < bytes.length; at += pattern.length) {
            System.arraycopy(pattern, 0, bytes, at, Math.min(pattern.length, bytes.length - at));
        }
    }

    private void requireStaysRaw(long offset, long length, byte[] pattern) throws Refusal, DiskException {
        if (offset >= MAGIC_BYTES
                || image.location().qcow2()
                || !image.location().probed()) {
            return;
        }
        byte[] start = new byte[(int) Math.min(MAGIC_BYTES, disk.size())];
        disk.read(0, ByteBuffer.wrap(start));
        for (int i = (int) offset; i < start.length && i < offset + length; i++) {
            start[i] = pattern[(int) ((i - offset) % pattern.length)];
        }
        String text = new String(start, StandardCharsets.ISO_8859_1);
        boolean qcow = text.startsWith("QFI\u00fb") && !text.startsWith("\0\0\0\0", 4);
        if (qcow || MAGICS.stream().anyMatch(text::startsWith)) {
            throw new Refusal(RequestErrors.NOT_PERMITTED);
        }
    }

    /** Writes compressed clusters. As in QEMU, only what has no cluster of its own yet can be written so. */
    void writeCompressed(long offset, long length, byte[] pattern) throws Refusal, DiskException {
        Optional<HeaderFacts> facts = image.facts();
        if (facts.isEmpty()) {
            throw new Refusal(RequestErrors.UNSUPPORTED);
        }
        requireInside(offset, length);
        if (length == 0) {
            return;
        }
        if (facts.get().hasDataFile()) {
            throw new Refusal(RequestErrors.UNSUPPORTED);
        }
        long cluster = facts.get().clusterSize();
        boolean toTheEnd = offset + length == disk.size();
        if (offset % cluster != 0 || (length % cluster != 0 && !toTheEnd)) {
            throw new Refusal(RequestErrors.INVALID);
        }
        boolean allFree = true;
        byte[] bytes = new byte[(int) Math.min(cluster, length)];
        for (long done = 0; done < length; done += cluster) {
            int piece = (int) Math.min(cluster, length - done);
            // Each cluster starts where the pattern stands after all that was before.
            for (int i = 0; i < piece; i++) {
                bytes[i] = pattern[(int) ((done + i) % pattern.length)];
            }
            if (hasPlace(offset + done, piece)) {
                allFree = false;
            } else {
                disk.writeCompressed(offset + done, ByteBuffer.wrap(bytes, 0, piece));
            }
        }
        if (!allFree) {
            throw new Refusal(RequestErrors.IO);
        }
        image.settle(false);
    }

    /** Says whether a cluster has a place in the image already. */
    private boolean hasPlace(long offset, long length) throws DiskException {
        try {
            return disk.map(offset, length).stream()
                    .anyMatch(extent -> extent.depth() == 0
                            && extent.allocated()
                            && (extent.compressed() || extent.hostOffset().isPresent()));
        } catch (UnsupportedFeatureException e) {
            // An implementation without a map of host offsets still knows where it has data.
            return disk.status(offset, length).stream()
                    .anyMatch(extent -> extent.depth() == 0 && extent.content() == BlockStatus.Content.DATA);
        }
    }

    /** Makes a range read as zero. */
    void zero(long offset, long length, boolean unmap, boolean noFallback, boolean flush)
            throws Refusal, DiskException {
        requireInside(offset, length);
        long end = offset + length;
        Optional<HeaderFacts> facts = image.facts();
        boolean aligned = facts.isEmpty() || length == 0 || ZeroRange.isAligned(facts.get(), offset, end, disk.size());
        // What lies beside the range in a cluster is looked at, and must not change meanwhile.
        Lock lock = aligned ? copying.readLock() : copying.writeLock();
        lock.lock();
        try {
            ZeroMode mode = unmap ? ZeroMode.MAY_UNMAP : ZeroMode.KEEP_ALLOCATION;
            if (facts.isEmpty() || length == 0) {
                disk.writeZeroes(offset, length, mode);
            } else if (noFallback) {
                List<Long> cuts = ZeroRange.cuts(facts.get(), offset, end);
                for (int i = 1; i < cuts.size(); i++) {
                    zero(ZeroRange.of(facts.get(), disk, cuts.get(i - 1), cuts.get(i)), mode, true);
                }
            } else {
                zero(ZeroRange.of(facts.get(), disk, offset, end), mode, false);
            }
            image.settle(flush);
        } finally {
            lock.unlock();
        }
    }

    private void zero(ZeroRange range, ZeroMode mode, boolean noFallback) throws Refusal, DiskException {
        if (noFallback && !range.quick()) {
            throw new Refusal(RequestErrors.UNSUPPORTED);
        }
        disk.writeZeroes(range.start(), range.end() - range.start(), mode);
    }

    /** Gives a range up. */
    void discard(long offset, long length) throws Refusal, DiskException {
        requireInside(offset, length);
        if (!image.settings().discards()) {
            return;
        }
        Lock lock = copying.readLock();
        lock.lock();
        try {
            disk.discard(offset, length);
            image.settle(false);
        } finally {
            lock.unlock();
        }
    }

    /** Reads from the disk or from the saved machine state, and compares. */
    Outcome read(long offset, long length, boolean machineState, Optional<Expected> expected)
            throws Refusal, DiskException {
        if (!machineState) {
            requireInside(offset, length);
            copyUp(offset, length);
        }
        byte[] bytes = new byte[(int) Math.min(length, AT_ONCE)];
        boolean matches = true;
        for (long done = 0; done < length || length == 0; done += bytes.length) {
            int piece = (int) Math.min(bytes.length, length - done);
            piece(offset + done, bytes, piece, machineState);
            matches &= expected.isEmpty() || matches(bytes, piece, done, expected.get());
            if (length == 0) {
                break;
            }
        }
        return new Outcome(matches, length == bytes.length ? bytes : null);
    }

    private void copyUp(long offset, long length) throws DiskException {
        if (!image.settings().copyOnRead()) {
            return;
        }
        Optional<HeaderFacts> facts = image.facts();
        if (facts.isEmpty()) {
            return;
        }
        Lock lock = copying.writeLock();
        lock.lock();
        try {
            CopyOnRead.copy(disk, facts.get().clusterSize(), offset, length);
        } finally {
            lock.unlock();
        }
    }

    private void piece(long offset, byte[] bytes, int count, boolean machineState) throws DiskException {
        ByteBuffer into = ByteBuffer.wrap(bytes, 0, count);
        if (machineState) {
            disk.readVmState(offset, into);
        } else {
            disk.read(offset, into);
        }
    }

    private static boolean matches(byte[] bytes, int count, long at, Expected expected) {
        int from = (int) Math.max(0, Math.min(count, expected.start() - at));
        int to = (int) Math.max(0, Math.min(count, expected.start() + expected.length() - at));
        for (int i = from; i < to; i++) {
            if (bytes[i] != expected.pattern()) {
                return false;
            }
        }
        return true;
    }

    /** Shows what was read. */
    void dump(Outcome outcome, long offset, long length, boolean machineState, IoOutput output) throws DiskException {
        byte[] kept = outcome.bytes();
        if (kept != null) {
            output.print(Report.dump(kept, kept.length, offset));
            return;
        }
        byte[] bytes = new byte[1 << 20];
        for (long done = 0; done < length; done += bytes.length) {
            int piece = (int) Math.min(bytes.length, length - done);
            piece(offset + done, bytes, piece, machineState);
            output.print(Report.dump(bytes, piece, offset + done));
        }
    }
}
