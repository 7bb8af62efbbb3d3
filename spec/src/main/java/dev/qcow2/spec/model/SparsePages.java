package dev.qcow2.spec.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Bytes without an end, as a sparse array of pages over a base content. A page, once stored, is never changed but
 * replaced; so a copy is a copy of the map alone.
 */
final class SparsePages {

    static final int PAGE_SIZE = 4096;
    private static final byte[] ZERO_PAGE = new byte[PAGE_SIZE];

    private final BaseContent base;
    private final Map<Long, byte[]> pages;
    private long baseEnd;

    /** Makes a content that is the base's, and zeros behind it. */
    SparsePages(BaseContent base) {
        this(base, new HashMap<>(), base.size());
    }

    private SparsePages(BaseContent base, Map<Long, byte[]> pages, long baseEnd) {
        this.base = base;
        this.pages = pages;
        this.baseEnd = baseEnd;
    }

    SparsePages copy() {
        return new SparsePages(base, new HashMap<>(pages), baseEnd);
    }

    void read(long offset, ByteBuffer into) throws IOException {
        long at = offset;
        while (into.hasRemaining()) {
            int inPage = (int) (at % PAGE_SIZE);
            int step = Math.min(into.remaining(), PAGE_SIZE - inPage);
            byte[] page = pages.get(at / PAGE_SIZE);
            if (page == null) {
                readBase(at, into.slice(into.position(), step));
                into.position(into.position() + step);
            } else {
                into.put(page, inPage, step);
            }
            at += step;
        }
    }

    void write(long offset, ByteBuffer from) throws IOException {
        long at = offset;
        while (from.hasRemaining()) {
            int inPage = (int) (at % PAGE_SIZE);
            int step = Math.min(from.remaining(), PAGE_SIZE - inPage);
            byte[] page = copyOfPage(at / PAGE_SIZE);
            from.get(page, inPage, step);
            pages.put(at / PAGE_SIZE, page);
            at += step;
        }
    }

    void zero(long offset, long length) throws IOException {
        long end = offset + length;
        for (long at = offset; at < end; ) {
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

    /** Forgets all bytes from a place on; they read as zero from now on. */
    void truncate(long end) {
        baseEnd = Math.min(baseEnd, end);
        pages.keySet().removeIf(index -> index * PAGE_SIZE >= end);
        byte[] last = pages.get(end / PAGE_SIZE);
        if (last != null) {
            byte[] cut = last.clone();
            Arrays.fill(cut, (int) (end % PAGE_SIZE), PAGE_SIZE, (byte) 0);
            pages.put(end / PAGE_SIZE, cut);
        }
    }

    private byte[] copyOfPage(long index) throws IOException {
        byte[] page = pages.get(index);
        if (page != null) {
            return page.clone();
        }
        byte[] fresh = new byte[PAGE_SIZE];
        readBase(index * PAGE_SIZE, ByteBuffer.wrap(fresh));
        return fresh;
    }

    /** Fills a buffer that is already zero, or whose bytes do not matter, with what is visible of the base. */
    private void readBase(long offset, ByteBuffer into) throws IOException {
        int visible = (int) Math.max(0, Math.min(into.remaining(), baseEnd - offset));
        base.readZeroPadded(offset, into.slice(into.position(), visible));
        into.position(into.position() + visible);
        while (into.hasRemaining()) {
            into.put(ZERO_PAGE, 0, Math.min(into.remaining(), PAGE_SIZE));
        }
    }
}
