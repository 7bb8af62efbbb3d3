package dev.qcow2.spec.disk;

import dev.qcow2.spec.clause.Clause;

/** An external data file can't be used: refused by policy, not named, missing, or in use as another part of the image. */
public final class DataFileException extends ImageException {

    private static final long serialVersionUID = 1L;

    private final String dataFileName;

    /**
     * Makes a refusal.
     *
     * @param fileName the image that needs the data file
     * @param clause the rule in question
     * @param dataFileName the name as it stands in the image
     * @param reason why it can't be used
     */
    public DataFileException(String fileName, Clause clause, String dataFileName, String reason) {
        super(fileName, clause, "data file \"" + dataFileName + "\": " + reason);
        this.dataFileName = dataFileName;
    }

    /**
     * Returns the name as it stands in the image.
     *
     * @return text from the image, not checked; empty if there is none
     */
    public String dataFileName() {
        return dataFileName;
    }

    @Override
    public String advice() {
        return "If you trust the image, allow data files and see that \"" + dataFileName
                + "\" exists relative to the image's directory.";
    }
}
