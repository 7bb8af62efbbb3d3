package dev.qcow2.spec.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * A disk as a sparse array of pages over a base content, and beside it the area of saved machine state.
 *
 * <p>The state of the disk can be kept and brought back, together with its size. Requests must lie inside the disk:
 * whether they do is {@link #contains(long, long)}.
 */
public final class GuestModel implements BaseContent {

    private static final int PAGE_SIZE = SparsePages.PAGE_SIZE;
    private static final byte[] ZERO_PAGE = new byte[PAGE_SIZE];

    private final BaseContent base;
    private long size;
    private SparsePages disk;
    private SparsePages vmState = new SparsePages(BaseContent.empty());

    /**
     * What a discard does.
     *
     * @param clusterSize bytes of a cluster of the disk's own image
     * @param effective false for version 2 over a backing file, where a discard changes nothing
     */
    public record DiscardRule(long clusterSize, boolean effective) {}

    /** A disk at one time; holds for the model that made it. */
    public static final class Saved {
        private final long size;
        private final long vmStateSize;
        private final SparsePages disk;
        private final SparsePages vmState;

        private Saved(long size, long vmStateSize, SparsePages disk, SparsePages vmState) {
            this.size = size;
            this.vmStateSize = vmStateSize;
            this.disk = disk;
            this.vmState = vmState;
        }

        /**
         * Returns how long the disk was.
         *
         * @return bytes
         */
        public long size() {
            return size;
        }

        /**
         * Returns how much machine state the snapshot has.
         *
         * @return bytes, 0 for what is no snapshot
         */
        public long vmStateSize() {
            return vmStateSize;
        }
    }

    /**
     * Makes a disk.
     *
     * @param size bytes
     * @param base what it holds at first; zeros past the end of it (QC-BACK-01)
     */
    public GuestModel(long size, BaseContent base) {
        this.size = size;
        this.base = base;
        this.disk = new SparsePages(visibleBase(size));
    }

    @Override
    public long size() {
        return size;
    }

    /**
     * Says whether a request lies inside the disk (QC-GUEST-02).
     *
     * @param guestOffset first byte
     * @param length bytes
     * @return true if no byte is outside
     */
    public boolean contains(long guestOffset, long length) {
        return guestOffset >= 0 && length >= 0 && guestOffset <= size && length <= size - guestOffset;
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws IOException {
        disk.read(guestOffset, into);
    }

    /**
     * Writes bytes (QC-GUEST-01).
     *
     * @param guestOffset first byte to write
     * @param from is consumed from its position to its limit
     * @throws IOException if the base content can't be read
     */
    public void write(long guestOffset, ByteBuffer from) throws IOException {
        disk.write(guestOffset, from);
    }

    /**
     * Zeroes bytes (QC-GUEST-03).
     *
     * @param guestOffset first byte to zero
     * @param length bytes
     * @throws IOException if the base content can't be read
     */
    public void zero(long guestOffset, long length) throws IOException {
        disk.zero(guestOffset, length);
    }

    /**
     * Changes the length of the disk: what is cut off is gone for good, what is added reads as zero, whatever the base
     * content holds there (QC-MNT-01, QC-MNT-02). The area of machine state is empty afterwards, for its place depends
     * on the disk's size (QC-SNAP-22).
     *
     * @param newSize bytes, 0 or more
     */
    public void resize(long newSize) {
        if (newSize < size) {
            disk.truncate(newSize);
        }
        size = newSize;
        vmState = new SparsePages(BaseContent.empty());
    }

    /** Empties the area of machine state, as a commit does, which gives up all that the overlay maps (QC-SNAP-22). */
    public void dropVmState() {
        vmState = new SparsePages(BaseContent.empty());
    }

    /**
     * Reads machine state; what was never written reads as zero.
     *
     * @param offset first byte, counted from the start of the area
     * @param into is filled from its position to its limit
     * @throws IOException never, for the area has no base content
     */
    public void readVmState(long offset, ByteBuffer into) throws IOException {
        vmState.read(offset, into);
    }

    /**
     * Writes machine state.
     *
     * @param offset first byte, counted from the start of the area
     * @param from is consumed from its position to its limit
     * @throws IOException never, for the area has no base content
     */
    public void writeVmState(long offset, ByteBuffer from) throws IOException {
        vmState.write(offset, from);
    }

    /**
     * Discards as the implementations of this project do: clusters that lie in the range as a whole
     * read as zero, and the last one of the disk counts as whole up to the disk's end.
     *
     * @param guestOffset first byte to discard
     * @param length bytes
     * @param rule cluster size, and whether a discard does anything
     * @throws IOException if the base content can't be read
     */
    public void discard(long guestOffset, long length, DiscardRule rule) throws IOException {
        long cluster = rule.clusterSize();
        long first = Math.floorDiv(guestOffset + cluster - 1, cluster) * cluster;
        long end = guestOffset + length;
        long last = end == size ? end : end / cluster * cluster;
        if (rule.effective() && first < last) {
            zero(first, last - first);
        }
    }

    /**
     * Finds the first byte that is not as it should be.
     *
     * @param guestOffset where the bytes were read
     * @param observed what was read, from position to limit; left as it is
     * @return guest offset of the first difference, or empty
     * @throws IOException if the base content can't be read
     */
    public OptionalLong firstDifference(long guestOffset, ByteBuffer observed) throws IOException {
        ByteBuffer expected = ByteBuffer.allocate(observed.remaining());
        read(guestOffset, expected);
        int at = expected.flip().mismatch(observed);
        return at < 0 ? OptionalLong.empty() : OptionalLong.of(guestOffset + at);
    }

    /**
     * Judges a range after a discard by an implementation that is free to keep or to zero each byte
     * (QC-GUEST-04).
     *
     * @param guestOffset where the bytes were read
     * @param observed what was read, from position to limit; left as it is
     * @return guest offset of the first byte that is neither as before nor zero, or empty
     * @throws IOException if the base content can't be read
     */
    public OptionalLong firstNeitherOldNorZero(long guestOffset, ByteBuffer observed) throws IOException {
        ByteBuffer old = ByteBuffer.allocate(observed.remaining());
        read(guestOffset, old);
        for (int i = 0; i < old.capacity(); i++) {
            byte now = observed.get(observed.position() + i);
            if (now != 0 && now != old.get(i)) {
                return OptionalLong.of(guestOffset + i);
            }
        }
        return OptionalLong.empty();
    }

    /**
     * Says whether a range reads as zero.
     *
     * @param guestOffset first byte
     * @param length bytes
     * @return true if every byte is zero
     * @throws IOException if the base content can't be read
     */
    public boolean isZero(long guestOffset, long length) throws IOException {
        long end = guestOffset + length;
        for (long at = guestOffset; at < end; ) {
            int step = (int) Math.min(end - at, PAGE_SIZE);
            if (firstDifference(at, ByteBuffer.wrap(ZERO_PAGE, 0, step)).isPresent()) {
                return false;
            }
            at += step;
        }
        return true;
    }

    /**
     * Keeps the present content and size, and changes nothing.
     *
     * @return something to give to {@link #restore}
     */
    public Saved save() {
        return new Saved(size, 0, disk.copy(), vmState.copy());
    }

    /**
     * Takes a snapshot: keeps content, size and machine state (QC-SNAP-01), and empties the area of machine state
     * (QC-SNAP-22).
     *
     * @param vmStateSize bytes of machine state that count
     * @return something to give to {@link #restore}
     */
    public Saved takeSnapshot(long vmStateSize) {
        Saved saved = new Saved(size, vmStateSize, disk.copy(), vmState);
        vmState = new SparsePages(BaseContent.empty());
        return saved;
    }

    /**
     * Makes a kept content the disk's content, with its size and its machine state (QC-SNAP-03, QC-SNAP-12).
     *
     * @param saved from {@link #save()} or {@link #takeSnapshot} of this model
     */
    public void restore(Saved saved) {
        size = saved.size;
        disk = saved.disk.copy();
        vmState = saved.vmState.copy();
    }

    /** The base content as far as it is not hidden behind the end of the disk (QC-BACK-02). */
    private BaseContent visibleBase(long end) {
        return new BaseContent() {
            @Override
            public long size() {
                return Math.min(end, base.size());
            }

            @Override
            public void read(long guestOffset, ByteBuffer into) throws IOException {
                base.read(guestOffset, into);
            }
        };
    }
}
