package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Power cuts: the changes of a sequence are cut after each one, and of those that no flush made safe a random part is
 * lost. What is left has no corruption.
 */
class CrashOrderTest {

    /** A directory that keeps the recorder of the file that was opened last. */
    private static final class RecordingDirectory implements HostDirectory {

        private final MemoryHostDirectory target;
        private final List<RecordingHostFile> opened = new ArrayList<>();

        RecordingDirectory(MemoryHostDirectory target) {
            this.target = target;
        }

        @Override
        public HostFile open(String fileName, OpenOptions.Access access) throws DiskException {
            RecordingHostFile file = new RecordingHostFile(target.open(fileName, access));
            opened.add(file);
            return file;
        }

        @Override
        public HostFile create(String fileName) {
            return target.create(fileName);
        }

        @Override
        public String resolve(String imageName, String reference) {
            return target.resolve(imageName, reference);
        }

        @Override
        public Object identity(String fileName) {
            return target.identity(fileName);
        }
    }

    private static void perform(VirtualDisk disk, Random random, boolean snapshots) throws DiskException {
        int size = Math.toIntExact(disk.size());
        for (int i = 0; i < 30; i++) {
            int offset = random.nextInt(size);
            int length = Math.min(size - offset, random.nextInt(4000));
            switch (random.nextInt(snapshots ? 9 : 6)) {
                case 0, 1, 2 -> disk.write(offset, ByteBuffer.wrap(new byte[length]));
                case 3 -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
                case 4 -> disk.writeZeroes(offset, length, ZeroMode.KEEP_ALLOCATION);
                case 5 -> disk.discard(offset, length);
                case 6 -> disk.createSnapshot("snapshot " + i);
                case 7 -> {
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
                .create(directory, "image", new CreateOptions(300_000, version, 9, order, Optional.empty()));
        MemoryFileContent before = directory.content("image").copy();
        RecordingDirectory recording = new RecordingDirectory(directory);
        Random random = new Random(order + version);
        try (VirtualDisk disk = new ReferenceDriver().open(recording, "image", OpenOptions.readWrite())) {
            perform(disk, random, snapshots);
        }
        List<HostEvent> events = recording.opened.get(0).events();
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
                requireNoCorruption(after, "cut after " + cut + (lossy ? ", with losses" : ""));
            }
        }
    }

    /** No cluster is referred to more often than its count says: what is counted too often only leaks. */
    private static void requireNoCorruption(MemoryHostDirectory directory, String when) throws DiskException {
        try (HostFile file = directory.open("image", OpenOptions.Access.READ_ONLY)) {
            Image image = Image.of(file);
            image.header().requireTables("image", file.size());
            Reach reach = new Reach(image);
            TreeMap<Long, Long> references = new TreeMap<>();
            reach.references(reach.activeL1())
                    .forEach((host, count) -> references.merge(host.index(), count, Long::sum));
            addRun(references, image, 0, 1);
            addRun(references, image, image.header().l1Offset(), image.header().l1Size() * 8L);
            addRun(
                    references,
                    image,
                    image.header().refcountTableOffset(),
                    image.header().refcountTableEntries() * 8L);
            for (int i = 0; i < image.header().refcountTableEntries(); i++) {
                if (image.refcountTableEntry(i).allocated()) {
                    addRun(references, image, image.refcountTableEntry(i).blockOffset(), 1);
                }
            }
            SnapshotTable table = SnapshotTable.read(image);
            addRun(references, image, image.header().snapshotsOffset(), table.lengthInBytes());
            for (SnapshotEntry entry : table.entries()) {
                addRun(references, image, entry.l1Offset(), entry.l1Size() * 8L);
                reach.references(reach.l1Table(entry.l1Offset(), entry.l1Size()))
                        .forEach((host, count) -> references.merge(host.index(), count, Long::sum));
            }
            references.forEach((index, wanted) -> {
                try {
                    assertThat(image.count(new HostCluster(index)))
                            .as("count of cluster %d, %s", index, when)
                            .isGreaterThanOrEqualTo(wanted);
                } catch (DiskException e) {
                    throw new AssertionError(when, e);
                }
            });
        }
    }

    private static void addRun(TreeMap<Long, Long> references, Image image, long offset, long bytes) {
        long first = image.geometry().hostCluster(offset).index();
        for (long i = 0; i < image.geometry().clustersFor(bytes); i++) {
            references.merge(first + i, 1L, Long::sum);
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
            requireNoCorruption(directory, "stopped before " + at);
        }
    }
}
