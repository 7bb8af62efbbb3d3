package dev.qcow2.conformance.image;

import dev.qcow2.spec.model.BaseContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * Computes each page of another content once: a campaign looks at the same bytes after every operation, for every
 * implementation, and a chain of layers takes longer to compute than all implementations together take to read.
 *
 * <p>For one thread at a time.
 */
public final class RememberedContent implements BaseContent {

    private static final int PAGE = 4096;
    /** 16 MiB; beyond them all is forgotten, so that a disk without an end costs no more. */
    private static final int MOST_PAGES = 4096;

    private final BaseContent content;
    private final long size;
    private final Map<Long, byte[]> pages = new HashMap<>();

    /**
     * Remembers a content.
     *
     * @param content what is asked once for each page
     */
    public RememberedContent(BaseContent content) {
        this.content = content;
        this.size = content.size();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws IOException {
        for (long at = guestOffset; into.hasRemaining(); ) {
            int inPage = (int) (at % PAGE);
            int step = Math.min(into.remaining(), PAGE - inPage);
            into.put(page(at / PAGE), inPage, step);
            at += step;
        }
    }

    private byte[] page(long index) throws IOException {
        byte[] known = pages.get(index);
        if (known == null) {
            known = new byte[PAGE];
            content.readZeroPadded(index * PAGE, ByteBuffer.wrap(known));
            if (pages.size() == MOST_PAGES) {
                pages.clear();
            }
            pages.put(index, known);
        }
        return known;
    }
}
