package dev.qcow2.conformance.nbd;

import java.util.Optional;
import java.util.stream.Stream;

/** What a client may ask of the disk, and with which flags. */
enum Command {
    /** Bytes of a range. */
    READ(0, CommandHeader.FUA | CommandHeader.DONT_FRAGMENT),
    /** New bytes for a range; they follow the header. */
    WRITE(1, CommandHeader.FUA),
    /** Good bye; has no answer. */
    DISCONNECT(2, CommandHeader.FUA),
    /** All that was answered before shall survive a power cut. */
    FLUSH(3, CommandHeader.FUA),
    /** The content of a range is not needed any more. */
    TRIM(4, CommandHeader.FUA),
    /** A range will be read soon. */
    CACHE(5, CommandHeader.FUA),
    /** Zeros for a range. */
    WRITE_ZEROES(6, CommandHeader.FUA | CommandHeader.NO_HOLE | CommandHeader.FAST_ZERO),
    /** What is known of a range. */
    BLOCK_STATUS(7, CommandHeader.FUA | CommandHeader.REQUEST_ONE);

    private final int code;
    private final int flags;

    Command(int code, int flags) {
        this.code = code;
        this.flags = flags;
    }

    static Optional<Command> of(int code) {
        return Stream.of(values()).filter(command -> command.code == code).findFirst();
    }

    /** Says whether the flags are among those that the command has. */
    boolean allows(int given) {
        return (given & ~flags) == 0;
    }

    boolean changesDisk() {
        return this == WRITE || this == TRIM || this == WRITE_ZEROES;
    }

    /** True if it is about a range of the disk. */
    boolean hasRange() {
        return this != FLUSH && this != DISCONNECT;
    }
}
