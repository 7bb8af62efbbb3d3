package dev.qcow2.conformance.tool;

import com.sun.jna.LastErrorException;
import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FileInUseException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says what went wrong in words that a user of QEMU's tools recognises. */
public final class Failures {

    private static final Pattern FEATURE_BIT = Pattern.compile("incompatible feature bit (\\d+)(?: \"([^\"]*)\")?");

    private Failures() {}

    /**
     * Names the reason of a refusal.
     *
     * @param failure what an implementation or the host said
     * @return the essential words, without the image's name where it can be left out
     */
    public static String words(DiskException failure) {
        if (failure instanceof NoSpaceException) {
            return "No space left on device";
        }
        if (failure instanceof FileInUseException inUse) {
            return inUse.reason() + "\nIs another process using the image [" + inUse.fileName() + "]?";
        }
        if (failure instanceof HostIoException host) {
            return hostWords(host);
        }
        if (failure instanceof ImageException image) {
            return imageWords(image);
        }
        return String.valueOf(failure.getMessage());
    }

    private static String hostWords(HostIoException failure) {
        if (failure.getCause() instanceof IOException cause) {
            return HostWords.of(cause);
        }
        if (failure.getCause() instanceof LastErrorException cause) {
            // "[28] No space left on device" without the number.
            return String.valueOf(cause.getMessage()).replaceFirst("^\\[\\d+\\] ", "");
        }
        if (failure.operation().contains("no such file")) {
            return "No such file or directory";
        }
        return failure.getCause() == null ? failure.operation() : String.valueOf(failure.getMessage());
    }

    private static String imageWords(ImageException failure) {
        if (failure instanceof MalformedImageException malformed) {
            return ClauseWords.of(malformed).orElse(String.valueOf(failure.getMessage()));
        }
        if (failure.clause().equals(DataFileClause.QC_DATA_07) && failure.getCause() instanceof HostIoException host) {
            return protocol(host);
        }
        if (failure instanceof UnsupportedFeatureException feature) {
            return featureWords(feature);
        }
        if (failure instanceof BackingException backing) {
            return backingWords(backing);
        }
        if (failure instanceof LockedImageException) {
            return String.valueOf(failure.getMessage()).contains("no passphrase")
                    ? "Parameter 'encrypt.key-secret' is required for cipher"
                    : "Invalid password, cannot unlock any keyslot";
        }
        if (failure instanceof CorruptImageException) {
            return "Image is corrupt: " + failure.getMessage();
        }
        return String.valueOf(failure.getMessage());
    }

    private static String featureWords(UnsupportedFeatureException failure) {
        if (failure.clause().equals(HeaderClause.QC_HDR_17)) {
            return "qcow2: Image is corrupt; cannot be opened read/write";
        }
        if (failure.clause().equals(HeaderClause.QC_HDR_28)) {
            return "qcow2: unknown " + failure.feature().replace("compression type ", "compression type: ");
        }
        Matcher bits = FEATURE_BIT.matcher(failure.feature());
        StringBuilder known = new StringBuilder();
        long unknown = 0;
        boolean any = false;
        while (bits.find()) {
            any = true;
            if (bits.group(2) == null) {
                unknown |= 1L << Integer.parseInt(bits.group(1));
            } else {
                known.append(known.length() == 0 ? "" : ", ").append(bits.group(2));
            }
        }
        if (!any) {
            return String.valueOf(failure.getMessage());
        }
        if (unknown != 0) {
            known.append(known.length() == 0 ? "" : ", ")
                    .append("Unknown incompatible feature: ")
                    .append(Long.toHexString(unknown));
        }
        return "Unsupported qcow2 feature(s): " + known;
    }

    private static String backingWords(BackingException failure) {
        if (failure.clause().equals(BackingClause.QC_BACK_05)) {
            return "Could not open backing file: "
                    + String.valueOf(failure.getMessage())
                            .replaceFirst("(?s).*unknown format \"(.*)\".*", "Unknown driver '$1'");
        }
        if (failure.getCause() instanceof HostIoException host) {
            return "Could not open backing file: " + protocol(host);
        }
        boolean endless = failure.clause().equals(BackingClause.QC_BACK_04)
                || failure.clause().equals(LimitClause.QC_LIM_04);
        return "Could not open backing file: "
                + (endless
                        ? "Backing file '" + failure.backingName() + "' creates an infinite loop."
                        : failure.getMessage());
    }

    /** What the driver of files says. */
    private static String protocol(HostIoException failure) {
        String words = hostWords(failure);
        if (failure.operation().contains("not a regular file")) {
            return "'file' driver requires '" + failure.fileName() + "' to be a regular file";
        }
        return words.startsWith("Unknown protocol") ? words : "Could not open '" + failure.fileName() + "': " + words;
    }

    /**
     * Says that an image could not be opened.
     *
     * @param name as the user gave it
     * @param failure why
     * @return the whole message
     */
    public static String open(String name, DiskException failure) {
        return open(name, name, failure);
    }

    /**
     * Says that an image could not be opened.
     *
     * @param name as the user gave it
     * @param fileName the image's name among the host's files
     * @param failure why
     * @return the whole message
     */
    public static String open(String name, String fileName, DiskException failure) {
        return "Could not open '" + name + "': " + inner(fileName, failure);
    }

    /**
     * Says why an image could not be opened.
     *
     * @param fileName the image's name among the host's files
     * @param failure why
     * @return the message without the image's own name
     */
    public static String inner(String fileName, DiskException failure) {
        if (failure instanceof HostIoException host) {
            return protocol(host);
        }
        // An image further down the chain is opened by the one above it.
        boolean below =
                (failure instanceof ImageException image && !image.fileName().equals(fileName))
                        || (failure instanceof FileInUseException inUse
                                && !inUse.fileName().equals(fileName));
        return (below ? "Could not open backing file: " : "") + words(failure);
    }

    /**
     * Says that a file could not be created.
     *
     * @param name as the user gave it
     * @param failure why
     * @return the words behind the image's name
     */
    public static String create(String name, DiskException failure) {
        if (failure instanceof HostIoException host) {
            return "Could not create '" + (host.fileName().isEmpty() ? name : host.fileName()) + "': " + words(failure);
        }
        return words(failure);
    }
}
