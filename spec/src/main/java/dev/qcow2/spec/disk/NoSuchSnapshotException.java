package dev.qcow2.spec.disk;

/** The image has no snapshot of the id that was asked for. */
public final class NoSuchSnapshotException extends RequestException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param fileName the image
     * @param id what was asked for
     */
    public NoSuchSnapshotException(String fileName, String id) {
        super(fileName + " has no snapshot with id \"" + id + "\"");
    }

    @Override
    public String advice() {
        return "List the snapshots of the image; ids and names are different things.";
    }
}
