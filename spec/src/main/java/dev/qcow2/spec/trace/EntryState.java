package dev.qcow2.spec.trace;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an entry says.
 *
 * @param host the host cluster that it names, the first one of compressed data; {@link #NO_HOST} for none
 * @param last the last host cluster of compressed data; the same as {@code host} for all other entries
 * @param copied whether the COPIED flag is set
 * @param stream for compressed data, byte of the host cluster in which it starts; -1 for all other entries
 * @param data which subclusters have data, a bit each; the first bit stands for all where there are no subclusters
 * @param zero which subclusters read as zero, likewise
 */
public record EntryState(long host, long last, boolean copied, long stream, int data, int zero) {

    /** In place of a host cluster. */
    public static final long NO_HOST = -1;

    /** An entry that names nothing and says nothing. */
    public static final EntryState NONE = new EntryState(NO_HOST, NO_HOST, false, -1, 0, 0);

    private static final Pattern FORM = Pattern.compile(
            "(none|zero|data|packed|mixed)(?:@(\\d+)(?:-(\\d+))?(?:/(\\d+))?(\\+)?)?(?::(\\w+)/(\\w+))?");

    /**
     * Makes an entry that is not compressed.
     *
     * @param host the host cluster, or {@link #NO_HOST}
     * @param copied the COPIED flag
     * @param data which subclusters have data
     * @param zero which subclusters read as zero
     * @return the entry
     */
    public static EntryState standard(long host, boolean copied, int data, int zero) {
        if (host == NO_HOST && !copied && data == 0 && zero == 0) {
            return NONE;
        }
        return new EntryState(host, host, copied, -1, data, zero);
    }

    /**
     * Makes a compressed entry.
     *
     * @param first the host cluster in which the data starts
     * @param last the host cluster in which it ends
     * @param copied the COPIED flag, which must not be there
     * @param stream byte of the first host cluster in which the data starts
     * @return the entry
     */
    public static EntryState compressed(long first, long last, boolean copied, long stream) {
        return new EntryState(first, last, copied, stream, 0, 0);
    }

    /**
     * Says whether the data is compressed.
     *
     * @return true if it is
     */
    public boolean isCompressed() {
        return stream >= 0;
    }

    /**
     * Says whether the entry names a host cluster.
     *
     * @return true if it does
     */
    public boolean hasHost() {
        return host != NO_HOST;
    }

    /**
     * Says whether it refers to a host cluster.
     *
     * @param cluster a host cluster
     * @return true if it does
     */
    public boolean refersTo(long cluster) {
        return hasHost() && cluster >= host && cluster <= last;
    }

    /**
     * Says whether both refer to the same host clusters in the same way.
     *
     * @param other another entry
     * @return true if no count would change if one took the place of the other
     */
    public boolean sameHosts(EntryState other) {
        return host == other.host && last == other.last && isCompressed() == other.isCompressed();
    }

    /**
     * Says whether bytes of the host cluster are shown to the guest.
     *
     * @return false if the entry has none, or only keeps it
     */
    public boolean showsHost() {
        return hasHost() && (isCompressed() || data != 0);
    }

    /**
     * Returns the same entry with or without COPIED.
     *
     * @param flag whether it is set
     * @return the entry
     */
    public EntryState withCopied(boolean flag) {
        return flag == copied ? this : new EntryState(host, last, flag, stream, data, zero);
    }

    /** The form of a trace, such as {@code data@7+}: "+" stands for COPIED. */
    @Override
    public String toString() {
        String place = hasHost()
                ? "@" + host + (last != host ? "-" + last : "") + (stream >= 0 ? "/" + stream : "")
                        + (copied ? "+" : "")
                : "";
        String word = word();
        return word
                + place
                + (word.equals("mixed") ? ":" + Integer.toHexString(data) + "/" + Integer.toHexString(zero) : "");
    }

    private String word() {
        if (isCompressed()) {
            return "packed";
        }
        if (copied && !hasHost()) {
            return "mixed";
        }
        if (data == 0 && zero == 0) {
            return hasHost() ? "mixed" : "none";
        }
        // What stands for all depends on the number of subclusters; with subclusters all 32 bits are set.
        if (zero == 0 && (data == 1 || data == -1)) {
            return data == 1 ? "data" : "mixed";
        }
        return data == 0 && zero == 1 ? "zero" : "mixed";
    }

    /**
     * Reads an entry in the form that {@link #toString} writes.
     *
     * @param text one word
     * @return the entry
     * @throws IllegalArgumentException if it has no such form
     */
    public static EntryState parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("no entry: " + text);
        }
        long host = form.group(2) == null ? NO_HOST : Long.parseLong(form.group(2));
        long last = form.group(3) == null ? host : Long.parseLong(form.group(3));
        boolean copied = form.group(5) != null;
        return switch (form.group(1)) {
            case "none" -> standard(host, copied, 0, 0);
            case "zero" -> standard(host, copied, 0, 1);
            case "data" -> standard(host, copied, 1, 0);
            case "packed" -> compressed(host, last, copied, form.group(4) == null ? 0 : Long.parseLong(form.group(4)));
            default -> standard(host, copied, hex(form.group(6), text), hex(form.group(7), text));
        };
    }

    private static int hex(@Nullable String digits, String text) {
        if (digits == null) {
            throw new IllegalArgumentException("no subclusters: " + text);
        }
        return Integer.parseUnsignedInt(digits, 16);
    }
}
