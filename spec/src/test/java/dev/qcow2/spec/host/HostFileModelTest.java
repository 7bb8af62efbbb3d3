package dev.qcow2.spec.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.Size;

/** Any sequence of changes leaves a host file with the bytes that an array would have. */
class HostFileModelTest {

    /** What a file may be asked to do; a read checks the bytes of a range. */
    enum Kind {
        WRITE,
        ZERO,
        PUNCH_HOLE,
        TRUNCATE,
        READ
    }

    record Change(Kind kind, int offset, int length, byte value) {}

    /** The array that says what is right. */
    private static final class Model {
        byte[] bytes = new byte[0];

        void write(int offset, byte[] data) {
            grow(offset + data.length);
            System.arraycopy(data, 0, bytes, offset, data.length);
        }

        void zero(int offset, int end) {
            if (offset < end) {
                Arrays.fill(bytes, offset, end, (byte) 0);
            }
        }

        void grow(int size) {
            bytes = Arrays.copyOf(bytes, Math.max(size, bytes.length));
        }
    }

    @Provide
    Arbitrary<Change> changes() {
        // Pages have 4096 bytes: most offsets lie near a boundary of one.
        Arbitrary<Integer> places = Arbitraries.frequencyOf(
                Tuple.of(1, Arbitraries.integers().between(0, 20_000)),
                Tuple.of(
                        2,
                        Combinators.combine(
                                        Arbitraries.integers().between(0, 4),
                                        Arbitraries.integers().between(-2, 2))
                                .as((page, off) -> Math.max(0, 4096 * page + off))));
        return Combinators.combine(Arbitraries.of(Kind.class), places, places, Arbitraries.bytes())
                .as(Change::new);
    }

    @Property
    @Label("QC-GUEST-01: a file in memory holds what an array would")
    void memory(@ForAll @Size(max = 30) List<@From("changes") Change> changes) throws DiskException {
        MemoryHostFile file = MemoryHostFile.empty("file");
        byte[] expected = apply(changes, file);
        assertThat(file.content().toByteArray()).isEqualTo(expected);
        // Copies are independent of the file they were made from.
        MemoryFileContent copy = file.content().copy();
        file.write(0, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        file.truncate(2);
        assertThat(copy.toByteArray()).isEqualTo(expected);
    }

    @Property
    @Label("QC-GUEST-01: a file of the host holds what an array would")
    void real(@ForAll @Size(max = 30) List<@From("changes") Change> changes) throws IOException {
        Path path = Files.createTempFile(Path.of("target"), "host", ".bin");
        try (RealHostFile file = open(path)) {
            byte[] expected = apply(changes, file);
            assertThat(Files.readAllBytes(path)).isEqualTo(expected);
        } finally {
            Files.delete(path);
        }
    }

    @Property
    @Label("QC-GUEST-06: the journal of a file gives the same file again")
    void recordedJournalGivesTheSameFile(@ForAll @Size(max = 30) List<@From("changes") Change> changes)
            throws DiskException {
        RecordingHostFile file = new RecordingHostFile(MemoryHostFile.empty("file"));
        byte[] expected = apply(changes, file);
        MemoryHostFile replayed = MemoryHostFile.empty("replayed");
        for (HostEvent event : file.events()) {
            event.applyTo(replayed);
        }
        assertThat(replayed.content().toByteArray()).isEqualTo(expected);
    }

    private static RealHostFile open(Path path) throws DiskException {
        return (RealHostFile) new RealHostDirectory(Path.of(""), RealHostFile.Durability.NONE).create(path.toString());
    }

    private static byte[] apply(List<Change> changes, HostFile file) throws DiskException {
        Model model = new Model();
        for (Change change : changes) {
            switch (change.kind()) {
                case WRITE -> write(model, file, change);
                case ZERO -> zero(model, file, change);
                case PUNCH_HOLE -> punchHole(model, file, change);
                case TRUNCATE -> {
                    file.truncate(change.length());
                    model.bytes = Arrays.copyOf(model.bytes, change.length());
                }
                case READ -> read(model, file, change);
            }
            assertThat(file.size()).as(change.toString()).isEqualTo(model.bytes.length);
        }
        return model.bytes;
    }

    private static void write(Model model, HostFile file, Change change) throws DiskException {
        byte[] data = new byte[change.length()];
        Arrays.fill(data, change.value());
        ByteBuffer from = ByteBuffer.wrap(data);
        file.write(change.offset(), from);
        assertThat(from.hasRemaining()).isFalse();
        if (data.length > 0) {
            model.write(change.offset(), data);
        }
    }

    private static void zero(Model model, HostFile file, Change change) throws DiskException {
        int end = change.offset() + Math.max(1, change.length());
        if (file.zero(change.offset(), end - change.offset())) {
            model.grow(end);
            model.zero(change.offset(), end);
        }
    }

    private static void punchHole(Model model, HostFile file, Change change) throws DiskException {
        int end = change.offset() + Math.max(1, change.length());
        if (file.punchHole(change.offset(), end - change.offset())) {
            model.zero(change.offset(), Math.min(end, model.bytes.length));
        }
    }

    private static void read(Model model, HostFile file, Change change) throws DiskException {
        byte[] expected = new byte[change.length()];
        int there = Math.max(0, Math.min(change.length(), model.bytes.length - change.offset()));
        if (there > 0) {
            System.arraycopy(model.bytes, change.offset(), expected, 0, there);
        }
        ByteBuffer into = ByteBuffer.allocate(change.length());
        assertThat(file.read(change.offset(), into)).isEqualTo(there);
        assertThat(into.position()).isEqualTo(there);
        into.clear();
        file.readZeroPadded(change.offset(), into);
        assertThat(into.array()).isEqualTo(expected);
    }
}
