package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.BitmapLayout;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** Leaves out an operation of the host, or lets it come too late, as a {@link StructureFault} says. */
final class ErringFile extends ForwardingHostFile {

    /** The header's fields lie before this byte. */
    private static final int HEADER_END = 512;

    private static final int WIDTH_AT = 96;

    private final String name;
    private final StructureFault fault;
    private final Map<Long, Integer> marked = new LinkedHashMap<>();
    private boolean flushHeld;
    private boolean flushDropped;
    private boolean inRequest;
    private long heldAt = -1;
    private ByteBuffer held = ByteBuffer.allocate(0);

    ErringFile(HostFile target, String name, StructureFault fault) {
        super(target);
        this.name = name;
        this.fault = fault;
    }

    /** A request begins or ends during which the file errs, for faults that are about one request. */
    void erring(boolean on) {
        inRequest = on;
    }

    /** The directory says that bitmaps are free for use before they are stored. */
    void clearMarks() throws DiskException {
        for (Map.Entry<Long, Integer> mark : marked.entrySet()) {
            super.write(mark.getKey(), number(mark.getValue() & ~1));
        }
    }

    private static ByteBuffer number(int value) {
        return ByteBuffer.allocate(4).putInt(value).flip();
    }

    /** Flags of a bitmap alone, as the late style writes them. */
    private static boolean isMark(long at, ByteBuffer from) {
        return at >= HEADER_END
                && from.remaining() == 4
                && BitmapLayout.IN_USE.isSet(from.getInt(from.position()) & 0xffff_ffffL);
    }

    private boolean leavesMarksOut() {
        return switch (fault) {
            case BITMAP_IN_USE_NEVER_SET -> true;
            case BITMAP_REMOVED_NOT_MARKED, BITMAP_RESIZE_MARKS_NOTHING -> inRequest;
            default -> false;
        };
    }

    @Override
    public void write(long hostOffset, ByteBuffer from) throws DiskException {
        boolean header = hostOffset < HEADER_END && name.equals(StructureScene.IMAGE);
        releaseFlush(header);
        boolean mark = isMark(hostOffset, from);
        if (mark && leavesMarksOut()) {
            from.position(from.limit());
            return;
        }
        if (mark && fault == StructureFault.BITMAP_IN_USE_AFTER_WRITE) {
            heldAt = hostOffset;
            held = ByteBuffer.allocate(4).put(from).flip();
            return;
        }
        if (mark) {
            marked.put(hostOffset, from.getInt(from.position()));
        }
        if (fault == StructureFault.AUTOCLEAR_LEFT && header) {
            from.position(from.limit());
            return;
        }
        if (fault == StructureFault.WIDTH_IN_A_SECOND_WRITE
                && header
                && hostOffset < WIDTH_AT
                && hostOffset + from.remaining() > WIDTH_AT) {
            int first = (int) (WIDTH_AT - hostOffset);
            super.write(hostOffset, from.slice(from.position(), first));
            super.write(WIDTH_AT, from.position(from.position() + first));
            return;
        }
        super.write(hostOffset, from);
        flushDropped |= dropsFlushAfter(header, mark);
        if (heldAt >= 0) {
            super.write(heldAt, held);
            heldAt = -1;
        }
    }

    private boolean dropsFlushAfter(boolean header, boolean mark) {
        return switch (fault) {
            case BITMAP_IN_USE_NOT_FLUSHED -> mark;
            case BITMAP_FREED_BEFORE_SETTLED, TABLE_FREED_BEFORE_SETTLED, RENAME_NOT_FLUSHED, AUTOCLEAR_NOT_FLUSHED ->
                header;
            default -> false;
        };
    }

    private boolean holdsFlushes() {
        return switch (fault) {
            case BITMAP_HEADER_BEFORE_FLUSH,
                    TABLE_SWITCHED_BEFORE_FLUSH,
                    RENAMED_BEFORE_FLUSH,
                    REBASE_LINKS_BEFORE_FLUSH,
                    BLOCK_LINKED_BEFORE_FLUSH -> true;
            default -> false;
        };
    }

    /** A flush that was held is done now, unless it is the one that the fault leaves out. */
    private void releaseFlush(boolean header) throws DiskException {
        if (!flushHeld) {
            return;
        }
        flushHeld = false;
        boolean beforeOthers =
                fault == StructureFault.REBASE_LINKS_BEFORE_FLUSH || fault == StructureFault.BLOCK_LINKED_BEFORE_FLUSH;
        if (header == beforeOthers) {
            super.flush();
        }
    }

    /** Whoever asked for a flush gets one. */
    void settle() throws DiskException {
        if (flushHeld) {
            flushHeld = false;
            super.flush();
        }
    }

    @Override
    public void flush() throws DiskException {
        boolean never =
                switch (fault) {
                    case COMMIT_WITHOUT_FLUSH -> inRequest && name.equals(StructureScene.BASE);
                    case COMMIT_RELEASES_FIRST -> inRequest && name.equals(StructureScene.IMAGE);
                    case DATA_FILE_NOT_FLUSHED -> name.equals(StructureScene.DATA);
                    default -> false;
                };
        if (holdsFlushes()) {
            flushHeld = true;
        } else if (flushDropped) {
            flushDropped = false;
        } else if (!never) {
            super.flush();
        }
    }

    @Override
    public boolean zero(long hostOffset, long length) throws DiskException {
        releaseFlush(false);
        if (fault == StructureFault.COMMIT_SKIPS_ZEROS && name.equals(StructureScene.BASE)) {
            return true;
        }
        return super.zero(hostOffset, length);
    }

    @Override
    public boolean punchHole(long hostOffset, long length) throws DiskException {
        releaseFlush(false);
        return super.punchHole(hostOffset, length);
    }

    @Override
    public void truncate(long size) throws DiskException {
        releaseFlush(false);
        super.truncate(size);
    }

    @Override
    public void close() throws DiskException {
        settle();
        super.close();
    }
}
