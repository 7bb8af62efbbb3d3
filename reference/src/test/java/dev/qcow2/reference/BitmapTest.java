package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Persistent bitmaps. */
class BitmapTest {

    private static final int SIZE = 3_000_320;
    private static final ReferenceDriver DRIVER = new ReferenceDriver();

    private static VirtualDisk open(HostDirectory directory) throws DiskException {
        return DRIVER.open(directory, "image", OpenOptions.readWrite());
    }

    private static BitSet dirty(VirtualDisk disk, String name, int granularityBits) throws DiskException {
        BitSet bits = new BitSet();
        for (Dirty range : disk.bitmaps().dirty(name)) {
            assertThat(range.guestOffset() + range.length()).isLessThanOrEqualTo(disk.size());
            bits.set(
                    (int) (range.guestOffset() >> granularityBits),
                    (int) ((range.guestOffset() + range.length() - 1) >> granularityBits) + 1);
        }
        return bits;
    }

    private static void requireClean(HostDirectory directory) throws DiskException {
        assertThat(RepairTest.audit(directory).clean())
                .as(RepairTest.audit(directory).toText())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 12, 16})
    @DisplayName(
            "QC-BM-05 QC-BM-17 QC-BM-18 QC-BM-19 QC-BM-21 QC-BM-22 QC-BM-23 QC-BM-24 an enabled bitmap says what was changed, from one open to the next")
    void followsTheGuest(int clusterBits) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(SIZE).withClusterBits(clusterBits));
        Random random = new Random(clusterBits);
        BitSet model = new BitSet();
        try (VirtualDisk disk = open(directory)) {
            disk.bitmaps().add("on", 9, true);
            disk.bitmaps().add("off", 10, false);
        }
        long size = SIZE;
        for (int i = 0; i < 25; i++) {
            try (VirtualDisk disk = open(directory)) {
                long offset = random.nextInt((int) size);
                int length = (int) Math.min(size - offset, random.nextInt(20_000));
                switch (random.nextInt(6)) {
                    case 0 -> disk.discard(offset, length);
                    case 1 -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
                    case 2 -> {
                        size = 1L + random.nextInt(2 * SIZE);
                        disk.resize(size, Preallocation.OFF);
                        int end = (int) ((size + 511) >> 9);
                        model.clear(end, Math.max(end, model.length()));
                        length = 0;
                    }
                    case 3 -> {
                        String id = disk.createSnapshot("s").id();
                        disk.applySnapshot(id);
                        disk.deleteSnapshot(id);
                        model.set(0, (int) ((size + 511) >> 9));
                    }
                    default -> disk.write(offset, ByteBuffer.allocate(length));
                }
                if (length > 0) {
                    model.set((int) (offset >> 9), (int) ((offset + length - 1) >> 9) + 1);
                }
                assertThat(dirty(disk, "on", 9)).as("step %d", i).isEqualTo(model);
                if (i == 12) {
                    disk.bitmaps().clear("on");
                    model.clear();
                }
            }
            requireClean(directory);
            try (VirtualDisk disk = DRIVER.open(directory, "image", OpenOptions.readOnly())) {
                assertThat(dirty(disk, "on", 9)).as("step %d, opened again", i).isEqualTo(model);
                assertThat(dirty(disk, "off", 10).isEmpty()).isTrue();
                assertThatThrownBy(() -> disk.bitmaps().clear("on")).isInstanceOf(ReadOnlyException.class);
            }
        }
    }

    @Test
    @DisplayName(
            "QC-BM-11 QC-BM-26 QC-BM-27 QC-BM-28 bitmaps come, go and merge, and the last one takes the extension away")
    void operations() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(SIZE));
        try (VirtualDisk disk = open(directory)) {
            disk.bitmaps().add("fine", 9, true);
            disk.write(1000, ByteBuffer.allocate(2000));
            disk.bitmaps().setEnabled("fine", false);
            disk.bitmaps().add("coarse", 16, true);
            disk.write(200_000, ByteBuffer.allocate(1));
            disk.bitmaps().merge("coarse", "fine");
            assertThat(disk.bitmaps().dirty("fine")).containsExactly(new Dirty(512, 2560));
            assertThat(disk.bitmaps().dirty("coarse"))
                    .containsExactly(new Dirty(0, 65_536), new Dirty(196_608, 65_536));
            assertThat(disk.bitmaps().list())
                    .containsExactly(
                            new BitmapInfo("fine", 9, false, false), new BitmapInfo("coarse", 16, true, false));
            assertThatThrownBy(() -> disk.bitmaps().add("fine", 9, true)).isInstanceOf(RequestRefusedException.class);
            assertThatThrownBy(() -> disk.bitmaps().remove("none")).isInstanceOf(RequestRefusedException.class);
            disk.bitmaps().remove("fine");
        }
        requireClean(directory);
        try (VirtualDisk disk = open(directory)) {
            disk.bitmaps().remove("coarse");
            assertThat(disk.bitmaps().list()).isEmpty();
        }
        requireClean(directory);
        assertThat(directory.content("image").toByteArray()[95]).isZero();
    }

    @Test
    @DisplayName(
            "QC-BM-07 QC-BM-20 QC-MNT-27 QC-MNT-30 after a power cut a bitmap tells the truth or says that it can't")
    void cutAnywhere() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(100_000).withClusterBits(10));
        try (VirtualDisk disk = open(directory)) {
            disk.bitmaps().add("on", 9, true);
            disk.write(50_000, ByteBuffer.allocate(600));
        }
        int cuts = PowerCuts.forEach(directory, BitmapTest::changeSome, (after, when) -> {
            assertThat(RepairTest.audit(after).sound())
                    .as(when + RepairTest.audit(after).toText())
                    .isTrue();
            try (VirtualDisk disk = open(after)) {
                ByteBuffer seen = ByteBuffer.allocate(100_000);
                disk.read(0, seen);
                for (BitmapInfo info : disk.bitmaps().list()) {
                    if (info.inUse()) {
                        assertThatThrownBy(() -> disk.bitmaps().dirty("on"))
                                .isInstanceOf(RequestRefusedException.class);
                        assertThatThrownBy(() -> disk.resize(10, Preallocation.OFF))
                                .isInstanceOf(RequestRefusedException.class);
                        disk.write(0, ByteBuffer.allocate(10));
                        disk.bitmaps().remove("on");
                    } else {
                        BitSet bits = dirty(disk, "on", 9);
                        for (int i = 0; i < 100_000; i++) {
                            assertThat(seen.get(i) == 0 || bits.get(i >> 9))
                                    .as(when)
                                    .isTrue();
                        }
                    }
                }
            }
        });
        assertThat(cuts).isPositive();
    }

    private static void changeSome(HostDirectory directory) throws DiskException {
        try (VirtualDisk disk = open(directory)) {
            byte[] ones = new byte[3000];
            Arrays.fill(ones, (byte) 1);
            disk.write(10_000, ByteBuffer.wrap(ones));
            disk.write(70_000, ByteBuffer.wrap(ones));
        }
    }

    @Test
    @DisplayName(
            "QC-BM-01 QC-BM-02 QC-BM-06 QC-BM-09 QC-BM-16 QC-EXT-11 hostile bitmaps give a disk or a typed refusal")
    void hostile() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(100_000).withClusterBits(10));
        try (VirtualDisk disk = open(directory)) {
            disk.bitmaps().add("one", 9, true);
            disk.bitmaps().add("two", 20, false);
            disk.write(50_000, ByteBuffer.allocate(600));
        }
        byte[] image = directory.content("image").toByteArray();
        Random random = new Random(3);
        for (int round = 0; round < 2000; round++) {
            byte[] broken = image.clone();
            int at = random.nextBoolean() ? 112 + random.nextInt(400) : broken.length - 1 - random.nextInt(4000);
            broken[at] = (byte) random.nextInt();
            MemoryHostDirectory other = new MemoryHostDirectory();
            other.put("image", MemoryFileContent.of(broken));
            try (VirtualDisk disk = open(other)) {
                disk.write(0, ByteBuffer.allocate(10));
                for (BitmapInfo info : disk.bitmaps().list()) {
                    disk.bitmaps().remove(info.name());
                }
            } catch (DiskException e) {
                assertThat(e.advice()).isNotBlank();
            }
        }
    }

    @Test
    @DisplayName("QC-BM-03 QC-BM-08 QC-BM-15 QEMU reads our bitmaps, and we read those of QEMU")
    void withQemu(@TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        DRIVER.create(directory, "image", CreateOptions.ofSize(3_000_320).withClusterBits(12));
        Qemu.run(path, "qemu-img", "bitmap", "--add", "-g", "4096", "image", "theirs");
        Qemu.run(path, "qemu-io", "-f", "qcow2", "-c", "write 8192 5000", "image");
        try (VirtualDisk disk = open(directory)) {
            assertThat(disk.bitmaps().list()).containsExactly(new BitmapInfo("theirs", 12, true, false));
            assertThat(disk.bitmaps().dirty("theirs")).containsExactly(new Dirty(8192, 8192));
            disk.bitmaps().add("ours", 16, true);
            disk.write(1_000_000, ByteBuffer.allocate(10));
        }
        Qemu.check(path, "image");
        assertThat(Qemu.run(path, "qemu-img", "info", "image"))
                .contains("ours", "theirs", "auto")
                .doesNotContain("in-use");
        Qemu.run(path, "qemu-io", "-f", "qcow2", "-c", "write 0 512", "image");
        Qemu.run(path, "qemu-img", "bitmap", "--merge", "ours", "image", "theirs");
        Qemu.check(path, "image");
        try (VirtualDisk disk = open(directory)) {
            assertThat(disk.bitmaps().dirty("theirs"))
                    .isEqualTo(List.of(new Dirty(0, 65_536), new Dirty(983_040, 65_536)));
            assertThat(disk.bitmaps().dirty("ours"))
                    .isEqualTo(List.of(new Dirty(0, 65_536), new Dirty(983_040, 65_536)));
        }
    }
}
