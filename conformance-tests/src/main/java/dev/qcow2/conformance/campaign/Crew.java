package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The implementations of a sequence, which are all asked the same.
 *
 * @param subjects in the order in which they are asked
 */
record Crew(List<Subject> subjects) {

    /** What a subject is asked to do. */
    @FunctionalInterface
    interface SubjectRequest {
        void send(Subject subject) throws Objection, IOException;
    }

    /** All must succeed. */
    void mustSucceed(SubjectRequest request) throws Objection, IOException {
        for (Subject subject : subjects) {
            Requests.mustSucceed(subject.name(), () -> request.send(subject));
        }
    }

    /** QC-GUEST-02: the request is outside the disk. */
    void mustBeOutOfBounds(SubjectRequest request) throws Objection, IOException {
        for (Subject subject : subjects) {
            Requests.mustBeOutOfBounds(subject.name(), () -> request.send(subject));
        }
    }

    /** All must refuse, for whatever reason they name. */
    void mustRefuse(String what, SubjectRequest request) throws Objection, IOException {
        for (Subject subject : subjects) {
            if (Requests.refusal(subject.name(), () -> request.send(subject)).isEmpty()) {
                throw new Objection(Kind.NOT_REFUSED, subject.name(), what + " is done, and has to be refused");
            }
        }
    }

    /** Some steps may be refused, for instance when a count would overflow (QC-REF-11); but by all or by none. */
    boolean allDo(String what, SubjectRequest request) throws Objection, IOException {
        List<String> refusals = new ArrayList<>();
        for (Subject subject : subjects) {
            Optional<DiskException> refusal = Requests.refusal(subject.name(), () -> request.send(subject));
            refusal.ifPresent(reason -> refusals.add(subject.name() + ": " + reason));
        }
        if (!refusals.isEmpty() && refusals.size() < subjects.size()) {
            throw new Objection(Kind.REFUSAL, refusals.get(0), what + " is refused by some and done by others");
        }
        return refusals.isEmpty();
    }
}
