package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.TraceEvent.Area;
import dev.qcow2.spec.trace.TraceEvent.Count;
import dev.qcow2.spec.trace.TraceEvent.Counted;
import dev.qcow2.spec.trace.TraceEvent.Done;
import dev.qcow2.spec.trace.TraceEvent.Entry;
import dev.qcow2.spec.trace.TraceEvent.Fate;
import dev.qcow2.spec.trace.TraceEvent.Holds;
import dev.qcow2.spec.trace.TraceEvent.Host;
import dev.qcow2.spec.trace.TraceEvent.HostVerb;
import dev.qcow2.spec.trace.TraceEvent.Image;
import dev.qcow2.spec.trace.TraceEvent.Put;
import dev.qcow2.spec.trace.TraceEvent.PutCount;
import dev.qcow2.spec.trace.TraceEvent.PutDirty;
import dev.qcow2.spec.trace.TraceEvent.PutSaved;
import dev.qcow2.spec.trace.TraceEvent.Ready;
import dev.qcow2.spec.trace.TraceEvent.Request;
import dev.qcow2.spec.trace.TraceEvent.Saved;
import dev.qcow2.spec.trace.TraceEvent.SavedEntry;
import dev.qcow2.spec.trace.TraceEvent.Settled;
import dev.qcow2.spec.trace.TraceEvent.Size;
import dev.qcow2.spec.trace.TraceEvent.Snapshot;
import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A trace as text: a line that says so, then an event a line. Empty lines and lines that begin with # say nothing.
 *
 * <pre>
 * qcow2 trace 1
 * image 3 16 1 no 1048576        version, cluster bits, subclusters, backing file, size
 * holds cluster 5 data@7+        at first: guest cluster 5 has its data in host cluster 7, with COPIED
 * saved 1 cluster 5 data@7       at first: snapshot 1 refers to it
 * counted 7 2                    at first: host cluster 7 has a count of 2
 * ready
 * request write 0 512            or: zero, zero-keep, discard, write-compressed, save 1, ...
 * size 65536                     the disk is as long as the snapshot was
 * count 9 0 1                    before and after
 * entry cluster 0 none data@9+   before and after
 * saved-entry 1 cluster 5 none data@7
 * snapshot taken 1               or: restored, gone
 * done
 * settled
 * host write l2 4096 8           or: zero, punch, truncate, flush
 * put cluster 0 data@9+          what this changed in the file
 * put-count 9 1
 * put-saved 1 cluster 5 none
 * put-dirty yes
 * </pre>
 *
 * <p>Entries: {@code none}; {@code zero} with or without a host cluster; {@code data}; {@code packed@7-8/100}, compressed data
 * from byte 100 of host cluster 7 to host cluster 8; {@code mixed@7+:f/f0}, subclusters 0 to 3 with data and 4 to 7 that read
 * as zero.
 */
public final class TraceText {

    /** The first line. */
    public static final String HEAD = "qcow2 trace 1";

    /**
     * An event and where it stands.
     *
     * @param line counted from 1
     * @param event what was done
     */
    public record Line(int line, TraceEvent event) {}

    private TraceText() {}

    /**
     * Writes a trace.
     *
     * @param events in their order
     * @return lines of text
     */
    public static String write(List<? extends TraceEvent> events) {
        StringBuilder text = new StringBuilder(HEAD).append('\n');
        events.forEach(event -> text.append(line(event)).append('\n'));
        return text.toString();
    }

    /**
     * Writes an event.
     *
     * @param event what was done
     * @return one line without its end
     */
    public static String line(TraceEvent event) {
        return onGuestLevel(event) ? guestLine(event) : hostLine(event);
    }

    /**
     * Says on which of the two levels an event is.
     *
     * @param event an event
     * @return false for operations on the file and what they changed
     */
    public static boolean onGuestLevel(TraceEvent event) {
        return !(event instanceof Host
                || event instanceof Put
                || event instanceof PutCount
                || event instanceof PutSaved
                || event instanceof PutDirty);
    }

    private static String guestLine(TraceEvent event) {
        if (event instanceof Image e) {
            return words("image", e.version(), e.clusterBits(), e.subclusters(), e.backed() ? "yes" : "no", e.size());
        } else if (event instanceof Holds e) {
            return words("holds", e.place(), e.state());
        } else if (event instanceof Saved e) {
            return words("saved", quoted(e.snapshot()), e.place(), e.state());
        } else if (event instanceof Counted e) {
            return words("counted", e.host(), e.value());
        } else if (event instanceof Ready) {
            return "ready";
        } else if (event instanceof Request e) {
            return words("request", e.verb().word(), e.offset(), e.length(), quoted(e.name()))
                    .strip();
        } else if (event instanceof Entry e) {
            return words("entry", e.place(), e.before(), e.after());
        } else if (event instanceof Count e) {
            return words("count", e.host(), e.before(), e.after());
        } else if (event instanceof SavedEntry e) {
            return words("saved-entry", quoted(e.snapshot()), e.place(), e.before(), e.after());
        } else if (event instanceof Size e) {
            return words("size", e.bytes());
        } else if (event instanceof Snapshot e) {
            return words("snapshot", e.fate().word(), quoted(e.snapshot()));
        }
        return event instanceof Done ? "done" : "settled";
    }

    private static String hostLine(TraceEvent event) {
        if (event instanceof Host e) {
            return words("host", e.verb().word(), e.area().word(), e.offset(), e.length());
        } else if (event instanceof Put e) {
            return words("put", e.place(), e.state());
        } else if (event instanceof PutCount e) {
            return words("put-count", e.host(), e.value());
        } else if (event instanceof PutSaved e) {
            return words("put-saved", quoted(e.snapshot()), e.place(), e.state());
        } else if (event instanceof PutDirty e) {
            return words("put-dirty", e.set() ? "yes" : "no");
        }
        throw new IllegalArgumentException("an event of no level: " + event);
    }

    private static String words(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) {
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        return line.toString();
    }

    private static String quoted(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8);
    }

    /**
     * Reads a trace.
     *
     * @param file what to call it if something is wrong with it
     * @param text the whole of it
     * @return the events with their lines
     * @throws TraceException if a line is no event
     */
    public static List<Line> parse(String file, String text) throws TraceException {
        List<Line> events = new ArrayList<>();
        int number = 0;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            number++;
            String trimmed = line.strip();
            if (number == 1) {
                if (!trimmed.equals(HEAD)) {
                    throw new TraceException(file, 1, "does not begin with \"" + HEAD + "\"");
                }
            } else if (!trimmed.isEmpty() && !trimmed.startsWith("#")) {
                events.add(new Line(number, parseLine(file, number, trimmed)));
            }
        }
        if (number == 0) {
            throw new TraceException(file, 1, "is empty; a trace begins with \"" + HEAD + "\"");
        }
        return events;
    }

    private static TraceEvent parseLine(String file, int number, String line) throws TraceException {
        Cursor words = new Cursor(line.split("\\s+"));
        try {
            TraceEvent event = parse(words);
            if (event == null) {
                throw new TraceException(file, number, "unknown event \"" + words.words[0] + "\" in: " + line);
            }
            words.end();
            return event;
        } catch (IllegalArgumentException e) {
            throw new TraceException(file, number, "not an event, " + e.getMessage() + ": " + line);
        }
    }

    private static @Nullable TraceEvent parse(Cursor w) {
        return switch (w.next()) {
            case "image" -> new Image(w.number(), w.number(), w.number(), w.truth(), w.big());
            case "holds" -> new Holds(w.place(), w.state());
            case "saved" -> new Saved(w.name(), w.place(), w.state());
            case "counted" -> new Counted(w.big(), w.big());
            case "ready" -> new Ready();
            case "request" -> new Request(w.oneOf(Verb.values(), Verb::word), w.big(), w.big(), w.optionalName());
            case "size" -> new Size(w.big());
            case "entry" -> new Entry(w.place(), w.state(), w.state());
            case "count" -> new Count(w.big(), w.big(), w.big());
            case "saved-entry" -> new SavedEntry(w.name(), w.place(), w.state(), w.state());
            case "snapshot" -> new Snapshot(w.oneOf(Fate.values(), Fate::word), w.name());
            case "done" -> new Done();
            case "settled" -> new Settled();
            case "host" ->
                new Host(
                        w.oneOf(HostVerb.values(), HostVerb::word),
                        w.oneOf(Area.values(), Area::word),
                        w.big(),
                        w.big());
            case "put" -> new Put(w.place(), w.state());
            case "put-count" -> new PutCount(w.big(), w.big());
            case "put-saved" -> new PutSaved(w.name(), w.place(), w.state());
            case "put-dirty" -> new PutDirty(w.truth());
            default -> null;
        };
    }

    /** The words of a line, one after the other. */
    private static final class Cursor {

        private final String[] words;
        private int at;

        Cursor(String[] words) {
            this.words = words;
        }

        String next() {
            if (at == words.length) {
                throw new IllegalArgumentException("a word is missing");
            }
            return words[at++];
        }

        void end() {
            if (at < words.length) {
                throw new IllegalArgumentException("a word too many");
            }
        }

        long big() {
            return Long.parseLong(next());
        }

        int number() {
            return Integer.parseInt(next());
        }

        boolean truth() {
            return oneOf(new Boolean[] {false, true}, value -> value ? "yes" : "no");
        }

        String name() {
            return URLDecoder.decode(next(), StandardCharsets.UTF_8);
        }

        String optionalName() {
            return at == words.length ? "" : name();
        }

        Place place() {
            return new Place(oneOf(Place.Kind.values(), Place.Kind::word), big());
        }

        EntryState state() {
            return EntryState.parse(next());
        }

        <T> T oneOf(T[] values, Function<T, String> word) {
            String found = next();
            for (T value : values) {
                if (word.apply(value).equals(found)) {
                    return value;
                }
            }
            throw new IllegalArgumentException("unknown word \"" + found + "\"");
        }
    }
}
