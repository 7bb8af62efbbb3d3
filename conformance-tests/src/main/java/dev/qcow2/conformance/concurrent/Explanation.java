package dev.qcow2.conformance.concurrent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds an order of requests that explains what is on a disk after them.
 *
 * <p>The order must keep what the clock says: a request that was answered before another one was
 * sent comes before it. It is built from its end. A request can be the last one if none of the others
 * was sent after its answer, and if wherever no later request wrote, the disk holds what this one
 * left. To take any such request is never wrong: in every order that explains the disk it can be
 * moved to the end. So the search needs no way back.
 */
public final class Explanation {

    private final byte[] after;
    private final int[] borders;
    private final BitSet settled = new BitSet();
    private final List<Effect> remaining;

    private Explanation(byte[] after, List<Effect> effects, List<Effect> ignored) {
        TreeSet<Integer> edges = new TreeSet<>(List.of(0, after.length));
        Stream.concat(effects.stream(), ignored.stream()).forEach(effect -> {
            edges.add(effect.offset());
            edges.add(effect.end());
        });
        this.after = after;
        this.borders = edges.stream().mapToInt(Integer::intValue).toArray();
        ignored.forEach(effect -> settled.set(index(effect.offset()), index(effect.end())));
        this.remaining = new ArrayList<>(effects);
        // The likely last ones first: the search looks at few.
        this.remaining.sort(Comparator.comparingLong(Effect::finished).reversed());
    }

    /**
     * Says why no order explains the disk.
     *
     * @param before the disk before the first request was sent
     * @param after the disk after the last request was answered
     * @param effects what the requests did, in any order
     * @return empty if some order explains it
     */
    public static Optional<String> missing(byte[] before, byte[] after, List<Effect> effects) {
        return missing(before, after, effects, List.of());
    }

    /**
     * Says why no order explains the disk, where bytes that were changing when it was looked at are left out.
     *
     * @param before the disk before the first request was sent
     * @param after the disk when it was looked at
     * @param effects what requests did that were answered before, in any order
     * @param ignored what requests did that were under way; nothing is asked of the bytes that they touch
     * @return empty if some order explains it
     */
    public static Optional<String> missing(byte[] before, byte[] after, List<Effect> effects, List<Effect> ignored) {
        Explanation explanation = new Explanation(after, effects, ignored);
        while (!explanation.remaining.isEmpty()) {
            if (!explanation.takeLast()) {
                return Optional.of(explanation.complaint());
            }
        }
        return explanation.untouched(before);
    }

    private boolean takeLast() {
        for (int i = 0; i < remaining.size(); i++) {
            Effect candidate = remaining.get(i);
            if (mayBeLast(candidate)) {
                settled.set(index(candidate.offset()), index(candidate.end()));
                remaining.remove(i);
                return true;
            }
        }
        return false;
    }

    private boolean mayBeLast(Effect candidate) {
        for (Effect other : remaining) {
            if (other.started() > candidate.finished()) {
                return false;
            }
        }
        return firstMismatch(candidate) < 0;
    }

    /** Returns the first byte that the candidate, as the last one, fails to explain; or -1. */
    private int firstMismatch(Effect candidate) {
        int last = index(candidate.end());
        for (int i = settled.nextClearBit(index(candidate.offset())); i < last; i = settled.nextClearBit(i + 1)) {
            int from = borders[i];
            int mismatch = Arrays.mismatch(
                    after,
                    from,
                    borders[i + 1],
                    candidate.bytes(),
                    from - candidate.offset(),
                    borders[i + 1] - candidate.offset());
            if (mismatch >= 0) {
                return from + mismatch;
            }
        }
        return -1;
    }

    private Optional<String> untouched(byte[] before) {
        int intervals = borders.length - 1;
        for (int i = settled.nextClearBit(0); i < intervals; i = settled.nextClearBit(i + 1)) {
            int mismatch = Arrays.mismatch(before, borders[i], borders[i + 1], after, borders[i], borders[i + 1]);
            if (mismatch >= 0) {
                int at = borders[i] + mismatch;
                return Optional.of("byte " + at + " changed although no request touched it: was " + hex(before, at)
                        + ", is " + hex(after, at));
            }
        }
        return Optional.empty();
    }

    private String complaint() {
        return "no order of these requests explains the disk:" + System.lineSeparator()
                + remaining.stream()
                        .map(effect -> "  " + effect + ": " + why(effect))
                        .collect(Collectors.joining(System.lineSeparator()));
    }

    private String why(Effect effect) {
        int at = firstMismatch(effect);
        return at < 0
                ? "others were sent after its answer"
                : "can't be the last one, for byte " + at + " is " + hex(after, at);
    }

    private int index(int border) {
        return Arrays.binarySearch(borders, border);
    }

    private static String hex(byte[] bytes, int at) {
        return String.format("0x%02x", bytes[at]);
    }
}
