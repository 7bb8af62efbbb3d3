package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** The image is valid as far as can be seen, but needs something that this implementation lacks. */
public final class UnsupportedFeatureException extends ImageException {

    private static final long serialVersionUID = 1L;

    private final String feature;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     * @param clause the rule that forbids to go on
     * @param feature the feature's name; for an unknown feature bit its number, and its name from
     *     the image's feature name table if that has one
     */
    public UnsupportedFeatureException(String fileName, Clause clause, String feature) {
        super(fileName, clause, "needs a feature that is not supported: " + feature);
        this.feature = feature;
    }

    /**
     * Returns the feature.
     *
     * @return its name, or the number of its bit
     */
    public String feature() {
        return feature;
    }

    @Override
    public String advice() {
        return "Use a program that knows " + feature + ", or convert the image there to one without it.";
    }
}
