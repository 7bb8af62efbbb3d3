package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** The request is inside the disk, but a rule of the format forbids to carry it out. */
public final class RequestRefusedException extends RequestException {

    private static final long serialVersionUID = 1L;

    private final transient Clause clause;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     * @param clause the rule that forbids it
     * @param reason what was asked and what stands against it
     */
    public RequestRefusedException(String fileName, Clause clause, String reason) {
        super(fileName + ": " + reason + " [" + clause.id() + ": " + clause.paraphrase() + "]");
        this.clause = clause;
    }

    /**
     * Returns the rule that forbids the request.
     *
     * @return a clause of the catalogue
     */
    public Clause clause() {
        return clause;
    }

    @Override
    public String advice() {
        return "Nothing was changed; see clause " + clause.id() + " for what is allowed.";
    }
}
