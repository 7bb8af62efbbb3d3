package dev.qcow2.optimized;

import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** One request, done to a disk and to an array of bytes. */
record Action(Kind kind, int offset, int length, byte fill) {

    enum Kind {
        WRITE,
        /** Of whole clusters; one in four does not get smaller. */
        WRITE_COMPRESSED,
        ZERO_KEEP,
        ZERO_UNMAP,
        DISCARD,
        FLUSH;

        private static final List<Kind> ALL = List.of(values());

        static Kind any(SplittableRandom random) {
            return ALL.get(random.nextInt(ALL.size()));
        }
    }

    /** The same request, moved into a disk; a compressed write takes the whole clusters around it. */
    Action inside(int size, int clusterSize) {
        int start = size == 0 ? 0 : Math.floorMod(offset, size);
        int end = start + Math.min(length, size - start);
        if (kind == Kind.WRITE_COMPRESSED && end > start) {
            start = start / clusterSize * clusterSize;
            end = Math.min(size, (end + clusterSize - 1) / clusterSize * clusterSize);
        }
        return new Action(kind, start, end - start, fill);
    }

    void applyTo(VirtualDisk disk) throws IOException {
        switch (kind) {
            case WRITE -> disk.write(offset, ByteBuffer.wrap(pattern()));
            case WRITE_COMPRESSED -> disk.writeCompressed(offset, ByteBuffer.wrap(pattern()));
            case ZERO_KEEP -> disk.writeZeroes(offset, length, ZeroMode.KEEP_ALLOCATION);
            case ZERO_UNMAP -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
            case DISCARD -> disk.discard(offset, length);
            case FLUSH -> disk.flush();
        }
    }

    void applyTo(byte[] model, int clusterSize, boolean discards) {
        switch (kind) {
            case WRITE, WRITE_COMPRESSED -> System.arraycopy(pattern(), 0, model, offset, length);
            case ZERO_KEEP, ZERO_UNMAP -> Arrays.fill(model, offset, offset + length, (byte) 0);
            case DISCARD -> {
                int end =
                        offset + length == model.length ? model.length : (offset + length) / clusterSize * clusterSize;
                int start = (offset + clusterSize - 1) / clusterSize * clusterSize;
                if (discards && start < end) {
                    Arrays.fill(model, start, end, (byte) 0);
                }
            }
            case FLUSH -> {}
        }
    }

    private byte[] pattern() {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, fill);
        if (kind == Kind.WRITE_COMPRESSED) {
            // Streams of all lengths: from a few bytes to more than a cluster.
            SplittableRandom random = new SplittableRandom(fill);
            for (int at = 0; at < length; at += 1 + random.nextInt(1 + (fill & 3) * (fill & 3) * 9)) {
                bytes[at] = (byte) random.nextInt();
            }
        }
        return bytes;
    }
}
