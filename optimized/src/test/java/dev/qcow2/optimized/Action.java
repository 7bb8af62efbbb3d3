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
        ZERO_KEEP,
        ZERO_UNMAP,
        DISCARD,
        FLUSH;

        private static final List<Kind> ALL = List.of(values());

        static Kind any(SplittableRandom random) {
            return ALL.get(random.nextInt(ALL.size()));
        }
    }

    /** The same request, moved into a disk. */
    Action inside(int size) {
        int start = size == 0 ? 0 : Math.floorMod(offset, size);
        return new Action(kind, start, Math.min(length, size - start), fill);
    }

    void applyTo(VirtualDisk disk) throws IOException {
        switch (kind) {
            case WRITE -> disk.write(offset, pattern());
            case ZERO_KEEP -> disk.writeZeroes(offset, length, ZeroMode.KEEP_ALLOCATION);
            case ZERO_UNMAP -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
            case DISCARD -> disk.discard(offset, length);
            case FLUSH -> disk.flush();
        }
    }

    void applyTo(byte[] model, int clusterSize, boolean discards) {
        switch (kind) {
            case WRITE -> Arrays.fill(model, offset, offset + length, fill);
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

    private ByteBuffer pattern() {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, fill);
        return ByteBuffer.wrap(bytes);
    }
}
