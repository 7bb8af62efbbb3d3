package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Power cuts: the changes of a sequence are cut after each one, and of those that no flush made safe a random part is
 * lost. What is left has no corruption.
 */
class CrashOrderTest {

    private static final int CLUSTER = 2048;
    private static final Set<Clause> FLAGS = Set.of(MappingClause.QC_L1_03, MappingClause.QC_L2_03);

    private static void perform(VirtualDisk disk, Random random, boolean snapshots) throws DiskException {
        int size = Math.toIntExact(disk.size());
        for (int i = 0; i < 60; i++) {
            int offset = random.nextInt(size);
            int length = Math.min(size - offset, random.nextInt(4000));
            switch (random.nextInt(snapshots ? 10 : 7)) {
                case 0 -> {
                    int start = offset / CLUSTER * CLUSTER;
                    int whole = Math.min(size - start, (length / CLUSTER + 1) * CLUSTER);
                    disk.writeCompressed(start, ByteBuffer.wrap(RandomOperationsTest.packable(whole, (byte) i)));
                }
                case 1, 2 -> disk.write(offset, ByteBuffer.wrap(new byte[length]));
                case 3 -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
                case 4 -> disk.writeZeroes(offset, length, ZeroMode.KEEP_ALLOCATION);
                case 5, 6 -> disk.discard(offset, length);
                case 7 -> disk.createSnapshot("snapshot " + i);
                case 8 -> {
                    if (!disk.snapshots().isEmpty()) {
                        disk.applySnapshot(disk.snapshots().get(0).id());
                    }
                }
                default -> {
                    if (!disk.snapshots().isEmpty()) {
                        disk.deleteSnapshot(disk.snapshots().get(0).id());
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 4, false", "3, 6, false", "2, 4, false", "3, 4, true", "3, 6, true"})
    @DisplayName("QC-GUEST-12 QC-REF-12 QC-REF-13 QC-REF-14 QC-REF-15 QC-L2-13 QC-L1-06 a cut leaves leaks at most")
    void cutAnywhere(int version, int order, boolean snapshots) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new ReferenceDriver()
                .create(directory, "image", new CreateOptions(300_000, version, 11, order, Optional.empty()));
        MemoryFileContent before = directory.content("image").copy();
        WrappingHostDirectory<RecordingHostFile> recording =
                new WrappingHostDirectory<>(directory, RecordingHostFile::new);
        Random random = new Random(order + version);
        try (VirtualDisk disk = new ReferenceDriver().open(recording, "image", OpenOptions.readWrite())) {
            perform(disk, random, snapshots);
        }
        List<HostEvent> events = recording.files().get(0).events();
        assertThat(events).hasSizeGreaterThan(100);
        int flushed = 0;
        for (int cut = 0; cut <= events.size(); cut++) {
            if (cut > 0 && events.get(cut - 1).kind() == HostEvent.Kind.FLUSH) {
                flushed = cut;
            }
            for (boolean lossy : new boolean[] {false, true}) {
                MemoryHostDirectory after = new MemoryHostDirectory();
                after.put("image", before.copy());
                try (HostFile file = after.open("image", OpenOptions.Access.READ_WRITE)) {
                    for (int i = 0; i < cut; i++) {
                        if (i < flushed || !lossy || random.nextBoolean()) {
                            events.get(i).applyTo(file);
                        }
                    }
                }
                requireNoCorruption(after, "cut after " + cut + (lossy ? ", with losses" : ""), snapshots);
            }
        }
    }

    /**
     * The auditor finds leaks at most. While a snapshot is taken or removed, counts and COPIED flags can't change
     * together; a count is raised before the flag goes, and lowered before the flag comes, so a flag that disagrees
     * costs a copy or belongs to a cluster without a second reference.
     */
    private static void requireNoCorruption(MemoryHostDirectory directory, String when, boolean snapshots)
            throws DiskException {
        try (HostFile file = directory.open("image", OpenOptions.Access.READ_ONLY)) {
            AuditReport report = new Auditor(new Auditor.Limits(10_000, 1 << 30, 1 << 30)).audit(file);
            assertThat(report.complete()).isTrue();
            assertThat(report.findings().stream()
                            .filter(f -> f.kind() == Kind.CORRUPTION || f.kind() == Kind.BREACH)
                            .filter(f -> !snapshots || !FLAGS.contains(f.clause())))
                    .as(when)
                    .isEmpty();
        }
    }

    @Test
    @DisplayName("QC-GUEST-06 QC-GUEST-11 what was flushed is there after any cut, whatever was done elsewhere")
    void flushedSurvives() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new ReferenceDriver()
                .create(directory, "image", CreateOptions.ofSize(100_000).withClusterBits(9));
        byte[] kept = new byte[4000];
        Arrays.fill(kept, (byte) 0x42);
        WrappingHostDirectory<RecordingHostFile> recording =
                new WrappingHostDirectory<>(directory, RecordingHostFile::new);
        Random random = new Random(1);
        int flushed = 0;
        MemoryFileContent before = directory.content("image").copy();
        try (VirtualDisk disk = new ReferenceDriver().open(recording, "image", OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.wrap(kept));
            disk.flush();
            flushed = recording.files().get(0).events().size();
            for (int i = 0; i < 60; i++) {
                int offset = 4000 + random.nextInt(90_000);
                switch (random.nextInt(3)) {
                    case 0 -> disk.write(offset, ByteBuffer.wrap(new byte[random.nextInt(5000)]));
                    case 1 -> disk.discard(offset, random.nextInt(5000));
                    default -> disk.writeZeroes(offset, random.nextInt(5000), ZeroMode.KEEP_ALLOCATION);
                }
            }
        }
        List<HostEvent> events = recording.files().get(0).events();
        for (int cut = flushed; cut <= events.size(); cut++) {
            MemoryHostDirectory after = new MemoryHostDirectory();
            after.put("image", before.copy());
            try (HostFile file = after.open("image", OpenOptions.Access.READ_WRITE)) {
                for (int i = 0; i < cut; i++) {
                    if (i < flushed || random.nextBoolean()) {
                        events.get(i).applyTo(file);
                    }
                }
            }
            try (VirtualDisk disk = new ReferenceDriver().open(after, "image", OpenOptions.readOnly())) {
                ByteBuffer seen = ByteBuffer.allocate(kept.length);
                disk.read(0, seen);
                assertThat(Arrays.mismatch(seen.array(), kept))
                        .as("cut after %d", cut)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    @DisplayName(
            "QC-GUEST-10 QC-L2-11 a plan that is stopped before any of its steps leaves the cluster old, all others as they were")
    void stoppedPlan() throws DiskException {
        for (int stop = 0; stop < 12; stop++) {
            int at = stop;
            MemoryHostDirectory directory = new MemoryHostDirectory();
            ReferenceDriver stopping = new ReferenceDriver(InstantSource.system(), (plan, step) -> {
                if (plan.title().startsWith("write") && step == at) {
                    throw new NoSpaceException("image", "the test");
                }
            });
            new ReferenceDriver()
                    .create(directory, "image", CreateOptions.ofSize(1 << 20).withClusterBits(9));
            boolean failed = false;
            try (VirtualDisk disk = stopping.open(directory, "image", OpenOptions.readWrite())) {
                disk.write(100, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            } catch (NoSpaceException e) {
                failed = true;
            }
            try (VirtualDisk disk = new ReferenceDriver().open(directory, "image", OpenOptions.readOnly())) {
                ByteBuffer seen = ByteBuffer.allocate(512);
                disk.read(0, seen);
                byte[] expected = new byte[512];
                if (!failed) {
                    System.arraycopy(new byte[] {1, 2, 3}, 0, expected, 100, 3);
                }
                assertThat(Arrays.mismatch(seen.array(), expected))
                        .as("stopped before %d", at)
                        .isEqualTo(-1);
            }
            requireNoCorruption(directory, "stopped before " + at, false);
        }
    }
}
