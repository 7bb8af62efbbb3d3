package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OutOfBoundsException;
import java.io.IOException;
import java.util.Optional;

/** Sends requests and turns what comes back into objections. */
final class Requests {

    /** A request to one implementation. */
    @FunctionalInterface
    interface Request {
        void send() throws Objection, IOException;
    }

    private Requests() {}

    /** The request is right, so any refusal is wrong. */
    static void mustSucceed(String subject, Request request) throws Objection, IOException {
        Optional<DiskException> refusal = refusal(subject, request);
        if (refusal.isPresent()) {
            throw new Objection(Kind.REFUSAL, subject, refusal.get().toString());
        }
    }

    /** QC-GUEST-02: the request is outside the disk. */
    static void mustBeOutOfBounds(String subject, Request request) throws Objection, IOException {
        Optional<DiskException> refusal = refusal(subject, request);
        if (refusal.isEmpty() || !(refusal.get() instanceof OutOfBoundsException)) {
            String found = refusal.map(DiskException::toString).orElse("success");
            throw new Objection(
                    Kind.NOT_REFUSED, subject, "expected OutOfBoundsException [QC-GUEST-02], found " + found);
        }
    }

    /** Returns the refusal, if there is one. */
    static Optional<DiskException> refusal(String subject, Request request) throws Objection, IOException {
        try {
            request.send();
            return Optional.empty();
        } catch (DiskException e) {
            return Optional.of(e);
        } catch (RuntimeException | Error e) {
            StackTraceElement[] trace = e.getStackTrace();
            String where = trace.length == 0 ? "" : " at " + trace[0];
            throw new Objection(Kind.CRASH, subject, e + where);
        }
    }
}
