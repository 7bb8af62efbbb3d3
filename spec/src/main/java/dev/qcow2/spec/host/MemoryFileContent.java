package dev.qcow2.spec.host;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The bytes of a file in memory: sparse pages, so that a file of many terabytes with little in it
 * costs little, and shared pages, so that a copy costs nothing until one side changes.
 *
 * <p>Not safe for use by several threads by itself; {@link MemoryHostFile} holds {@link #lock()}.
 */
public final class MemoryFileContent {

    private static final int PAGE_BITS = 12;
    private static final int PAGE_SIZE = 1 << PAGE_BITS;

    /** A page and who may change it in place. */
    private static final class Page {
        final byte[] bytes;
        final Object owner;

        Page(byte[] bytes, Object owner) {
            this.bytes = bytes;
            this.owner = owner;
        }
    }

    private final TreeMap<Long, Page> pages = new TreeMap<>();
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private Object owner = new Object();
    private long size;

    /**
     * Returns a content that is the same now and independent from now on.
     *
     * @return a copy that shares pages until they change
     */
    public MemoryFileContent copy() {
        lock.writeLock().lock();
        try {
            MemoryFileContent copy = new MemoryFileContent();
            copy.pages.putAll(pages);
            copy.size = size;
            // Both sides lose the right to change the shared pages in place.
            owner = new Object();
            return copy;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Makes a content from bytes.
     *
     * @param bytes the file from first byte to last
     * @return a new content
     */
    public static MemoryFileContent of(byte[] bytes) {
        MemoryFileContent content = new MemoryFileContent();
        content.write(0, ByteBuffer.wrap(bytes));
        return content;
    }

    /**
     * Returns all bytes.
     *
     * @return the file from first byte to last
     * @throws ArithmeticException if the file is longer than an array can be
     */
    public byte[] toByteArray() {
        byte[] bytes = new byte[Math.toIntExact(size)];
        read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /**
     * Returns how much memory the pages take.
     *
     * @return bytes of pages that are there, shared ones included
     */
    public long allocatedBytes() {
        return (long) pages.size() << PAGE_BITS;
    }

    ReentrantReadWriteLock lock() {
        return lock;
    }

    long size() {
        return size;
    }

    int read(long offset, ByteBuffer into) {
        int length = (int) Math.max(0, Math.min(into.remaining(), size - offset));
        for (int done = 0; done < length; ) {
            long at = offset + done;
            int inPage = (int) (at & (PAGE_SIZE - 1));
            int step = Math.min(length - done, PAGE_SIZE - inPage);
            Page page = pages.get(at >>> PAGE_BITS);
            if (page == null) {
                into.put(new byte[step]);
            } else {
                into.put(page.bytes, inPage, step);
            }
            done += step;
        }
        return length;
    }

    void write(long offset, ByteBuffer from) {
        long end = Math.addExact(offset, from.remaining());
        for (long at = offset; at < end; ) {
            int inPage = (int) (at & (PAGE_SIZE - 1));
            int step = (int) Math.min(end - at, PAGE_SIZE - inPage);
            from.get(writablePage(at >>> PAGE_BITS), inPage, step);
            at += step;
        }
        if (end > offset) {
            size = Math.max(size, end);
        }
    }

    void zero(long offset, long length) {
        long end = Math.min(size, Math.addExact(offset, length));
        if (offset >= end) {
            return;
        }
        long firstWhole = (offset + PAGE_SIZE - 1) >>> PAGE_BITS;
        long afterWhole = end >>> PAGE_BITS;
        if (firstWhole > afterWhole) {
            zeroInPage(offset, end);
            return;
        }
        zeroInPage(offset, firstWhole << PAGE_BITS);
        zeroInPage(afterWhole << PAGE_BITS, end);
        if (firstWhole < afterWhole) {
            pages.subMap(firstWhole, afterWhole).clear();
        }
    }

    void truncate(long newSize) {
        if (newSize < size) {
            zero(newSize, size - newSize);
            pages.tailMap((newSize + PAGE_SIZE - 1) >>> PAGE_BITS).clear();
        }
        size = newSize;
    }

    private void zeroInPage(long from, long to) {
        if (from < to && pages.containsKey(from >>> PAGE_BITS)) {
            int start = (int) (from & (PAGE_SIZE - 1));
            Arrays.fill(writablePage(from >>> PAGE_BITS), start, start + (int) (to - from), (byte) 0);
        }
    }

    private byte[] writablePage(long index) {
        Page page = pages.get(index);
        if (page == null || page.owner != owner) {
            byte[] bytes = page == null ? new byte[PAGE_SIZE] : page.bytes.clone();
            page = new Page(bytes, owner);
            pages.put(index, page);
        }
        return page.bytes;
    }
}
