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
    private static final int VM_STATE = 9000;

    /** A change: what, where, how long; or a size to change to. */
    record Change(int what, int offset, int length) {}

    /** The disk as arrays. */
    private static final class Arrayed {
        private byte[] bytes;
        private byte[] vmState = new byte[VM_STATE];

        Arrayed(byte[] bytes) {
            this.bytes = bytes;
        }

        Arrayed copy() {
            Arrayed copy = new Arrayed(bytes.clone());
            copy.vmState = vmState.clone();
            return copy;
        }
    }

    @Provide
    Arbitrary<Change> changes() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 6),
                        Arbitraries.integers().between(0, 2 * SIZE),
                        Arbitraries.integers().between(0, SIZE))
                .as(Change::new);
    }

    /**
     * Checks QC-GUEST-01, QC-GUEST-03, QC-GUEST-05, QC-BACK-01, QC-SNAP-01, QC-SNAP-03, QC-SNAP-12, QC-SNAP-22, QC-MNT-01
     * and QC-MNT-02 of the model itself.
     */
    @Property
    void sameAsAnArrayOfBytes(@ForAll List<@net.jqwik.api.From("changes") Change> changes) throws IOException {
        byte[] base = pattern(5000, 7);
        Arrayed expected = new Arrayed(Arrays.copyOf(base, SIZE));
        Arrayed kept = expected.copy();
        GuestModel model = new GuestModel(SIZE, BaseContent.of(base));
        GuestModel.Saved saved = model.save();
        int fill = 0;
        for (Change change : changes) {
            int offset = Math.min(change.offset(), expected.bytes.length);
            int end = Math.min(offset + change.length(), expected.bytes.length);
            byte[] bytes = pattern(end - offset, ++fill);
            switch (change.what()) {
                case 0 -> {
                    System.arraycopy(bytes, 0, expected.bytes, offset, bytes.length);
                    model.write(offset, ByteBuffer.wrap(bytes));
                }
                case 1 -> {
                    Arrays.fill(expected.bytes, offset, end, (byte) 0);
                    model.zero(offset, end - offset);
                }
                case 2 -> {
                    discardClusterByCluster(expected.bytes, offset, end);
                    model.discard(offset, end - offset, new DiscardRule(CLUSTER, true));
                }
                case 3 -> {
                    kept = expected.copy();
                    expected.vmState = new byte[VM_STATE];
                    saved = model.takeSnapshot(77);
                    assertThat(saved.vmStateSize()).isEqualTo(77);
                    assertThat(saved.size()).isEqualTo(expected.bytes.length);
                }
                case 4 -> {
                    expected = kept.copy();
                    model.restore(saved);
                }
                case 5 -> {
                    expected.bytes = Arrays.copyOf(expected.bytes, change.offset());
                    expected.vmState = new byte[VM_STATE];
                    model.resize(change.offset());
                }
                default -> {
                    int at = change.length() % (VM_STATE - 100);
                    System.arraycopy(pattern(100, fill), 0, expected.vmState, at, 100);
                    model.writeVmState(at, ByteBuffer.wrap(pattern(100, fill)));
                }
            }
            assertSame(model, expected);
        }
    }

    private static void assertSame(GuestModel model, Arrayed expected) throws IOException {
        assertThat(model.size()).isEqualTo(expected.bytes.length);
        assertThat(all(model)).isEqualTo(expected.bytes);
        byte[] vmState = new byte[VM_STATE];
        model.readVmState(0, ByteBuffer.wrap(vmState));
        assertThat(vmState).isEqualTo(expected.vmState);
    }

    private static void discardClusterByCluster(byte[] bytes, int from, int to) {
        for (int start = 0; start < bytes.length; start += CLUSTER) {
            int end = Math.min(bytes.length, start + CLUSTER);
            if (from <= start && end <= to) {
                Arrays.fill(bytes, start, end, (byte) 0);
            }
        }
    }

    @Test
    @DisplayName("QC-MNT-01 QC-BACK-02 a longer base content never shows in what a resize added")
    void baseIsHidden() throws IOException {
        GuestModel model = new GuestModel(1000, BaseContent.of(pattern(SIZE, 1)));
        model.resize(3000);
        model.write(2000, ByteBuffer.wrap(new byte[] {1}));
        assertThat(model.isZero(1000, 1000)).isTrue();
        assertThat(model.isZero(2001, 999)).isTrue();
        byte[] head = new byte[1000];
        model.read(0, ByteBuffer.wrap(head));
        assertThat(head).isEqualTo(pattern(1000, 1));
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
        byte[] bytes = new byte[Math.toIntExact(model.size())];
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
