package dev.qcow2.spec.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.model.GuestModel.DiscardRule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The model against the plainest one that there can be: an array of all bytes. */
class GuestModelTest {

    private static final int SIZE = 3 * 4096 + 100;
    private static final int CLUSTER = 512;

    /** A change: what, where, how long. */
    record Change(int what, int offset, int length) {}

    @Provide
    Arbitrary<Change> changes() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 4),
                        Arbitraries.integers().between(0, SIZE),
                        Arbitraries.integers().between(0, SIZE))
                .as((what, offset, length) -> new Change(what, offset, Math.min(length, SIZE - offset)));
    }

    /** Checks QC-GUEST-01, QC-GUEST-03, QC-GUEST-05, QC-BACK-01, QC-SNAP-01 and QC-SNAP-03 of the model itself. */
    @Property
    void sameAsAnArrayOfBytes(@ForAll List<@net.jqwik.api.From("changes") Change> changes) throws IOException {
        byte[] base = pattern(5000, 7);
        byte[] expected = Arrays.copyOf(base, SIZE);
        byte[] kept = expected.clone();
        GuestModel model = new GuestModel(SIZE, BaseContent.of(base));
        GuestModel.Saved saved = model.save();
        int fill = 0;
        for (Change change : changes) {
            int end = change.offset() + change.length();
            switch (change.what()) {
                case 0 -> {
                    byte[] bytes = pattern(change.length(), ++fill);
                    System.arraycopy(bytes, 0, expected, change.offset(), bytes.length);
                    model.write(change.offset(), ByteBuffer.wrap(bytes));
                }
                case 1 -> {
                    Arrays.fill(expected, change.offset(), end, (byte) 0);
                    model.zero(change.offset(), change.length());
                }
                case 2 -> {
                    discardClusterByCluster(expected, change.offset(), end);
                    model.discard(change.offset(), change.length(), new DiscardRule(CLUSTER, true));
                }
                case 3 -> {
                    kept = expected.clone();
                    saved = model.save();
                }
                default -> {
                    expected = kept.clone();
                    model.restore(saved);
                }
            }
            assertThat(all(model)).isEqualTo(expected);
        }
    }

    private static void discardClusterByCluster(byte[] bytes, int from, int to) {
        for (int start = 0; start < SIZE; start += CLUSTER) {
            int end = Math.min(SIZE, start + CLUSTER);
            if (from <= start && end <= to) {
                Arrays.fill(bytes, start, end, (byte) 0);
            }
        }
    }

    @Test
    @DisplayName("QC-GUEST-04 a discard in version 2 over a backing file changes nothing")
    void discardWithoutEffect() throws IOException {
        GuestModel model = new GuestModel(SIZE, BaseContent.of(pattern(SIZE, 1)));
        model.discard(0, SIZE, new DiscardRule(CLUSTER, false));
        assertThat(all(model)).isEqualTo(pattern(SIZE, 1));
    }

    @Test
    @DisplayName("QC-GUEST-04 a byte that is neither old nor zero after a discard is found")
    void neitherOldNorZero() throws IOException {
        byte[] old = pattern(1000, 1);
        GuestModel model = new GuestModel(SIZE, BaseContent.of(old));
        byte[] observed = old.clone();
        Arrays.fill(observed, 100, 300, (byte) 0);
        assertThat(model.firstNeitherOldNorZero(0, ByteBuffer.wrap(observed))).isEmpty();
        observed[700]++;
        assertThat(model.firstNeitherOldNorZero(0, ByteBuffer.wrap(observed))).hasValue(700);
    }

    @Test
    @DisplayName("QC-GUEST-01 the first wrong byte is named by its guest offset")
    void firstDifference() throws IOException {
        GuestModel model = new GuestModel(SIZE, BaseContent.empty());
        byte[] observed = new byte[6000];
        assertThat(model.firstDifference(100, ByteBuffer.wrap(observed))).isEmpty();
        observed[5999] = 1;
        assertThat(model.firstDifference(100, ByteBuffer.wrap(observed))).hasValue(6099);
    }

    @Test
    @DisplayName("QC-GUEST-02 a request that leaves the disk is told from one that does not")
    void bounds() {
        GuestModel model = new GuestModel(SIZE, BaseContent.empty());
        assertThat(model.contains(SIZE, 0)).isTrue();
        assertThat(model.contains(0, SIZE)).isTrue();
        assertThat(model.contains(1, SIZE)).isFalse();
        assertThat(model.contains(-1, 1)).isFalse();
        assertThat(model.contains(Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
    }

    private static byte[] all(GuestModel model) throws IOException {
        byte[] bytes = new byte[SIZE];
        model.read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    private static byte[] pattern(int length, int fill) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (fill * 31 + i * 7 + 1);
        }
        return bytes;
    }
}
