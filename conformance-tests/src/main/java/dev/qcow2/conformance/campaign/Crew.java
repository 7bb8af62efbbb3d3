package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * The implementations of a sequence, which are all asked the same.
 *
 * @param subjects in the order in which they are asked; who leaves is removed
 * @param leaving hears who refuses a feature by name; false if that must not be
 */
record Crew(List<Subject> subjects, BiPredicate<Subject, UnsupportedFeatureException> leaving) {

    /** What a subject is asked to do. */
    @FunctionalInterface
    interface SubjectRequest {
        void send(Subject subject) throws Objection, IOException;
    }

    /** Says whether a subject may refuse what others do. */
    @FunctionalInterface
    interface Excuse {
        boolean holds(Subject subject, DiskException refusal) throws Objection, IOException;
    }

    /** All must succeed. */
    void mustSucceed(SubjectRequest request) throws Objection, IOException {
        for (Subject subject : List.copyOf(subjects)) {
            Optional<DiskException> refusal = Requests.refusal(subject.name(), () -> request.send(subject));
            if (refusal.isPresent() && !leaves(subject, refusal.get())) {
                throw new Objection(Kind.REFUSAL, subject.name(), refusal.get().toString());
            }
        }
    }

    /** Who refuses by name a mixture of features takes no part in the rest of the sequence. */
    private boolean leaves(Subject subject, DiskException refusal) {
        boolean leaves = refusal instanceof UnsupportedFeatureException named && leaving.test(subject, named);
        if (leaves) {
            subjects.remove(subject);
        }
        return leaves;
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

    /** Who refuses what others do leaves, and the report says so; if all refuse, all stay. */
    boolean doOrLeave(String what, SubjectRequest request) throws Objection, IOException {
        Map<Subject, RequestRefusedException> refusals = new LinkedHashMap<>();
        for (Subject subject : List.copyOf(subjects)) {
            Optional<DiskException> refusal = Requests.refusal(subject.name(), () -> request.send(subject));
            if (refusal.isPresent() && refusal.get() instanceof RequestRefusedException refused) {
                refusals.put(subject, refused);
            } else if (refusal.isPresent() && !leaves(subject, refusal.get())) {
                throw new Objection(Kind.REFUSAL, subject.name(), refusal.get().toString());
            }
        }
        if (refusals.size() < subjects.size()) {
            refusals.forEach((subject, refused) ->
                    leaves(subject, new UnsupportedFeatureException(subject.name(), refused.clause(), what)));
        }
        return refusals.isEmpty() || refusals.keySet().stream().noneMatch(subjects::contains);
    }

    /** Some steps may be refused, for instance when a count would overflow (QC-REF-11); but by all or by none. */
    boolean allDo(String what, SubjectRequest request) throws Objection, IOException {
        return allDo(what, request, (subject, refusal) -> false);
    }

    /** As {@link #allDo(String, SubjectRequest)}; but who has an excuse for what others do takes no part in the rest. */
    boolean allDo(String what, SubjectRequest request, Excuse excuse) throws Objection, IOException {
        Map<Subject, DiskException> refusals = new LinkedHashMap<>();
        for (Subject subject : List.copyOf(subjects)) {
            Optional<DiskException> refusal = Requests.refusal(subject.name(), () -> request.send(subject));
            if (refusal.isPresent() && !leaves(subject, refusal.get())) {
                refusals.put(subject, refusal.get());
            }
        }
        if (!refusals.isEmpty() && refusals.size() == subjects.size()) {
            return false;
        }
        for (Map.Entry<Subject, DiskException> refusal : refusals.entrySet()) {
            Subject subject = refusal.getKey();
            if (!excuse.holds(subject, refusal.getValue()) || !leavesFull(subject, what)) {
                throw new Objection(
                        Kind.REFUSAL,
                        subject.name() + ": " + refusal.getValue(),
                        what + " is refused by some and done by others");
            }
        }
        return true;
    }

    private boolean leavesFull(Subject subject, String what) {
        String words = what + " where compressed clusters fill a count";
        return leaves(subject, new UnsupportedFeatureException(subject.name(), RefcountClause.QC_REF_11, words));
    }
}
