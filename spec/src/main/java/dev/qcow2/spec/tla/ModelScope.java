package dev.qcow2.spec.tla;

/** How far a model is explored. */
public enum ModelScope {
    /** A bound of seconds, run by every build. */
    SMALL("small"),
    /** A bound of minutes, run on demand. */
    LARGE("large");

    private final String folder;

    ModelScope(String folder) {
        this.folder = folder;
    }

    /**
     * Returns the folder of this scope's configurations.
     *
     * @return a name beside the modules
     */
    public String folder() {
        return folder;
    }
}
