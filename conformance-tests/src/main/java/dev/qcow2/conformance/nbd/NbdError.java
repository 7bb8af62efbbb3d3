package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.DiskClosedException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;

/** The error numbers of the protocol. */
enum NbdError {
    /** The disk is read-only. */
    NOT_PERMITTED(1),
    /** The image or the host is broken there. */
    IO(5),
    /** The request makes no sense. */
    INVALID(22),
    /** The host is full, or the range is past the end of the disk. */
    NO_SPACE(28),
    /** Nobody does that here. */
    NOT_SUPPORTED(95),
    /** The server is about to end. */
    SHUTDOWN(108);

    private final int code;

    NbdError(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static NbdError of(DiskException refusal) {
        if (refusal instanceof NoSpaceException) {
            return NO_SPACE;
        }
        if (refusal instanceof ReadOnlyException) {
            return NOT_PERMITTED;
        }
        if (refusal instanceof OutOfBoundsException || refusal instanceof RequestRefusedException) {
            return INVALID;
        }
        if (refusal instanceof UnsupportedFeatureException) {
            return NOT_SUPPORTED;
        }
        return refusal instanceof DiskClosedException ? SHUTDOWN : IO;
    }
}
