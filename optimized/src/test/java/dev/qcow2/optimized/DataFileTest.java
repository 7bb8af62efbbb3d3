package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CompressionClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** External data files: the guest's bytes are there, at the guest's own offsets. */
class DataFileTest {

    private static final int SIZE = 150_001;
    private static final OpenOptions WRITE = Images.WRITE.followingDataFile();
    private static final Action.Kind[] KINDS = {
        Action.Kind.WRITE, Action.Kind.ZERO_KEEP, Action.Kind.ZERO_UNMAP, Action.Kind.DISCARD, Action.Kind.FLUSH
    };

    private final OptimizedDriver driver = new OptimizedDriver();

    private static CreateOptions options(boolean raw, boolean extended, boolean backing) {
        FormatFeatures features = extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN;
        CreateOptions options = CreateOptions.ofSize(SIZE)
                .withClusterBits(extended ? 14 : 9)
                .withFeatures(features.withDataFile("data", raw));
        return backing ? options.withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW)) : options;
    }

    private static byte[] bytesOf(MemoryHostDirectory directory, String name) throws DiskException {
        try (HostFile file = directory.open(name, Access.READ_ONLY)) {
            byte[] bytes = new byte[(int) file.size()];
            file.read(0, ByteBuffer.wrap(bytes));
            return bytes;
        }
    }

    private static Action any(SplittableRandom random, int fill, int size, int clusterSize) {
        int most = random.nextBoolean() ? 900 : 30_000;
        return new Action(KINDS[random.nextInt(KINDS.length)], random.nextInt(size), random.nextInt(most), (byte) fill)
                .inside(size, clusterSize);
    }

    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-DATA-01 to 04, QC-DATA-09 to 11, QC-L2-15: as an array, and a raw data file is that array at any moment")
    void behavesAsAnArray(
            @ForAll long seed,
            @ForAll @IntRange(max = 2047) int switches,
            @ForAll boolean extended,
            @ForAll boolean zeroing,
            @ForAll @IntRange(max = 2) int kind)
            throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory(zeroing);
        OptimizedDriver lattice = new OptimizedDriver(OptimizedOptions.of(switches));
        boolean raw = kind == 0;
        byte[] model = new byte[SIZE];
        if (kind == 2) {
            model = Images.filled(SIZE, 7);
            directory.create("base").write(0, ByteBuffer.wrap(model));
        }
        CreateOptions options = options(raw, extended, kind == 2);
        lattice.create(directory, "disk", options);
        try (VirtualDisk disk = lattice.open(directory, "disk", WRITE)) {
            for (int i = 0; i < 25; i++) {
                if (kind < 2 && random.nextInt(6) == 0) {
                    model = Arrays.copyOf(model, random.nextInt(1, SIZE));
                    disk.resize(model.length, FormatFeatures.Preallocation.OFF);
                }
                Action action = any(random, i + 1, model.length, 1 << options.clusterBits());
                action.applyTo(disk);
                action.applyTo(model, 1 << options.clusterBits(), true);
                assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
                if (raw) {
                    assertThat(Arrays.mismatch(bytesOf(directory, "data"), model))
                            .isEqualTo(-1);
                }
            }
        }
        Images.assertClean(directory, "disk");
        assertThat(bytesOf(directory, "data")).hasSize(model.length);
        try (VirtualDisk disk = lattice.open(directory, "disk", WRITE)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
    }

    @Property(tries = 400, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-DATA-14, QC-GUEST-06: after a power cut of both files, what was flushed is there")
    void powerCut(@ForAll long seed, @ForAll boolean raw, @ForAll boolean extended) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory live = new MemoryHostDirectory();
        CreateOptions options = options(raw, extended, false);
        driver.create(live, "disk", options);
        MemoryHostDirectory durable = live.copy();
        AtomicInteger changesLeft = new AtomicInteger(random.nextInt(150));
        WrappingHostDirectory<CutFile> cutting = new WrappingHostDirectory<>(
                live, file -> new CutFile(file, durable.open(file.name(), Access.READ_WRITE), changesLeft));
        List<byte[]> sinceFlush = new ArrayList<>(List.of(new byte[SIZE]));
        byte[] model = new byte[SIZE];
        Action last = new Action(Action.Kind.FLUSH, 0, 0, (byte) 0);
        try {
            VirtualDisk disk = driver.open(cutting, "disk", WRITE);
            for (int i = 0; i < 40; i++) {
                last = any(random, i + 1, SIZE, 1 << options.clusterBits());
                last.applyTo(disk);
                last.applyTo(model, 1 << options.clusterBits(), true);
                if (last.kind() == Action.Kind.FLUSH) {
                    sinceFlush.clear();
                }
                sinceFlush.add(model.clone());
            }
        } catch (DiskException e) {
            last.applyTo(model, 1 << options.clusterBits(), true);
            sinceFlush.add(model.clone());
        }
        for (CutFile file : cutting.files()) {
            file.cut(random);
        }
        AuditReport report = Images.audit(durable, "disk");
        assertThat(report.sound()).as(report.toText()).isTrue();
        try (VirtualDisk disk = driver.open(durable, "disk", WRITE)) {
            checkExplained(Images.readAll(disk), sinceFlush);
        }
    }

    /** Torn clusters mix requests, so each byte is looked at alone; the cut zeroes of a raw file are zeros. */
    private static void checkExplained(byte[] found, List<byte[]> states) {
        for (int at = 0; at < SIZE; at++) {
            int here = at;
            assertThat(states.stream().anyMatch(state -> state[here] == found[here]))
                    .as("byte %d is %d, at the flush it was %d", at, found[at], states.get(0)[at])
                    .isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    @DisplayName("QC-DATA-05, QC-DATA-06, QC-CMP-16: neither snapshots nor compressed clusters")
    void refusals(boolean raw) throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "disk", options(raw, false, false));
        try (VirtualDisk disk = driver.open(directory, "disk", WRITE)) {
            assertRefused(() -> disk.createSnapshot("s"), DataFileClause.QC_DATA_06);
            assertRefused(() -> disk.writeCompressed(0, ByteBuffer.allocate(512)), CompressionClause.QC_CMP_16);
        }
        Images.assertClean(directory, "disk");
    }

    private static void assertRefused(ThrowingCallable call, Clause clause) {
        assertThatThrownBy(call).isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                .isEqualTo(clause));
    }

    @Test
    @DisplayName("QC-DATA-07, QC-DATA-08, QC-DATA-13: a stranger's data file is not opened, nor one that is the image")
    void policy() throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "disk", options(false, false, false));
        assertImageRefused(directory, "disk", Images.WRITE, DataFileClause.QC_DATA_08);
        assertImageRefused(directory, "disk", OpenOptions.readOnly(), DataFileClause.QC_DATA_08);
        driver.open(directory, "disk", OpenOptions.readOnly().followingDataFile())
                .close();
        driver.create(
                directory,
                "self",
                CreateOptions.ofSize(1000).withFeatures(FormatFeatures.PLAIN.withDataFile("sel_", false)));
        // The extension follows the header of 112 bytes: type, length, name.
        try (HostFile file = directory.open("self", Access.READ_WRITE)) {
            file.write(120, ByteBuffer.wrap(new byte[] {'s', 'e', 'l', 'f'}));
        }
        assertImageRefused(directory, "self", WRITE, DataFileClause.QC_DATA_13);
        try (HostFile file = directory.open("self", Access.READ_WRITE)) {
            file.write(120, ByteBuffer.wrap(new byte[] {'n', 'o', 'n', 'e'}));
        }
        assertImageRefused(directory, "self", WRITE, DataFileClause.QC_DATA_07);
        assertThatThrownBy(() -> driver.create(
                        directory,
                        "self",
                        CreateOptions.ofSize(1000).withFeatures(FormatFeatures.PLAIN.withDataFile("self", true))))
                .isInstanceOf(RequestRefusedException.class);
    }

    private void assertImageRefused(MemoryHostDirectory directory, String name, OpenOptions options, Clause clause) {
        assertThatThrownBy(() -> driver.open(directory, name, options))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.clause()).isEqualTo(clause));
    }

    @ParameterizedTest
    @CsvSource({"8000000000000200, QC_DATA_02", "4000000000000000, QC_DATA_05", "8000000000000004, QC_L2_05"})
    @DisplayName("QC-DATA-02, QC-DATA-05: an entry with another place, or with compressed data, is told as corrupt")
    void brokenEntries(String hex, String clause) throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "disk", options(false, false, false));
        try (VirtualDisk disk = driver.open(directory, "disk", WRITE)) {
            disk.write(0, ByteBuffer.wrap(Images.filled(512, 1)));
        }
        byte[] image = bytesOf(directory, "disk");
        int table = (int) ByteBuffer.wrap(image)
                        .getLong((int) ByteBuffer.wrap(image).getLong(40))
                & 0xffff_fe00;
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.write(
                    table,
                    ByteBuffer.allocate(8)
                            .putLong(Long.parseUnsignedLong(hex, 16))
                            .flip());
        }
        try (VirtualDisk disk = driver.open(directory, "disk", WRITE)) {
            assertThatThrownBy(() -> disk.read(0, ByteBuffer.allocate(512)))
                    .isInstanceOfSatisfying(CorruptImageException.class, e -> {
                        assertThat(e.clause().name()).isEqualTo(clause);
                        assertThat(e.hostOffset()).isEqualTo(table);
                    });
        }
    }
}
