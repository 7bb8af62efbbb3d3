package dev.qcow2.conformance.nbd;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Does to the disk what a client asks for. Several threads may do so at the same time. */
final class Performer {

    private static final int CACHE_STEP_BYTES = 256 << 10;

    /**
     * Why a request is not even tried.
     *
     * @param error its number
     * @param reason for people
     */
    record Refusal(NbdError error, String reason) {}

    private final Export export;
    private final VirtualDisk disk;
    private final Handshake.Agreement agreement;

    Performer(Export export, Handshake.Agreement agreement) {
        this.export = export;
        this.disk = export.disk();
        this.agreement = agreement;
    }

    /** Says why a request can't be performed, if so; it has done nothing then. */
    Optional<Refusal> objection(CommandHeader request) {
        Optional<Command> known = Command.of(request.command());
        if (known.isEmpty()) {
            return refuse(NbdError.INVALID, "command " + request.command() + " is not supported");
        }
        Command command = known.get();
        if (!command.allows(request.flags())) {
            return refuse(NbdError.INVALID, command + " with flags 0x" + Integer.toHexString(request.flags()));
        }
        if (command.changesDisk() && export.is(Trait.READ_ONLY)) {
            return refuse(NbdError.NOT_PERMITTED, "the export is read-only");
        }
        boolean carries = command == Command.READ || command == Command.WRITE;
        if (carries && request.length() > Limits.MAX_PAYLOAD_BYTES) {
            return refuse(
                    NbdError.INVALID,
                    command + " of " + request.length() + " bytes; allowed are " + Limits.MAX_PAYLOAD_BYTES);
        }
        if (command.hasRange() && isOutside(request)) {
            boolean fills = command == Command.WRITE || command == Command.WRITE_ZEROES;
            return refuse(
                    fills ? NbdError.NO_SPACE : NbdError.INVALID,
                    command + " of " + request.length() + " bytes at " + Long.toUnsignedString(request.offset())
                            + " is outside the disk of " + export.sizeBytes() + " bytes");
        }
        if (request.has(CommandHeader.FAST_ZERO) && command == Command.WRITE_ZEROES && !export.is(Trait.FAST_ZEROES)) {
            return refuse(NbdError.NOT_SUPPORTED, "the image can't be zeroed faster than by writing");
        }
        if (command == Command.BLOCK_STATUS && (agreement.contexts().isEmpty() || request.length() == 0)) {
            return refuse(NbdError.INVALID, "block status of nothing, or without a context that was agreed on");
        }
        return Optional.empty();
    }

    private boolean isOutside(CommandHeader request) {
        return request.offset() < 0 || request.offset() > export.sizeBytes() - request.length();
    }

    private static Optional<Refusal> refuse(NbdError error, String reason) {
        return Optional.of(new Refusal(error, reason));
    }

    /**
     * Performs a request that nothing stands against.
     *
     * @param request what is asked for
     * @param payload the bytes of a write, or room for those of a read; empty for all others
     * @return says also if the disk refused
     */
    Answer perform(CommandHeader request, ByteBuffer payload) {
        Answer answer = new Answer(agreement.structured(), request.cookie());
        Command command = Command.of(request.command()).orElseThrow();
        try {
            switch (command) {
                case READ -> read(request, payload, answer);
                case BLOCK_STATUS -> status(request, answer);
                case WRITE, DISCONNECT, FLUSH, TRIM, CACHE, WRITE_ZEROES -> {
                    act(command, request, payload);
                    if (command.changesDisk() && (request.has(CommandHeader.FUA) || export.is(Trait.WRITE_THROUGH))) {
                        disk.flush();
                    }
                    answer.done();
                }
            }
        } catch (DiskException e) {
            answer.refuse(NbdError.of(e), String.valueOf(e.getMessage()));
        }
        return answer;
    }

    private void act(Command command, CommandHeader request, ByteBuffer payload) throws DiskException {
        switch (command) {
            case WRITE -> disk.write(request.offset(), payload);
            case FLUSH -> disk.flush();
            case TRIM -> {
                if (!export.is(Trait.IGNORE_TRIM)) {
                    disk.discard(request.offset(), request.length());
                }
            }
            case CACHE -> cache(request.offset(), Math.min(request.length(), Limits.MAX_PAYLOAD_BYTES));
            case WRITE_ZEROES ->
                disk.writeZeroes(
                        request.offset(),
                        request.length(),
                        request.has(CommandHeader.NO_HOLE) ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP);
            case READ, BLOCK_STATUS, DISCONNECT -> throw new IllegalArgumentException(command.toString());
        }
    }

    /** Reading fills the caches below. */
    private void cache(long offset, long length) throws DiskException {
        ByteBuffer step = ByteBuffer.allocate((int) Math.min(length, CACHE_STEP_BYTES));
        for (long done = 0; done < length; done += step.limit()) {
            step.clear().limit((int) Math.min(step.capacity(), length - done));
            disk.read(offset + done, step);
        }
    }

    private void status(CommandHeader request, Answer answer) throws DiskException {
        int most = request.has(CommandHeader.REQUEST_ONE) ? 1 : Limits.MAX_EXTENTS;
        StatusReport.of(disk, agreement.contexts(), request.offset(), request.length(), most)
                .forEach(report -> report.addTo(answer));
    }

    private void read(CommandHeader request, ByteBuffer room, Answer answer) throws DiskException {
        if (!room.hasRemaining() && answer.structured()) {
            answer.done();
            return;
        }
        boolean mayHaveHoles = answer.structured()
                && !request.has(CommandHeader.DONT_FRAGMENT)
                && room.remaining() >= Limits.HOLES_FROM_BYTES;
        if (mayHaveHoles) {
            readAroundHoles(request.offset(), room, answer);
        } else {
            readPart(request.offset(), room, answer);
        }
    }

    /** Sends holes as such: status costs less than reading, sending and looking at zeros. */
    private void readAroundHoles(long offset, ByteBuffer room, Answer answer) throws DiskException {
        int from = 0;
        int at = 0;
        int end = room.remaining();
        for (BlockStatus status : disk.status(offset, end)) {
            int length = (int) status.length();
            if (status.content() == Content.ZERO && length >= Limits.MIN_HOLE_BYTES) {
                if (at > from) {
                    readPart(offset + from, room.slice(from, at - from), answer);
                }
                answer.hole(offset + at, length);
                from = at + length;
            }
            at += length;
        }
        if (end > from) {
            readPart(offset + from, room.slice(from, end - from), answer);
        }
    }

    private void readPart(long offset, ByteBuffer room, Answer answer) throws DiskException {
        ByteBuffer bytes = room.duplicate();
        disk.read(offset, room);
        answer.data(offset, bytes);
    }
}
