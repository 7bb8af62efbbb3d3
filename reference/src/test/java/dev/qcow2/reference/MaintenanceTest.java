package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Amend, commit and rebase: the guest's bytes stay, whatever a power cut does. */
class MaintenanceTest {

    private static final int SIZE = 70_144;
    private static final OpenOptions OPTIONS = OpenOptions.readWrite().followingBacking();
    private static final ReferenceDriver DRIVER = new ReferenceDriver();

    private static byte[] read(HostDirectory directory, String name) throws DiskException {
        try (VirtualDisk disk =
                DRIVER.open(directory, name, OpenOptions.readOnly().followingBacking())) {
            ByteBuffer bytes = ByteBuffer.allocate((int) disk.size());
            disk.read(0, bytes);
            return bytes.array();
        }
    }

    private static void requireSame(HostDirectory directory, byte[] expected, String when) throws DiskException {
        assertThat(Arrays.mismatch(read(directory, "image"), expected)).as(when).isEqualTo(-1);
        assertThat(RepairTest.audit(directory).sound())
                .as(when + RepairTest.audit(directory).toText())
                .isTrue();
    }

    private static void change(HostDirectory directory, String name, int seed, boolean snapshot) throws DiskException {
        Random random = new Random(seed);
        try (VirtualDisk disk = DRIVER.open(directory, name, OPTIONS)) {
            for (int i = 0; i < 8; i++) {
                byte[] payload = new byte[random.nextInt(6000)];
                random.nextBytes(payload);
                disk.write(random.nextInt((int) disk.size() - payload.length), ByteBuffer.wrap(payload));
                disk.writeZeroes(random.nextInt(60_000), 5000, ZeroMode.KEEP_ALLOCATION);
            }
            if (snapshot) {
                disk.createSnapshot("one");
                disk.write(0, ByteBuffer.wrap(new byte[2000]));
            }
        }
    }

    /** "image" over "base"; "other" could take the place of "base". */
    private static void makeChain(HostDirectory directory, int version, boolean raw) throws DiskException {
        CreateOptions options = CreateOptions.ofSize(SIZE).withVersion(version).withClusterBits(9);
        for (String name : new String[] {"base", "other"}) {
            DRIVER.create(directory, name, options.withVersion(3));
            change(directory, name, name.length(), false);
        }
        if (raw) {
            byte[] bytes = read(directory, "base");
            try (HostFile file = directory.create("base")) {
                file.write(0, ByteBuffer.wrap(bytes, 0, 30_000));
            }
        }
        BackingFormat format = raw ? BackingFormat.RAW : BackingFormat.QCOW2;
        DRIVER.create(directory, "image", options.withBacking("base", Optional.of(format)));
        change(directory, "image", 9, false);
    }

    @ParameterizedTest
    @CsvSource({"3, 6, false", "3, 2, true", "3, 0, false", "3, 3, true", "2, 5, true", "2, 4, false"})
    @DisplayName(
            "QC-MNT-18 QC-MNT-19 QC-MNT-20 QC-MNT-27 QC-MNT-29 an amended image reads as before, also if a power cut ends it anywhere")
    void amends(int version, int order, boolean snapshot) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(
                directory,
                "image",
                CreateOptions.ofSize(SIZE).withVersion(version).withClusterBits(9));
        change(directory, "image", 3, snapshot);
        byte[] expected = read(directory, "image");
        AmendOptions changes =
                AmendOptions.NOTHING.withVersion(3).withRefcountOrder(order).withLazyRefcounts(true);
        int cuts = PowerCuts.forEach(directory, d -> DRIVER.amend(d, "image", changes, OPTIONS), (after, when) -> {
            requireSame(after, expected, when);
            DRIVER.amend(after, "image", changes, OPTIONS);
            requireSame(after, expected, when);
        });
        assertThat(cuts).isPositive();
        DRIVER.amend(directory, "image", changes, OPTIONS);
        byte[] bytes = directory.content("image").toByteArray();
        assertThat(new int[] {bytes[7], bytes[99], bytes[87]}).containsExactly(3, order, 1);
        assertThat(RepairTest.audit(directory).clean()).isTrue();
        DRIVER.amend(directory, "image", changes, OPTIONS);
        assertThat(directory.content("image").toByteArray()).as("QC-MNT-28").isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"true, false", "false, false", "true, true", "false, true"})
    @DisplayName("QC-MNT-17 version 3 becomes version 2 without its zero clusters, and the guest sees no difference")
    void downgrades(boolean backed, boolean snapshot) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        if (backed) {
            makeChain(directory, 3, false);
        } else {
            DRIVER.create(directory, "image", CreateOptions.ofSize(SIZE).withClusterBits(9));
            change(directory, "image", 3, false);
        }
        if (snapshot) {
            change(directory, "image", 4, true);
        }
        byte[] expected = read(directory, "image");
        AmendOptions changes = AmendOptions.NOTHING.withVersion(2);
        int cuts = PowerCuts.forEach(directory, d -> DRIVER.amend(d, "image", changes, OPTIONS), (after, when) -> {
            requireSame(after, expected, when);
        });
        assertThat(cuts).isPositive();
        DRIVER.amend(directory, "image", changes, OPTIONS);
        requireSame(directory, expected, "after all");
        assertThat(directory.content("image").toByteArray()[7]).isEqualTo((byte) 2);
        assertThat(RepairTest.audit(directory).clean()).isTrue();
    }

    @Test
    @DisplayName("QC-MNT-17 QC-MNT-19 QC-MNT-28 what forbids a change is found before anything is written")
    void refusals() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(SIZE).withClusterBits(9));
        change(directory, "image", 3, true);
        byte[] before = directory.content("image").toByteArray();
        AmendOptions[] impossible = {
            AmendOptions.NOTHING.withRefcountOrder(0),
            AmendOptions.NOTHING.withVersion(2).withRefcountOrder(3),
            AmendOptions.NOTHING.withVersion(2).withLazyRefcounts(true)
        };
        for (AmendOptions changes : impossible) {
            assertThatThrownBy(() -> DRIVER.amend(directory, "image", changes, OPTIONS))
                    .isInstanceOf(RequestRefusedException.class);
            assertThat(directory.content("image").toByteArray()).isEqualTo(before);
        }
    }

    @Test
    @DisplayName("QC-HDR-25 QC-EXT-04 QC-MNT-29 a rewritten header keeps unknown fields and extensions")
    void keepsTheUnknown() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        DRIVER.create(directory, "image", CreateOptions.ofSize(SIZE));
        byte[] image = directory.content("image").toByteArray();
        ByteBuffer header = ByteBuffer.wrap(image);
        header.putInt(100, 120).putLong(112, 0x1122334455667788L);
        header.putInt(120, 0x12345678)
                .putInt(124, 5)
                .put(128, new byte[] {1, 2, 3, 4, 5, 0, 0, 0})
                .putLong(136, 0);
        directory.put("image", MemoryFileContent.of(image));
        DRIVER.rebase(directory, "image", Optional.of(new Backing("b", Optional.empty())), RebaseMode.UNSAFE, OPTIONS);
        ByteBuffer after = ByteBuffer.wrap(directory.content("image").toByteArray());
        assertThat(after.getLong(112)).isEqualTo(0x1122334455667788L);
        assertThat(after.getInt(120)).isEqualTo(0x12345678);
        assertThat(Arrays.copyOfRange(after.array(), 128, 133)).containsExactly(1, 2, 3, 4, 5);
        assertThat(after.get((int) after.getLong(8))).isEqualTo((byte) 'b');
        DRIVER.rebase(directory, "image", Optional.empty(), RebaseMode.UNSAFE, OPTIONS);
        assertThat(directory.content("image").toByteArray()).startsWith(Arrays.copyOf(image, 144));
    }

    @ParameterizedTest
    @CsvSource({"3, false", "3, true", "2, false"})
    @DisplayName("QC-MNT-21 QC-MNT-22 QC-MNT-23 QC-MNT-27 after a commit the backing file reads as the overlay did")
    void commits(int version, boolean raw) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        makeChain(directory, version, raw);
        byte[] expected = read(directory, "image");
        int cuts = PowerCuts.forEach(directory, d -> DRIVER.commit(d, "image", OPTIONS), (after, when) -> {
            requireSame(after, expected, when);
        });
        assertThat(cuts).isPositive();
        DRIVER.commit(directory, "image", OPTIONS);
        requireSame(directory, expected, "after all");
        assertThat(RepairTest.audit(directory).clean()).isTrue();
        if (raw) {
            assertThat(directory.content("base").toByteArray()).isEqualTo(expected);
        } else {
            assertThat(read(directory, "base")).isEqualTo(expected);
        }
        change(directory, "image", 4, true);
        assertThatThrownBy(() -> DRIVER.commit(directory, "image", OPTIONS))
                .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                        .isEqualTo(MaintenanceClause.QC_MNT_24));
    }

    @ParameterizedTest
    @CsvSource({"3, true", "3, false", "2, true", "2, false"})
    @DisplayName("QC-MNT-25 QC-MNT-27 QC-BACK-04 a safe rebase keeps every byte, also if a power cut ends it anywhere")
    void rebases(int version, boolean toOther) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        makeChain(directory, version, false);
        byte[] expected = read(directory, "image");
        Optional<Backing> backing =
                toOther ? Optional.of(new Backing("other", Optional.of(BackingFormat.QCOW2))) : Optional.empty();
        int cuts = PowerCuts.forEach(
                directory, d -> DRIVER.rebase(d, "image", backing, RebaseMode.SAFE, OPTIONS), (after, when) -> {
                    requireSame(after, expected, when);
                });
        assertThat(cuts).isPositive();
        DRIVER.rebase(directory, "image", backing, RebaseMode.SAFE, OPTIONS);
        requireSame(directory, expected, "after all");
        assertThat(RepairTest.audit(directory).clean()).isTrue();
        directory.put("base", MemoryFileContent.of(new byte[10]));
        assertThat(read(directory, "image")).isEqualTo(expected);
        Backing itself = new Backing("image", Optional.empty());
        assertThatThrownBy(() -> DRIVER.rebase(directory, "image", Optional.of(itself), RebaseMode.SAFE, OPTIONS))
                .isInstanceOf(BackingException.class);
    }

    @Test
    @DisplayName("QC-MNT-26 an unsafe rebase changes the name and nothing else")
    void unsafe() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        makeChain(directory, 3, false);
        byte[] before = directory.content("image").toByteArray();
        Optional<Backing> missing = Optional.of(new Backing("nowhere", Optional.of(BackingFormat.RAW)));
        DRIVER.rebase(directory, "image", missing, RebaseMode.UNSAFE, OPTIONS);
        byte[] after = directory.content("image").toByteArray();
        assertThat(Arrays.copyOfRange(after, 512, after.length))
                .isEqualTo(Arrays.copyOfRange(before, 512, before.length));
        assertThatThrownBy(() -> read(directory, "image")).isInstanceOf(BackingException.class);
    }

    @Test
    @DisplayName("QC-MNT-18 QC-MNT-19 QC-MNT-21 QC-MNT-25 QEMU reads what we amended, committed and rebased")
    void qemuAgrees(@TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        makeChain(directory, 3, false);
        byte[] expected = read(directory, "image");
        for (int order : new int[] {0, 6, 1, 4}) {
            DRIVER.amend(directory, "image", AmendOptions.NOTHING.withRefcountOrder(order), OPTIONS);
            Qemu.check(path, "image");
            assertThat(Qemu.read(path, "image")).isEqualTo(expected);
        }
        DRIVER.amend(directory, "image", AmendOptions.NOTHING.withVersion(2), OPTIONS);
        Qemu.check(path, "image");
        assertThat(Qemu.run(path, "qemu-img", "info", "image")).contains("compat: 0.10");
        DRIVER.amend(directory, "image", AmendOptions.NOTHING.withVersion(3).withLazyRefcounts(true), OPTIONS);
        Qemu.check(path, "image");
        assertThat(Qemu.read(path, "image")).isEqualTo(expected);
        Optional<Backing> other = Optional.of(new Backing("other", Optional.of(BackingFormat.QCOW2)));
        DRIVER.rebase(directory, "image", other, RebaseMode.SAFE, OPTIONS);
        Qemu.check(path, "image");
        assertThat(Qemu.read(path, "image")).isEqualTo(expected);
        DRIVER.commit(directory, "image", OPTIONS);
        Qemu.check(path, "image");
        Qemu.check(path, "other");
        assertThat(Qemu.read(path, "other")).isEqualTo(expected);
        DRIVER.rebase(directory, "image", Optional.empty(), RebaseMode.SAFE, OPTIONS);
        Qemu.check(path, "image");
        assertThat(Qemu.read(path, "image")).isEqualTo(expected);
    }
}
