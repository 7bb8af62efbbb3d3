package dev.qcow2.spec.disk;

/** Another user of the file, most often another program, does not allow what was asked. */
public final class FileInUseException extends HostException {

    private static final long serialVersionUID = 1L;

    private final String fileName;
    private final String reason;

    /**
     * Makes a refusal.
     *
     * @param fileName the host file
     * @param reason which lock could not be had, in QEMU's words, for that is what scripts look for
     */
    public FileInUseException(String fileName, String reason) {
        super(fileName + ": " + reason + ". Is another process using the image [" + fileName + "]?");
        this.fileName = fileName;
        this.reason = reason;
    }

    /**
     * Returns the file.
     *
     * @return its name, as it was opened
     */
    public String fileName() {
        return fileName;
    }

    /**
     * Returns which lock could not be had.
     *
     * @return for instance {@code Failed to get "write" lock}
     */
    public String reason() {
        return reason;
    }

    @Override
    public String advice() {
        return "Wait until the other program has closed the image; to read it all the same, share it by force (-U).";
    }
}
