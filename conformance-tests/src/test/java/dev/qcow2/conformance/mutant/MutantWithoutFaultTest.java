package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A first opinion on the mutant without fault that needs no campaign: an array of bytes says what is right. */
class MutantWithoutFaultTest {

    private final MutantDriver driver = new MutantDriver();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    @DisplayName("QC-GUEST-01, QC-GUEST-03, QC-GUEST-05, QC-SNAP-03: the mutant without fault is an array of bytes")
    void behavesAsAnArrayOfBytes(long seed) throws DiskException {
        Random random = new Random(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory(random.nextInt(4) > 0);
        int version = random.nextInt(3) == 0 ? 2 : 3;
        int size = 1 + random.nextInt(200_000);
        CreateOptions options = CreateOptions.ofSize(size)
                .withClusterBits(9 + random.nextInt(4))
                .withVersion(version)
                .withRefcountOrder(version == 2 ? 4 : random.nextInt(7));
        byte[] expected = new byte[size];
        if (random.nextBoolean()) {
            byte[] base = new byte[1 + random.nextInt(250_000)];
            random.nextBytes(base);
            directory.put("base", MemoryFileContent.of(base));
            options = options.withBacking("base", Optional.of(BackingFormat.RAW));
            System.arraycopy(base, 0, expected, 0, Math.min(size, base.length));
        }
        driver.create(directory, "image", options);
        OpenOptions access = OpenOptions.readWrite().followingBacking();
        VirtualDisk disk = driver.open(directory, "image", access);
        Map<String, byte[]> kept = new HashMap<>();
        for (int i = 0; i < 250; i++) {
            if (random.nextInt(20) == 0) {
                disk.close();
                disk = driver.open(directory, "image", access);
            }
            change(random, disk, expected, options, kept);
            check(disk, expected);
        }
        disk.close();
    }

    private static void change(
            Random random, VirtualDisk disk, byte[] expected, CreateOptions options, Map<String, byte[]> kept)
            throws DiskException {
        int from = random.nextInt(expected.length);
        int length = Math.min(expected.length - from, 1 + random.nextInt(random.nextBoolean() ? 300 : 5000));
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> {
                byte[] data = new byte[length];
                random.nextBytes(data);
                disk.write(from, ByteBuffer.wrap(data));
                System.arraycopy(data, 0, expected, from, length);
            }
            case 3, 4 -> {
                disk.writeZeroes(from, length, random.nextBoolean() ? ZeroMode.MAY_UNMAP : ZeroMode.KEEP_ALLOCATION);
                Arrays.fill(expected, from, from + length, (byte) 0);
            }
            case 5 -> {
                disk.discard(from, length);
                if (options.version() == 3 || options.backing().isEmpty()) {
                    int cluster = 1 << options.clusterBits();
                    int first = (from + cluster - 1) / cluster * cluster;
                    int end = from + length == expected.length ? expected.length : (from + length) / cluster * cluster;
                    zeroWhole(expected, first, end);
                }
            }
            case 6 -> disk.flush();
            default -> snapshot(random, disk, expected, kept);
        }
    }

    private static void zeroWhole(byte[] expected, int first, int end) {
        if (first < end) {
            Arrays.fill(expected, first, end, (byte) 0);
        }
    }

    private static void snapshot(Random random, VirtualDisk disk, byte[] expected, Map<String, byte[]> kept)
            throws DiskException {
        if (kept.isEmpty() || random.nextInt(3) == 0) {
            try {
                SnapshotInfo info = disk.createSnapshot("s");
                kept.put(info.id(), expected.clone());
            } catch (RequestRefusedException e) {
                assertThat(e.clause().id()).isEqualTo("QC-REF-11");
            }
            return;
        }
        String id = kept.keySet().stream()
                .sorted()
                .skip(random.nextInt(kept.size()))
                .findFirst()
                .orElseThrow();
        if (random.nextBoolean()) {
            disk.applySnapshot(id);
            System.arraycopy(kept.get(id), 0, expected, 0, expected.length);
        } else {
            disk.deleteSnapshot(id);
            kept.remove(id);
        }
        assertThat(disk.snapshots()).extracting(SnapshotInfo::id).containsExactlyInAnyOrderElementsOf(kept.keySet());
    }

    private static void check(VirtualDisk disk, byte[] expected) throws DiskException {
        ByteBuffer all = ByteBuffer.allocate(expected.length);
        disk.read(0, all);
        assertThat(Arrays.mismatch(all.array(), expected)).isEqualTo(-1);
        long at = 0;
        for (BlockStatus extent : disk.status(0, expected.length)) {
            assertThat(extent.guestOffset()).isEqualTo(at);
            at = extent.end();
            for (long i = extent.guestOffset(); i < at && extent.content() == BlockStatus.Content.ZERO; i++) {
                assertThat(expected[(int) i]).isZero();
            }
        }
        assertThat(at).isEqualTo(expected.length);
    }
}
