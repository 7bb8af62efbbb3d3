package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.HostException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Disks that become longer and shorter. */
class ResizeTest {

    private static final int MOST = 150_000;
    private static final int BACKING = 100_000;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    private static Preallocation anyPreallocation(SplittableRandom random, boolean grows) {
        Preallocation[] all = Preallocation.values();
        return grows && random.nextInt(3) == 0 ? all[random.nextInt(all.length)] : Preallocation.OFF;
    }

    private void makeBacking(OptimizedDriver driver) throws IOException {
        driver.create(directory, "base", CreateOptions.ofSize(BACKING).withClusterBits(9));
        try (VirtualDisk base = driver.open(directory, "base", Images.WRITE)) {
            base.write(0, ByteBuffer.wrap(Images.filled(BACKING, 0x3c)));
        }
    }

    private CreateOptions options(SplittableRandom random, int size, boolean backed) {
        int version = random.nextInt(3) == 0 ? 2 : 3;
        int order = version == 2 ? 4 : random.nextInt(3, 7);
        boolean extended = version == 3 && random.nextInt(3) == 0;
        CreateOptions plain = new CreateOptions(
                size,
                version,
                extended ? 14 : random.nextBoolean() ? 9 : 12,
                order,
                Optional.empty(),
                extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN);
        return backed ? plain.withBacking("base", Optional.of(CreateOptions.BackingFormat.QCOW2)) : plain;
    }

    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-MNT-01, QC-MNT-02, QC-MNT-06, QC-HDR-07: as an array that is cut and made longer, and clean")
    void behavesAsAnArray(@ForAll long seed, @ForAll @IntRange(max = 2047) int switches) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        boolean backed = random.nextBoolean();
        makeBacking(driver);
        byte[] model = new byte[random.nextInt(MOST)];
        Arrays.fill(model, 0, backed ? Math.min(BACKING, model.length) : 0, (byte) 0x3c);
        CreateOptions options = options(random, model.length, backed);
        driver.create(directory, "disk", options);
        VirtualDisk disk = driver.open(directory, "disk", Images.WRITE);
        for (int i = 0; i < 25; i++) {
            if (random.nextInt(4) == 0) {
                int size = random.nextInt(5) == 0 ? 0 : random.nextInt(MOST);
                disk.resize(size, anyPreallocation(random, size > model.length));
                model = Arrays.copyOf(model, size);
                assertThat(disk.size()).isEqualTo(size);
            } else if (options.version() == 3 && random.nextInt(10) == 0) {
                DamagedImage.share(disk, "snapshot " + i);
            } else {
                Action action = new Action(
                                Action.Kind.any(random), random.nextInt(MOST), random.nextInt(40_000), (byte) (i + 1))
                        .inside(model.length, 1 << options.clusterBits());
                action.applyTo(disk);
                action.applyTo(model, 1 << options.clusterBits(), options.version() == 3 || !backed);
            }
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
        disk.close();
        Images.assertClean(directory, "disk");
        try (VirtualDisk again = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Arrays.mismatch(Images.readAll(again), model)).isEqualTo(-1);
            for (var snapshot : again.snapshots()) {
                again.deleteSnapshot(snapshot.id());
            }
        }
        Images.assertClean(directory, "disk");
    }

    @Property(tries = 60, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-MNT-03, QC-MNT-05, QC-MNT-27: a power cut leaves the old length or the new one, with its bytes")
    void cutAnywhere(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        OptimizedDriver driver = new OptimizedDriver();
        boolean backed = random.nextBoolean();
        makeBacking(driver);
        int oldSize = random.nextInt(1, MOST);
        int newSize = random.nextInt(1, MOST);
        driver.create(directory, "disk", options(random, oldSize, backed));
        byte[] before;
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(0, ByteBuffer.wrap(Images.filled(oldSize / 2 + 1, 1)));
            disk.write(oldSize - oldSize / 4, ByteBuffer.wrap(Images.filled(oldSize / 4, 2)));
            before = Images.readAll(disk);
        }
        MemoryHostDirectory start = directory.copy();
        List<RecordingHostFile> files = new ArrayList<>();
        VirtualDisk recorded = driver.open(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new RecordingHostFile(file));
                    return files.get(0);
                }),
                "disk",
                Images.WRITE);
        recorded.resize(newSize, anyPreallocation(random, newSize > oldSize));
        List<HostEvent> events = List.copyOf(files.get(0).events());
        recorded.close();
        for (int cut = 0; cut <= events.size(); cut++) {
            MemoryHostDirectory after = start.copy();
            try (HostFile file = after.open("disk", Access.READ_WRITE)) {
                RepairTest.replay(events, cut, random, file);
            }
            assertThat(Images.audit(after, "disk").sound()).as("cut at %d", cut).isTrue();
            try (VirtualDisk disk = driver.open(after, "disk", Images.WRITE)) {
                assertThat(disk.size()).isIn((long) oldSize, (long) newSize);
                byte[] expected = Arrays.copyOf(before, (int) disk.size());
                assertThat(Arrays.mismatch(Images.readAll(disk), expected))
                        .as("cut at %d", cut)
                        .isEqualTo(-1);
                assertThat(cut < events.size() || disk.size() == newSize).isTrue();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"60000, 130001, OFF", "60000, 130001, FULL", "130001, 60000, OFF"})
    @DisplayName(
            "QC-MNT-03: whichever call of the host fails, the disk keeps its length and its bytes, or has the new one")
    void hostFails(int oldSize, int newSize, Preallocation preallocation) throws IOException {
        OptimizedDriver driver = new OptimizedDriver();
        byte[] before = new byte[oldSize];
        Arrays.fill(before, (byte) 7);
        boolean reached = true;
        for (int call = 0; reached; call++) {
            driver.create(directory, "disk", CreateOptions.ofSize(oldSize).withClusterBits(9));
            try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
                disk.write(0, ByteBuffer.wrap(before));
            }
            int failing = call;
            List<FailingHostTest.FailingFile> files = new ArrayList<>();
            VirtualDisk disk = driver.open(
                    Images.wrapping(directory, "disk", file -> {
                        files.add(new FailingHostTest.FailingFile(file, failing, false));
                        return files.get(0);
                    }),
                    "disk",
                    Images.WRITE);
            boolean done = resized(disk, newSize, preallocation);
            assertThat(disk.size()).isEqualTo(done ? newSize : oldSize);
            byte[] expected = Arrays.copyOf(before, (int) disk.size());
            assertThat(Arrays.mismatch(Images.readAll(disk), expected)).isEqualTo(-1);
            try {
                disk.close();
            } catch (HostException e) {
                assertThat(done).isFalse();
            }
            assertThat(Images.audit(directory, "disk").sound()).isTrue();
            try (VirtualDisk again = driver.open(directory, "disk", Images.WRITE)) {
                again.resize(200_000, Preallocation.OFF);
                byte[] bytes = Arrays.copyOf(Images.readAll(again), 200_000);
                int kept = Math.min(oldSize, newSize);
                assertThat(Arrays.mismatch(bytes, 0, kept, before, 0, kept)).isEqualTo(-1);
            }
            reached = files.get(0).failed;
        }
    }

    private static boolean resized(VirtualDisk disk, long size, Preallocation preallocation) throws DiskException {
        try {
            disk.resize(size, preallocation);
            return true;
        } catch (HostException e) {
            return false;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("QC-MNT-07: each guest cluster has a host cluster of its own, in one piece, and reads as zero")
    void preallocated(Preallocation preallocation) throws IOException {
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(3_000_001)
                        .withClusterBits(12)
                        .withFeatures(FormatFeatures.PLAIN.withPreallocation(preallocation)));
        Images.assertClean(directory, "disk");
        boolean allocated = preallocation != Preallocation.OFF;
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.status(0, disk.size()))
                    .allMatch(extent -> extent.allocated() == allocated)
                    .hasSize(1);
            assertThat(Images.readAll(disk)).isEqualTo(new byte[3_000_001]);
            disk.resize(5_000_000, preallocation);
            assertThat(disk.status(0, disk.size())).allMatch(extent -> extent.allocated() == allocated);
        }
        Images.assertClean(directory, "disk");
        assertThat(Images.audit(directory, "disk").clusters().fragmented()).isLessThan(5);
    }

    @Test
    @DisplayName("QC-MNT-04, QC-MNT-06, QC-LIM-02, QC-LIM-06: what can't be is refused, and nothing has changed")
    void refused() throws IOException {
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", new CreateOptions(100_000, 2, 9, 4, Optional.empty()));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertRefused(disk, 1000, Preallocation.FULL, MaintenanceClause.QC_MNT_06);
            assertRefused(disk, -1, Preallocation.OFF, LimitClause.QC_LIM_06);
            assertRefused(disk, 1L << 50, Preallocation.OFF, LimitClause.QC_LIM_02);
            disk.createSnapshot("one");
            assertRefused(disk, 200_000, Preallocation.OFF, MaintenanceClause.QC_MNT_04);
            assertThat(disk.size()).isEqualTo(100_000);
        }
        driver.create(directory, "base", CreateOptions.ofSize(1));
        assertThatThrownBy(() -> driver.create(
                        directory,
                        "top",
                        CreateOptions.ofSize(100_000)
                                .withBacking("base", Optional.empty())
                                .withFeatures(FormatFeatures.PLAIN.withPreallocation(Preallocation.METADATA))))
                .isInstanceOf(RequestRefusedException.class);
    }

    private static void assertRefused(VirtualDisk disk, long size, Preallocation preallocation, Clause clause) {
        assertThatThrownBy(() -> disk.resize(size, preallocation))
                .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                        .isEqualTo(clause));
    }

    @Test
    @Timeout(60)
    @DisplayName("QC-GUEST-02: requests go on while the disk is resized; what lies behind the end is refused")
    void concurrent() throws Exception {
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", CreateOptions.ofSize(400_000).withClusterBits(9));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                int seed = thread;
                running.add(threads.submit(() -> {
                    use(disk, new SplittableRandom(seed), (byte) (seed + 1));
                    return seed;
                }));
            }
            running.add(threads.submit(() -> {
                SplittableRandom random = new SplittableRandom(9);
                for (int i = 0; i < 60; i++) {
                    disk.resize(random.nextInt(100_000, 400_000), Preallocation.OFF);
                }
                return 0;
            }));
            for (Future<?> each : running) {
                each.get();
            }
        } finally {
            threads.shutdown();
        }
        Images.assertClean(directory, "disk");
    }

    private static void use(VirtualDisk disk, SplittableRandom random, byte fill) throws DiskException {
        for (int i = 0; i < 1500; i++) {
            long offset = random.nextInt(400_000);
            int length = random.nextInt(3000);
            try {
                disk.write(offset, ByteBuffer.wrap(Images.filled(length, fill)));
                disk.read(offset, ByteBuffer.allocate(length));
                disk.discard(offset, length);
            } catch (OutOfBoundsException e) {
                assertThat(offset + length).isGreaterThan(100_000);
            }
        }
    }
}
