package dev.qcow2.spec.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A disk as a sparse array of pages over a base content.
 *
 * <p>A page, once stored, is never changed but replaced; so the state of the disk can be kept as a
 * copy of the map alone. Requests must lie inside the disk: whether they do is
 * {@link #contains(long, long)}.
 */
public final class GuestModel implements BaseContent {

    private static final int PAGE_SIZE = 4096;
    private static final byte[] ZERO_PAGE = new byte[PAGE_SIZE];

    private final long size;
    private final BaseContent base;
    private Map<Long, byte[]> pages = new HashMap<>();

    /**
     * What a discard does.
     *
     * @param clusterSize bytes of a cluster of the disk's own image
     * @param effective false for version 2 over a backing file, where a discard changes nothing
     */
    public record DiscardRule(long clusterSize, boolean effective) {}

    /** The content of a disk at one time; holds for the model that made it. */
    public static final class Saved {
        private final Map<Long, byte[]> pages;

        private Saved(Map<Long, byte[]> pages) {
            this.pages = pages;
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
        long at = guestOffset;
        while (into.hasRemaining()) {
            int inPage = (int) (at % PAGE_SIZE);
            int step = Math.min(into.remaining(), PAGE_SIZE - inPage);
            byte[] page = pages.get(at / PAGE_SIZE);
            if (page == null) {
                base.readZeroPadded(at, into.slice(into.position(), step));
                into.position(into.position() + step);
            } else {
                into.put(page, inPage, step);
            }
            at += step;
        }
    }

    /**
     * Writes bytes (QC-GUEST-01).
     *
     * @param guestOffset first byte to write
     * @param from is consumed from its position to its limit
     * @throws IOException if the base content can't be read
     */
    public void write(long guestOffset, ByteBuffer from) throws IOException {
        long at = guestOffset;
        while (from.hasRemaining()) {
            int inPage = (int) (at % PAGE_SIZE);
            int step = Math.min(from.remaining(), PAGE_SIZE - inPage);
            byte[] page = copyOfPage(at / PAGE_SIZE);
            from.get(page, inPage, step);
            pages.put(at / PAGE_SIZE, page);
            at += step;
        }
    }

    /**
     * Zeroes bytes (QC-GUEST-03).
     *
     * @param guestOffset first byte to zero
     * @param length bytes
     * @throws IOException if the base content can't be read
     */
    public void zero(long guestOffset, long length) throws IOException {
        long end = guestOffset + length;
        for (long at = guestOffset; at < end; ) {
            int inPage = (int) (at % PAGE_SIZE);
            int step = (int) Math.min(end - at, PAGE_SIZE - inPage);
            if (step == PAGE_SIZE) {
                pages.put(at / PAGE_SIZE, ZERO_PAGE);
            } else {
                byte[] page = copyOfPage(at / PAGE_SIZE);
                Arrays.fill(page, inPage, inPage + step, (byte) 0);
                pages.put(at / PAGE_SIZE, page);
            }
            at += step;
        }
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
     * Keeps the present content (QC-SNAP-01).
     *
     * @return something to give to {@link #restore}
     */
    public Saved save() {
        return new Saved(Map.copyOf(pages));
    }

    /**
     * Makes a kept content the disk's content (QC-SNAP-03).
     *
     * @param saved from {@link #save()} of this model
     */
    public void restore(Saved saved) {
        pages = new HashMap<>(saved.pages);
    }

    private byte[] copyOfPage(long index) throws IOException {
        byte[] page = pages.get(index);
        if (page != null) {
            return page.clone();
        }
        byte[] fresh = new byte[PAGE_SIZE];
        base.readZeroPadded(index * PAGE_SIZE, ByteBuffer.wrap(fresh));
        return fresh;
    }
}
