package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;

/** The words of the C library for refusals, since these are what qemu-io prints and scripts look for. */
final class RequestErrors {

    /** A broken image, a range outside the disk, a host that fails. */
    static final String IO = "Input/output error";

    /** What the image or the host has no means for. */
    static final String UNSUPPORTED = "Operation not supported";

    /** A range that is not made of whole clusters where it must be. */
    static final String INVALID = "Invalid argument";

    /** What would make a raw image look like another format. */
    static final String NOT_PERMITTED = "Operation not permitted";

    private RequestErrors() {}

    /** Names the reason why a request failed. */
    static String words(DiskException failure) {
        if (failure instanceof NoSpaceException) {
            return Failures.words(failure);
        }
        if (failure instanceof ReadOnlyException) {
            return NOT_PERMITTED;
        }
        if (failure instanceof UnsupportedFeatureException) {
            return UNSUPPORTED;
        }
        return failure instanceof RequestRefusedException ? INVALID : IO;
    }

    /** Names the reason why an image can't be opened. */
    static String opening(DiskException failure) {
        return failure instanceof HostIoException host
                ? Failures.inner(host.fileName(), host)
                : Failures.words(failure);
    }
}
