package dev.qcow2.conformance.formal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What can be told of a state: of the model, or of an image. Two of them are the same if their {@link #key} is: names
 * of host clusters and numbers of compressed streams are made anew in the order in which they are met.
 *
 * @param size clusters of the disk
 * @param guest what the blocks of each cluster show
 * @param entries the active L2 entry of each cluster
 * @param saved the snapshots by name, in order of the names
 * @param counts reference counts by host cluster
 */
record Observation(
        int size, List<String> guest, List<Entry> entries, Map<String, Saved> saved, Map<Object, Integer> counts) {

    /** There is no such host cluster. */
    static final Object NOWHERE = "nowhere";

    /**
     * An L2 entry.
     *
     * @param states "none", "zero" or "data" for each subcluster; "compressed"
     * @param host the host cluster, or {@link #NOWHERE}
     * @param tail the second host cluster of compressed data, or {@link #NOWHERE}
     * @param stream what tells compressed data apart in a host cluster
     * @param copied the flag COPIED
     */
    record Entry(String states, Object host, Object tail, Object stream, boolean copied) {}

    /**
     * A snapshot.
     *
     * @param size clusters
     * @param guest what it would show
     * @param entries its L2 entries; COPIED has no meaning there
     */
    record Saved(int size, List<String> guest, List<Entry> entries) {}

    /** One line: what the guest sees, the entries behind it, the same of each snapshot, and the reference counts. */
    String key() {
        Names names = new Names();
        StringBuilder text = new StringBuilder(160);
        put(text, "disk", size, guest, entries, names);
        saved.forEach((name, save) -> put(text, name, save.size(), save.guest(), save.entries(), names));
        text.append("; counts");
        names.hosts.forEach((host, name) -> names.counts[name - 1] = counts.getOrDefault(host, 0));
        for (int i = 0; i < names.hosts.size(); i++) {
            text.append(" h").append(i + 1).append('=').append(names.counts[i]);
        }
        return text.toString();
    }

    /** How many host clusters hold data. */
    int hosts() {
        return counts.size();
    }

    /** Several lines, one for each disk and one for the counts. */
    static String drawing(String key, String indent) {
        return indent + key.replace("; ", "\n" + indent).replace(" = ", "   ");
    }

    private static final class Names {
        final Map<Object, Integer> hosts = new HashMap<>();
        final Map<Object, Integer> streams = new HashMap<>();
        final int[] counts = new int[64];

        String host(Object host) {
            return "h" + hosts.computeIfAbsent(host, any -> hosts.size() + 1);
        }
    }

    private static void put(
            StringBuilder text, String name, int size, List<String> guest, List<Entry> entries, Names names) {
        text.append(text.isEmpty() ? "" : "; ")
                .append(name)
                .append(' ')
                .append(size)
                .append(':');
        guest.forEach(cluster -> text.append(' ').append(cluster));
        text.append(" =");
        for (Entry entry : entries) {
            text.append(' ').append(entry.states());
            if (entry.host() != NOWHERE) {
                text.append('@').append(names.host(entry.host()));
            }
            if (entry.tail() != NOWHERE) {
                text.append('+').append(names.host(entry.tail()));
            }
            if (entry.stream() != NOWHERE) {
                text.append('#')
                        .append(names.streams.computeIfAbsent(
                                List.of(entry.host(), entry.stream()), any -> names.streams.size() + 1));
            }
            text.append(entry.copied() ? "*" : "");
        }
    }
}
