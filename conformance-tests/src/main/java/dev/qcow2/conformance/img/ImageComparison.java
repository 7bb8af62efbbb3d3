package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** Compares two disks byte by byte, and reads only what metadata does not answer. */
final class ImageComparison {

    /** Exit code for a map that can't be read. */
    static final int NOT_MAPPED = 3;

    /** Exit code for data that can't be read. */
    static final int NOT_READ = 4;

    private static final int STEP = 2 << 20;

    /**
     * One of the two.
     *
     * @param name as the user gave it
     * @param map where its data is
     * @param disk the disk itself
     */
    record Side(String name, MapCursor map, VirtualDisk disk) {

        boolean isZero(MappedExtent extent) {
            return extent.content() == Content.ZERO;
        }

        /** What strict mode compares of an extent; also whether it reaches the disk's end, as QEMU does. */
        String kind(MappedExtent extent) {
            return extent.content()
                    + (extent.allocated() ? " allocated" : "")
                    + (extent.hostOffset().isPresent() ? " placed" : "")
                    + (extent.end() == map.size() ? " to the end" : "");
        }
    }

    /**
     * What was found.
     *
     * @param same whether the two hold the same
     * @param message for the user
     */
    record Verdict(boolean same, String message) {}

    private final Side first;
    private final Side second;
    private final boolean strict;
    private final ReadFailure failures;
    private final ImgProgress progress;
    private final ByteBuffer firstBytes = ByteBuffer.allocateDirect(STEP);
    private final ByteBuffer secondBytes = ByteBuffer.allocateDirect(STEP);

    ImageComparison(Side first, Side second, boolean strict, ReadFailure failures, ImgProgress progress) {
        this.first = first;
        this.second = second;
        this.strict = strict;
        this.failures = failures;
        this.progress = progress;
    }

    /** Compares; what is strange but no difference is said at once. */
    Verdict run(Consumer<String> remark) throws ToolException {
        long common = Math.min(first.map.size(), second.map.size());
        long whole = Math.max(first.map.size(), second.map.size());
        if (strict && common != whole) {
            return new Verdict(false, "Strict mode: Image size mismatch!");
        }
        for (long at = 0; at < common; ) {
            MappedExtent one = extent(first, at);
            MappedExtent two = extent(second, at);
            if (strict && !first.kind(one).equals(second.kind(two))) {
                return new Verdict(false, "Strict mode: Offset " + at + " block status mismatch!");
            }
            long end = Math.min(common, Math.min(one.end(), two.end()));
            if (!first.isZero(one) || !second.isZero(two)) {
                end = Math.min(end, at + STEP);
                long difference = difference(one, two, at, (int) (end - at));
                if (difference >= 0) {
                    return mismatch(difference);
                }
            }
            at = end;
            progress.show(at, whole);
        }
        if (common != whole) {
            remark.accept("Warning: Image size mismatch!");
            long difference = dataBehind(first.map.size() > common ? first : second, common);
            if (difference >= 0) {
                return mismatch(difference);
            }
        }
        return new Verdict(true, "Images are identical.");
    }

    private static Verdict mismatch(long offset) {
        return new Verdict(false, "Content mismatch at offset " + offset + "!");
    }

    private MappedExtent extent(Side side, long at) throws ToolException {
        try {
            return side.map.at(at);
        } catch (DiskException e) {
            failures.words(e);
            throw new ToolException("Sector allocation test failed for " + side.name, NOT_MAPPED, e);
        }
    }

    /** Finds the first sector that differs; -1 if there is none. */
    private long difference(MappedExtent one, MappedExtent two, long at, int length) throws ToolException {
        fill(first, one, firstBytes, at, length);
        fill(second, two, secondBytes, at, length);
        int differs = firstBytes.mismatch(secondBytes);
        return differs < 0 ? -1 : at + (long) differs / Sectors.BYTES * Sectors.BYTES;
    }

    private void fill(Side side, MappedExtent extent, ByteBuffer into, long at, int length) throws ToolException {
        into.clear().limit(length);
        if (side.isZero(extent)) {
            Sectors.putZeros(into);
        } else {
            read(side, into, at);
        }
        into.flip();
    }

    private void read(Side side, ByteBuffer into, long at) throws ToolException {
        try {
            side.disk.read(at, into);
        } catch (DiskException e) {
            throw new ToolException(
                    "Error while reading offset " + at + " of " + side.name + ": " + failures.words(e), NOT_READ, e);
        }
    }

    /** Where the longer disk has a byte that is not zero, behind the end of the other; -1 if it has none. */
    private long dataBehind(Side side, long from) throws ToolException {
        for (long at = from; at < side.map.size(); ) {
            MappedExtent extent = extent(side, at);
            long end = extent.end();
            if (!side.isZero(extent)) {
                end = Math.min(end, at + STEP);
                firstBytes.clear().limit((int) (end - at));
                read(side, firstBytes, at);
                int data = Sectors.firstData(firstBytes.flip());
                if (data >= 0) {
                    return at + data;
                }
            }
            at = end;
            progress.show(at, side.map.size());
        }
        return -1;
    }
}
