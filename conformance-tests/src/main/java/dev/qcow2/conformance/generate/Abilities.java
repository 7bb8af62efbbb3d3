package dev.qcow2.conformance.generate;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What a sequence may use.
 *
 * @param features beyond the plain form of the format
 * @param qemu true if QEMU takes part in the sequence
 */
public record Abilities(Set<Feature> features, boolean qemu) {

    private static final int PLAIN_SHARE = 40;

    /** Copies the set. */
    public Abilities {
        Set<Feature> copy = EnumSet.noneOf(Feature.class);
        copy.addAll(features);
        features = Collections.unmodifiableSet(copy);
    }

    /**
     * Says whether a feature may be used.
     *
     * @param feature any
     * @return true if it is among them
     */
    public boolean has(Feature feature) {
        return features.contains(feature);
    }

    /**
     * Chooses what one sequence uses. Four in ten use the plain form with snapshots; the others mix what goes together.
     */
    Abilities choose(Dice dice) {
        Set<Feature> chosen = EnumSet.noneOf(Feature.class);
        boolean plain = dice.percent(PLAIN_SHARE);
        for (Feature feature : Feature.values()) {
            // The dice fall for features that nobody has, too: so the rest of a sequence stays the same when one is
            // added.
            boolean wanted = dice.percent(share(feature));
            if (wanted && has(feature) && (!plain || feature == Feature.SNAPSHOTS)) {
                chosen.add(feature);
            }
        }
        dropWhatDoesNotGoTogether(chosen);
        // Only version 3 has these, and an image that has them stays that.
        if (chosen.contains(Feature.AMEND) && dice.percent(50)) {
            chosen.removeAll(EnumSet.of(Feature.SUBCLUSTERS, Feature.ZSTD, Feature.BITMAPS, Feature.DATA_FILE));
        }
        return new Abilities(chosen, qemu);
    }

    /** Features that need to know more of an image than can be seen from outside, or would be unbounded on a large one. */
    Abilities onExistingImage() {
        Set<Feature> rest = EnumSet.noneOf(Feature.class);
        rest.addAll(features);
        rest.retainAll(EnumSet.of(Feature.SNAPSHOTS));
        return new Abilities(rest, qemu);
    }

    private static int share(Feature feature) {
        return switch (feature) {
            case SNAPSHOTS -> 85;
            case COMPRESSED -> 50;
            case SUBCLUSTERS -> 45;
            case ZSTD, RESIZE, BITMAPS -> 35;
            case VM_STATE -> 20;
            case LAZY_REFCOUNTS, AMEND, REPAIR -> 15;
            case REBASE, COMMIT -> 12;
            case DATA_FILE, PREALLOCATION -> 10;
            case LUKS -> 5;
            case LEGACY_ENCRYPTION -> 3;
        };
    }

    /** QC-CMP-16, QC-DATA-06: such images have no compressed clusters, and those with a data file no snapshots. */
    private static void dropWhatDoesNotGoTogether(Set<Feature> chosen) {
        if (chosen.contains(Feature.DATA_FILE)) {
            chosen.removeAll(EnumSet.of(Feature.SNAPSHOTS, Feature.VM_STATE, Feature.LUKS, Feature.LEGACY_ENCRYPTION));
        }
        if (chosen.contains(Feature.LUKS)) {
            chosen.remove(Feature.LEGACY_ENCRYPTION);
        }
        boolean encrypted = chosen.contains(Feature.LUKS) || chosen.contains(Feature.LEGACY_ENCRYPTION);
        if (encrypted || chosen.contains(Feature.DATA_FILE)) {
            chosen.removeAll(EnumSet.of(Feature.COMPRESSED, Feature.ZSTD));
        }
        if (!chosen.contains(Feature.SNAPSHOTS)) {
            chosen.remove(Feature.VM_STATE);
        }
        if (!chosen.contains(Feature.COMPRESSED)) {
            chosen.remove(Feature.ZSTD);
        }
    }
}
