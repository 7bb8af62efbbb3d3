package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Draws whole scripts: which depends on seed and index alone. */
public final class ScriptGenerator {

    private static final int FEWEST_OPERATIONS = 12;
    private static final int MOST_OPERATIONS = 30;

    private final long seed;
    private static final int COMMON_SHARE = 70;
    private static final int TOUR_SHARE = 15;

    /** So many sequences apart are the tours that meet every transition. */
    private static final int COMPLETE_TOUR_EVERY = 8;

    private final List<Set<Feature>> offers;

    /**
     * Makes a generator.
     *
     * @param seed of the campaign
     * @param offers sets of features that somebody supports; the first one, which all support, is taken most often
     */
    public ScriptGenerator(long seed, List<Set<Feature>> offers) {
        this.seed = seed;
        this.offers = List.copyOf(offers);
    }

    private Abilities offer(Dice dice, boolean qemu) {
        return new Abilities(dice.percent(COMMON_SHARE) ? offers.get(0) : dice.pick(offers), qemu);
    }

    /**
     * Draws a script with a chain of its own.
     *
     * @param index of the sequence
     * @param qemu true if QEMU takes part in it
     * @return the script, without names of subjects
     */
    public Script script(long index, boolean qemu) {
        Dice dice = Dice.of(seed, index);
        long tour = index / COMPLETE_TOUR_EVERY;
        if (index % COMPLETE_TOUR_EVERY == 3 && tour < CompleteTour.TOURS) {
            CompleteTour complete = new CompleteTour((int) tour, dice, new Abilities(offers.get(0), qemu));
            if (complete.isPossible()) {
                return complete.script();
            }
        }
        Abilities offer = offer(dice, qemu);
        if (dice.percent(TOUR_SHARE)) {
            return new TourGenerator(dice, offer).script();
        }
        Abilities abilities = offer.choose(dice);
        List<Layer> layers = new ChainGenerator(dice, abilities).chain();
        Layer top = layers.get(0);
        OperationGenerator operations = new OperationGenerator(
                dice, top.size(), top.clusterBits(), layers.size(), interesting(layers), abilities);
        return new Script(
                Optional.empty(),
                layers,
                !dice.percent(20),
                dice.percent(60) ? Rigour.EACH : Rigour.FLUSH,
                qemu,
                List.of(),
                operations.operations(length(dice)));
    }

    /**
     * Draws a script that starts from an existing image.
     *
     * @param index of the sequence
     * @param image the image and what is known of it
     * @param qemu true if QEMU takes part in it
     * @return the script, without names of subjects
     */
    public Script script(long index, ImageFacts image, boolean qemu) {
        Dice dice = Dice.of(seed, index);
        Abilities abilities = offer(dice, qemu).choose(dice).onExistingImage();
        OperationGenerator operations =
                new OperationGenerator(dice, image.size(), image.clusterBits(), 0, image.interesting(), abilities);
        return new Script(
                Optional.of(image.name()),
                List.of(),
                !dice.percent(20),
                dice.percent(60) ? Rigour.EACH : Rigour.FLUSH,
                qemu,
                List.of(),
                operations.operations(length(dice)));
    }

    private static int length(Dice dice) {
        return (int) dice.between(FEWEST_OPERATIONS, MOST_OPERATIONS);
    }

    private static List<Long> interesting(List<Layer> layers) {
        Layer top = layers.get(0);
        List<Long> offsets = new ArrayList<>(boundaries(top.size(), top.clusterBits()));
        for (Layer layer : layers) {
            offsets.add(layer.size());
            for (Run run : layer.content()) {
                offsets.add(run.first() << layer.clusterBits());
                offsets.add(run.end() << layer.clusterBits());
            }
        }
        return offsets;
    }

    /**
     * Returns the offsets where every disk of a geometry has boundaries.
     *
     * @param size bytes of the disk
     * @param clusterBits of the image
     * @return first and last cluster, and both sides of the boundaries of L2 tables
     */
    static List<Long> boundaries(long size, int clusterBits) {
        long cluster = 1L << clusterBits;
        long table = cluster * cluster / 8;
        List<Long> offsets = new ArrayList<>(List.of(0L, cluster, Math.max(0, size - 1), Math.max(0, size - cluster)));
        for (long at = table; at > 0 && at < size && offsets.size() < 40; at += table) {
            offsets.add(at);
            offsets.add(at - cluster);
        }
        return offsets;
    }
}
