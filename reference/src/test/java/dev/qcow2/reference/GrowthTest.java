package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables that grow, and the plans that a reader sees. */
class GrowthTest {

    private final ReferenceDriver driver = new ReferenceDriver();

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 6})
    @DisplayName("QC-REF-09 QC-REF-10 QC-REF-12 refcount blocks and table grow and count themselves")
    void refcountsGrow(int order, @TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        driver.create(directory, "image", new CreateOptions(9 << 20, 3, 9, order, Optional.empty()));
        byte[] data = new byte[9 << 20];
        Arrays.fill(data, (byte) 0x77);
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.wrap(data));
        }
        Qemu.check(path, "image");
        assertThat(Arrays.mismatch(Qemu.read(path, "image"), data)).isEqualTo(-1);
    }

    @Test
    @DisplayName("QC-L1-06 QC-HDR-09 a short L1 table reads as unallocated, and grows before it is needed")
    void shortL1Grows(@TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        driver.create(directory, "image", CreateOptions.ofSize(40_000).withClusterBits(9));
        // A larger disk, whose L1 table still has two entries.
        try (HostFile file = directory.open("image", OpenOptions.Access.READ_WRITE)) {
            file.write(24, ByteBuffer.allocate(8).putLong(0, 20 << 20));
        }
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            ByteBuffer seen = ByteBuffer.allocate(1);
            disk.read((20 << 20) - 1, seen);
            assertThat(seen.get(0)).isZero();
            disk.discard(0, 20 << 20);
            disk.write((20 << 20) - 1, ByteBuffer.wrap(new byte[] {5}));
            disk.read((20 << 20) - 1, seen.clear());
            assertThat(seen.get(0)).isEqualTo((byte) 5);
        }
        Qemu.check(path, "image");
    }

    @Test
    @DisplayName("QC-REF-01 QC-REF-14 freed clusters are found again, so that an image does not grow for ever")
    void freedClustersAreReused() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", CreateOptions.ofSize(1 << 20).withClusterBits(9));
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.write(0, ByteBuffer.allocate(1 << 16));
            long length = directory.content("image").toByteArray().length;
            for (int i = 0; i < 10; i++) {
                disk.discard(0, 1 << 16);
                disk.write(i << 16, ByteBuffer.allocate(1 << 16));
                disk.discard(i << 16, 1 << 16);
            }
            // Ten more L2 tables at most.
            assertThat(directory.content("image").toByteArray().length).isLessThanOrEqualTo((int) length + 20 * 512);
        }
    }

    @Test
    @DisplayName("QC-LIM-02 QC-HDR-05 QC-EXT-08 what can't be made is refused, and no file is touched")
    void createRefuses() {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        CreateOptions huge = CreateOptions.ofSize(1L << 50).withClusterBits(9);
        CreateOptions longName = CreateOptions.ofSize(0).withBacking("x".repeat(1024), Optional.empty());
        CreateOptions noRoom =
                CreateOptions.ofSize(0).withClusterBits(9).withBacking("x".repeat(500), Optional.empty());
        for (CreateOptions options : List.of(huge, longName, noRoom)) {
            assertThatThrownBy(() -> driver.create(directory, "image", options))
                    .isInstanceOf(RequestRefusedException.class);
        }
        assertThat(directory.fileNames()).isEmpty();
    }

    @Test
    @DisplayName("QC-L2-11 QC-L2-13 QC-REF-13 a plan prints its sections in their order, with clauses")
    void planIsReadable() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        List<String> plans = new ArrayList<>();
        ReferenceDriver explaining = new ReferenceDriver(InstantSource.system(), (plan, step) -> {
            if (step == 0) {
                plans.add(plan.toString());
            }
        });
        driver.create(directory, "image", CreateOptions.ofSize(1 << 20));
        try (VirtualDisk disk = explaining.open(directory, "image", OpenOptions.readWrite())) {
            disk.write(5, ByteBuffer.allocate(7));
            assertThat(plans).hasSize(2);
            assertThat(plans.get(1).lines().map(String::strip))
                    .containsExactly(
                            "write 7 bytes into guest cluster 0",
                            "1  LOCATE   guest cluster 0: L2 table at 262144, COPIED; UNALLOCATED [QC-L1-04]",
                            "2  DECIDE   copy on write into host cluster 5 [QC-L2-11]",
                            "3  ALLOCATE count of host cluster 5: 0 -> 1 [QC-REF-13]",
                            "4  COPY     read guest cluster 0 as the guest sees it [QC-BACK-07]",
                            "5  COPY     lay 7 new bytes over it at 5 [QC-L2-11]",
                            "6  COPY     write the whole cluster to host cluster 5 [QC-GUEST-11]",
                            "7  LINK     flush [QC-L2-13]",
                            "8  LINK     write L2 entry, NORMAL at 327680, COPIED: 8 bytes at host offset 262144 [QC-L2-03]");
        }
    }
}
