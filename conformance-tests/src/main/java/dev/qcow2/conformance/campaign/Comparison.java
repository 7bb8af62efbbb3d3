package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Compares what a disk says with what the model knows between two requests: the model does not change during a comparison,
 * so the part that was asked for last is kept for the next implementation.
 */
final class Comparison {

    private static final int CHUNK = 1 << 20;
    /** Stale memory must not look like right zeros. */
    private static final byte UNTOUCHED = (byte) 0xAA;

    private final GuestModel model;
    private byte[] expected = new byte[0];
    private long expectedAt;

    Comparison(GuestModel model) {
        this.model = model;
    }

    /** QC-GUEST-01: the range reads as the model says. */
    void bytes(VirtualDisk disk, long offset, long length, Kind kind, String subject) throws Objection, IOException {
        long end = offset + length;
        for (long at = offset; at < end; ) {
            int step = (int) Math.min(end - at, CHUNK);
            byte[] observed = new byte[step];
            Arrays.fill(observed, UNTOUCHED);
            ByteBuffer buffer = ByteBuffer.wrap(observed);
            disk.read(at, buffer);
            if (buffer.hasRemaining()) {
                throw new Objection(
                        kind, subject, "a read left " + buffer.remaining() + " bytes of its buffer unfilled");
            }
            bytes(observed, at, kind, subject);
            at += step;
        }
    }

    /** QC-GUEST-01: the bytes are those that the model says. */
    void bytes(byte[] observed, long offset, Kind kind, String subject) throws Objection, IOException {
        expect(offset, observed.length);
        int index = Arrays.mismatch(observed, expected);
        if (index >= 0) {
            throw new Objection(
                    kind,
                    subject,
                    "guest byte " + (offset + index) + " is " + Fill.describe(observed, index) + ", expected is "
                            + Fill.describe(expected, index));
        }
    }

    private void expect(long offset, int length) throws IOException {
        if (expected.length != length || expectedAt != offset) {
            expected = new byte[length];
            expectedAt = offset;
            model.read(offset, ByteBuffer.wrap(expected));
        }
    }

    private boolean isZero(long offset, long length) throws IOException {
        long index = offset - expectedAt;
        if (index < 0 || index > expected.length - length) {
            return model.isZero(offset, length);
        }
        return Arrays.equals(expected, (int) index, (int) (index + length), new byte[(int) length], 0, (int) length);
    }

    /** QC-GUEST-09: extents tile the range, and zero is said only of what reads as zero. */
    void status(VirtualDisk disk, long offset, long length, String subject) throws Objection, IOException {
        List<BlockStatus> extents = disk.status(offset, length);
        long at = offset;
        for (BlockStatus extent : extents) {
            if (extent.guestOffset() != at || extent.length() <= 0) {
                throw wrongStatus(subject, "expected an extent at " + at + ", found " + extent);
            }
            if (extent.content() == Content.ZERO && !isZero(at, Math.min(extent.length(), offset + length - at))) {
                throw wrongStatus(subject, "has data: " + extent);
            }
            at = extent.end();
        }
        if (at != offset + length) {
            throw wrongStatus(subject, "expected extents up to " + (offset + length) + ", they end at " + at);
        }
        for (int i = 1; i < extents.size(); i++) {
            if (extents.get(i - 1).joins(extents.get(i))) {
                throw wrongStatus(subject, "two extents that could be one: " + extents.get(i - 1));
            }
        }
    }

    private static Objection wrongStatus(String subject, String message) {
        return new Objection(Kind.WRONG_STATUS, subject, message + " [QC-GUEST-09]");
    }
}
