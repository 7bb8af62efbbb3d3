package dev.qcow2.spec.trace;

import dev.qcow2.spec.trace.TraceEvent.Verb;
import java.util.ArrayList;
import java.util.List;

/**
 * Which entry may take the place of which: the actions of the model {@code Mapping} for one guest cluster, in the same words.
 *
 * <p>Where the format leaves room all ways are allowed: copy or skip, in place or into a fresh cluster, keeping a zeroed
 * cluster's host cluster or not.
 */
final class EntryRules {

    /** What the rules ask of host clusters. */
    interface Hosts {

        /** Whether nothing refers to it. */
        boolean isFree(long host);

        /** Whether a compressed stream may go there: it is free, or has only other streams. */
        boolean takesStream(long host);
    }

    private final Hosts hosts;
    private final int version;
    private final boolean backed;
    private final int subclusters;

    EntryRules(Hosts hosts, TraceEvent.Image image) {
        this.hosts = hosts;
        this.version = image.version();
        this.backed = image.backed();
        this.subclusters = image.subclusters();
    }

    private int all() {
        return subclusters == 1 ? 1 : -1;
    }

    private boolean extended() {
        return subclusters > 1;
    }

    /** A form that the format knows. */
    boolean wellFormed(EntryState e) {
        boolean compressed = !e.isCompressed() || (!e.copied() && e.hasHost());
        boolean flag = !e.copied() || e.hasHost();
        boolean data = e.data() == 0 || e.hasHost();
        boolean noneHasHost = extended() || !e.hasHost() || e.isCompressed() || (e.data() | e.zero()) != 0;
        boolean zero = version >= 3 || e.zero() == 0;
        return compressed && flag && data && noneHasHost && zero && (e.data() & e.zero()) == 0;
    }

    /** Whether a request may change an entry so. */
    boolean allows(Verb verb, RequestPart part, EntryState before, EntryState after) {
        if (!wellFormed(after) || part.touched() == 0) {
            return false;
        }
        return switch (verb) {
            case WRITE -> written(before, after, part.touched());
            case WRITE_COMPRESSED ->
                part.whole() && (compressed(before, after) || written(before, after, part.touched()));
            case ZERO, ZERO_KEEP -> zeroed(before, after, part);
            case DISCARD -> discarded(before, after, part);
            case WRITE_STATE, RESIZE, SAVE, RESTORE, FORGET, LOOK -> false;
        };
    }

    /** ImageWrite: the touched subclusters have data, in a host cluster that is the disk's own. */
    private boolean written(EntryState before, EntryState after, int touched) {
        if (after.isCompressed() || !after.copied() || !after.hasHost()) {
            return false;
        }
        boolean marksAll = after.data() == all() && after.zero() == 0;
        boolean marksTouched = !before.isCompressed()
                && after.data() == (before.data() | touched)
                && after.zero() == (before.zero() & ~touched);
        return (marksAll || marksTouched) && ownOrFresh(before, after, (touched & ~before.data()) != 0);
    }

    /** Machine state, or what a resize fills: some subclusters more have data. */
    boolean filled(EntryState before, EntryState after) {
        return wellFormed(after)
                && !after.isCompressed()
                && after.copied()
                && after.hasHost()
                && (after.data() & before.data()) == before.data()
                && ownOrFresh(before, after, true);
    }

    private boolean ownOrFresh(EntryState before, EntryState after, boolean fills) {
        boolean owns = owns(before);
        if (owns && after.host() == before.host()) {
            return fills;
        }
        boolean mayReplace = !owns || (!extended() && fills);
        return mayReplace && hosts.isFree(after.host());
    }

    private static boolean owns(EntryState e) {
        return e.copied() && e.hasHost() && !e.isCompressed();
    }

    /** MWriteCompressed. */
    private boolean compressed(EntryState before, EntryState after) {
        return after.isCompressed()
                && (before.refersTo(after.host()) || hosts.takesStream(after.host()))
                && (before.refersTo(after.last()) || hosts.takesStream(after.last()));
    }

    /** MZero, MZeroSubcluster and the write of zeros, also of several subclusters together. */
    private boolean zeroed(EntryState before, EntryState after, RequestPart part) {
        if (written(before, after, part.touched())) {
            return true;
        }
        boolean reads = readsZero(before);
        if ((part.whole() || reads) && zeroCluster(before, after)) {
            return true;
        }
        return extended() && subclustersZeroed(before, after, part);
    }

    private boolean readsZero(EntryState e) {
        return !e.isCompressed() && e.data() == 0 && (!backed || e.zero() == all());
    }

    /** ZeroCluster: it reads as zero by status, and keeps its host cluster if that is its own. */
    private boolean zeroCluster(EntryState before, EntryState after) {
        if (!after.hasHost() && !backed && after.zero() == 0) {
            return after.equals(EntryState.NONE);
        }
        return version >= 3 && after.data() == 0 && after.zero() == all() && keptOrGone(before, after);
    }

    private boolean keptOrGone(EntryState before, EntryState after) {
        return !after.hasHost() || (owns(before) && after.copied() && after.host() == before.host());
    }

    /** Each touched subcluster has data or is zero; covered ones by their bits, others by bytes; the rest stays. */
    private boolean subclustersZeroed(EntryState old, EntryState after, RequestPart part) {
        if (after.isCompressed()) {
            return false;
        }
        // Compressed data is written out first, as a whole.
        EntryState before = old.isCompressed() ? EntryState.standard(EntryState.NO_HOST, false, all(), 0) : old;
        int touched = part.touched();
        boolean restStays = (after.data() & ~touched) == (before.data() & ~touched)
                && (after.zero() & ~touched) == (before.zero() & ~touched);
        // What reads as zero may stay as it is; a backing file may hold zeros where only a part is asked for.
        int silent = before.zero() | (backed ? ~before.data() & ~part.covered() : ~before.data());
        boolean touchedZero = ((after.zero() | after.data() | silent) & touched) == touched;
        boolean bitsOnlyWhereCovered = (after.zero() & ~before.zero() & ~part.covered() & ~silent) == 0;
        boolean host = keptOrGone(before, after)
                // Zero bits in a shared cluster need no cluster of its own.
                || (after.sameHosts(before) && after.copied() == before.copied())
                || (after.copied() && ownOrFresh(before, after, true));
        return restStays && touchedZero && bitsOnlyWhereCovered && host;
    }

    /** MDiscard. */
    private boolean discarded(EntryState before, EntryState after, RequestPart part) {
        if (version == 2 && backed) {
            return false;
        }
        return (part.whole() && zeroCluster(before, after)) || (extended() && subclustersZeroed(before, after, part));
    }

    /** A resize hides the backing file, empties what it cuts off in part, and fills what is asked for. */
    boolean resized(EntryState before, EntryState after) {
        boolean bitsOfShared = after.sameHosts(before) && after.copied() == before.copied() && !after.isCompressed();
        boolean bits = bitsOfShared || keptOrGone(before, after) || (after.copied() && ownOrFresh(before, after, true));
        return wellFormed(after) && (zeroCluster(before, after) || filled(before, after) || (extended() && bits));
    }

    /** A table that is new, or the disk's own copy of a shared one. */
    boolean tableMade(EntryState before, EntryState after) {
        return after.copied() && after.hasHost() && !owns(before) && hosts.isFree(after.host());
    }

    /** What the model would have allowed, in words. */
    List<String> alternatives(Verb verb, RequestPart part, EntryState before) {
        List<String> ways = new ArrayList<>();
        if (part.touched() == 0) {
            return List.of("nothing: the request does not touch this cluster");
        }
        boolean writes =
                verb == Verb.WRITE || verb == Verb.WRITE_COMPRESSED || verb == Verb.ZERO || verb == Verb.ZERO_KEEP;
        if (writes && owns(before)) {
            ways.add("data in its own host cluster " + before.host() + ", with COPIED");
        } else if (writes) {
            ways.add("data in a host cluster that nobody refers to, with COPIED");
        }
        if (verb == Verb.WRITE_COMPRESSED) {
            ways.add("packed, without COPIED, where there are only other streams or nothing");
        }
        boolean zeroes = verb == Verb.ZERO || verb == Verb.ZERO_KEEP || verb == Verb.DISCARD;
        if (zeroes && part.whole() && version >= 3) {
            ways.add("zero" + (owns(before) ? ", or zero@" + before.host() + "+" : ""));
        }
        if (zeroes && part.whole() && !backed) {
            ways.add("none");
        }
        if (zeroes && extended()) {
            ways.add("zero bits for the subclusters that are covered");
        }
        return ways.isEmpty() ? List.of("nothing") : ways;
    }
}
