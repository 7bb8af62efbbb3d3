package dev.qcow2.conformance.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The judge of concurrent requests is right in both directions. */
class ExplanationTest {

    private static final int SIZE = 64;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("QC-GUEST-01: whatever an order of overlapping requests leaves is explained")
    void everyOrderIsExplained(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            byte[] disk = new byte[SIZE];
            List<Effect> effects = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                // Each takes effect at time 10 i + 5 and is under way around that time.
                Effect effect = effect(random, i, 10 * i + 5 - random.nextInt(40), 10 * i + 5 + random.nextInt(40));
                System.arraycopy(effect.bytes(), 0, disk, effect.offset(), effect.bytes().length);
                effects.add(random.nextInt(effects.size() + 1), effect);
            }
            assertThat(Explanation.missing(new byte[SIZE], disk, effects)).isEmpty();
        }
    }

    @Test
    @DisplayName("QC-GUEST-01: bytes of an earlier request that the clock puts before a later one are a fault")
    void theClockBinds() {
        List<Effect> effects = List.of(write("first", 0, 8, 1, 0, 10), write("second", 0, 8, 2, 11, 20));
        assertThat(Explanation.missing(new byte[8], filled(8, 2), effects)).isEmpty();
        assertThat(Explanation.missing(new byte[8], filled(8, 1), effects)).isPresent();
    }

    @Test
    @DisplayName("QC-GUEST-01: two requests that each won a part of the other have no order")
    void tornRequestsHaveNoOrder() {
        List<Effect> effects = List.of(write("a", 0, 8, 1, 0, 10), write("b", 0, 8, 2, 0, 10));
        byte[] torn = filled(8, 1);
        Arrays.fill(torn, 4, 8, (byte) 2);
        assertThat(Explanation.missing(new byte[8], torn, effects)).isPresent();
    }

    @Test
    @DisplayName("QC-GUEST-10: a byte that no request touched must not change")
    void untouchedBytesStay() {
        List<Effect> effects = List.of(write("a", 0, 4, 1, 0, 10));
        byte[] after = new byte[8];
        Arrays.fill(after, 0, 4, (byte) 1);
        assertThat(Explanation.missing(new byte[8], after, effects)).isEmpty();
        after[7] = 1;
        assertThat(Explanation.missing(new byte[8], after, effects))
                .get()
                .asString()
                .contains("byte 7");
    }

    private static Effect effect(SplittableRandom random, int id, long started, long finished) {
        int offset = random.nextInt(SIZE);
        int length = random.nextInt(SIZE - offset + 1);
        // Some leave zeros, as discards do: several requests then leave the same bytes.
        return write("request " + id, offset, length, random.nextInt(3) == 0 ? 0 : id + 1, started, finished);
    }

    private static Effect write(String name, int offset, int length, int value, long started, long finished) {
        return new Effect(name, offset, filled(length, value), started, finished);
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
