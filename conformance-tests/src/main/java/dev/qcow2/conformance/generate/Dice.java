package dev.qcow2.conformance.generate;

import java.util.List;
import java.util.SplittableRandom;

/** Random choices that depend on a seed alone. */
public final class Dice {

    private static final long STEP = 0x9E3779B97F4A7C15L;

    private final SplittableRandom random;

    private Dice(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /**
     * Makes the dice of one sequence.
     *
     * @param seed of the campaign
     * @param index of the sequence
     * @return dice that fall the same way each time
     */
    public static Dice of(long seed, long index) {
        return new Dice(seed * STEP + index);
    }

    /** Returns a number from 0 to {@code bound - 1}. */
    long below(long bound) {
        return random.nextLong(bound);
    }

    /** Returns a number from {@code least} to {@code most}. */
    long between(long least, long most) {
        return least + random.nextLong(most - least + 1);
    }

    /** Returns true that often in a hundred. */
    boolean percent(int share) {
        return random.nextInt(100) < share;
    }

    /** Returns one of the values, each as often as the others. */
    <T> T pick(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    /** Returns an index, as often as its weight says. */
    int weighted(int... weights) {
        int sum = 0;
        for (int weight : weights) {
            sum += weight;
        }
        int at = random.nextInt(sum);
        int index = 0;
        while (at >= weights[index]) {
            at -= weights[index];
            index++;
        }
        return index;
    }
}
