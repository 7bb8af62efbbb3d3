package dev.qcow2.conformance.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Rows about what is done to an image as a whole. */
final class MaintenanceFeatures {

    private static final int L1_TABLE_FIELD = 40;
    private static final int REFCOUNT_TABLE_FIELD = 48;
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final int INCOMPATIBLE_FIELD = 72;
    private static final int ROUNDS = 1000;

    private MaintenanceFeatures() {}

    static List<Feature> all() {
        List<Feature> rows = new ArrayList<>();
        rows.add(Feature.of("maintenance: resize up and down", Features.plain(3, 12, 4), "-o", "cluster_size=4k")
                .with(MaintenanceFeatures::resize, MaintenanceFeatures::resizeByQemu));
        rows.add(Feature.of(
                        "maintenance: commit",
                        Features.plain(3, 16, 4).withBacking("base", Optional.of(BackingFormat.RAW)),
                        "-b",
                        "base",
                        "-F",
                        "raw")
                .withMaintenance(
                        workshop -> {
                            workshop.maintenance().commit(workshop.directory(), Workshop.DISK, workshop.access());
                            requireBase(workshop);
                        },
                        workshop -> {
                            workshop.img("commit", "-q", "-f", "qcow2", Workshop.DISK);
                            requireBase(workshop);
                        }));
        rows.add(Feature.of(
                        "maintenance: rebase",
                        Features.plain(3, 12, 4).withBacking("base", Optional.of(BackingFormat.RAW)),
                        "-o",
                        "cluster_size=4k",
                        "-b",
                        "base",
                        "-F",
                        "raw")
                .withMaintenance(MaintenanceFeatures::rebase, MaintenanceFeatures::rebaseByQemu));
        rows.addAll(amendments());
        rows.add(Feature.of("maintenance: check and repair", Features.plain(3, 16, 4))
                .withMaintenance(MaintenanceFeatures::repair, MaintenanceFeatures::repairByQemu));
        rows.add(Feature.of("maintenance: repair of dirty images at open", Features.plain(3, 16, 4))
                .withMaintenance(MaintenanceFeatures::openDirty, MaintenanceFeatures::openDirtyByQemu));
        return rows;
    }

    private static List<Feature> amendments() {
        List<Feature> rows = new ArrayList<>();
        rows.add(Feature.of("amend: version", Features.plain(3, 16, 4))
                .withMaintenance(
                        workshop -> {
                            amend(workshop, AmendOptions.NOTHING.withVersion(2));
                            workshop.requireClean();
                            amend(workshop, AmendOptions.NOTHING.withVersion(3));
                        },
                        workshop -> workshop.imgOnDisk("amend", "-o", "compat=0.10")));
        rows.add(downgrade());
        rows.add(Feature.of("amend: width of reference counts", Features.plain(3, 16, 4))
                .withMaintenance(
                        workshop -> {
                            amend(workshop, AmendOptions.NOTHING.withRefcountOrder(6));
                            workshop.requireClean();
                            // QEMU takes half a minute to widen counts of a bit or two.
                            amend(workshop, AmendOptions.NOTHING.withRefcountOrder(3));
                        },
                        workshop -> workshop.imgOnDisk("amend", "-o", "refcount_bits=32")));
        rows.add(Feature.of("amend: lazy reference counts", Features.plain(3, 16, 4))
                .withMaintenance(
                        workshop -> amend(workshop, AmendOptions.NOTHING.withLazyRefcounts(true)),
                        workshop -> workshop.imgOnDisk("amend", "-o", "lazy_refcounts=on")));
        rows.add(Feature.of(
                        "amend: backing file",
                        Features.plain(3, 16, 4).withBacking("base", Optional.of(BackingFormat.RAW)),
                        "-b",
                        "base",
                        "-F",
                        "raw")
                .withMaintenance(
                        workshop -> {
                            Backing renamed =
                                    new Backing(renameBase(workshop, "first name"), Optional.of(BackingFormat.RAW));
                            amend(workshop, AmendOptions.NOTHING.withBacking(Optional.of(renamed)));
                        },
                        workshop -> {
                            // Newer versions of QEMU leave this to an unsafe rebase.
                            String renamed = renameBase(workshop, "second name");
                            workshop.img(
                                    "rebase", "-q", "-u", "-f", "qcow2", "-b", renamed, "-F", "raw", Workshop.DISK);
                        }));
        Encryption luks = new Encryption(Cipher.LUKS_AES_256_XTS_PLAIN64, Passphrase.of(Workshop.SECRET), ROUNDS);
        rows.add(Feature.of(
                        "amend: key slots",
                        Features.with(FormatFeatures.PLAIN.withEncryption(luks)),
                        "-o",
                        "encrypt.format=luks,encrypt.iter-time=10,encrypt.key-secret=s")
                .withMaintenance(
                        MaintenanceFeatures::changeSlots,
                        workshop -> workshop.imgOnDisk(
                                "amend",
                                "-o",
                                "encrypt.state=active,encrypt.keyslot=5,encrypt.new-secret=s,encrypt.iter-time=10")));
        return rows;
    }

    /** From now on the passphrase opens another slot than the one that the image was made with. */
    private static void changeSlots(Workshop workshop) throws Exception {
        KeyChange add = new KeyChange.Add(Passphrase.of(Workshop.SECRET), OptionalInt.of(3), ROUNDS, false);
        amend(workshop, AmendOptions.NOTHING.withKeys(add));
        KeyChange erase = new KeyChange.Erase(OptionalInt.of(0), Optional.empty(), false);
        amend(workshop, AmendOptions.NOTHING.withKeys(erase));
    }

    /** Gives the base another name; there is none under the name that it had. */
    private static String renameBase(Workshop workshop, String name) throws Exception {
        for (String old : List.of("base", "first name", "second name")) {
            if (Files.exists(workshop.path().resolve(old))) {
                Files.move(workshop.path().resolve(old), workshop.path().resolve(name));
            }
        }
        return name;
    }

    static void resize(Workshop workshop, VirtualDisk disk) throws Exception {
        long larger = disk.size() + 777_216;
        disk.resize(larger, Preallocation.OFF);
        workshop.expectSize(larger);
        Workshop.write(disk, larger - 5000, 5000, 0x21);
        workshop.expect(larger - 5000, 5000, 0x21);
        long smaller = larger - 300_544;
        disk.resize(smaller, Preallocation.OFF);
        workshop.expectSize(smaller);
        disk.resize(larger - 512, Preallocation.METADATA);
        workshop.expectSize(larger - 512);
    }

    static void resizeByQemu(Workshop workshop) throws Exception {
        int size = workshop.expected().length;
        workshop.img("resize", "-q", "-f", "qcow2", Workshop.DISK, "+1M");
        workshop.expectSize(size + (1 << 20));
        workshop.img("resize", "-q", "--shrink", "-f", "qcow2", Workshop.DISK, Integer.toString(size - 65_536));
        workshop.expectSize(size - 65_536);
    }

    private static void requireBase(Workshop workshop) throws Exception {
        byte[] base = Files.readAllBytes(workshop.path().resolve("base"));
        assertThat(Arrays.mismatch(base, workshop.expected())).isEqualTo(-1);
    }

    private static void rebase(Workshop workshop) throws Exception {
        workshop.maintenance()
                .rebase(workshop.directory(), Workshop.DISK, Optional.empty(), RebaseMode.SAFE, workshop.access());
        byte[] other = new byte[700_000];
        Arrays.fill(other, (byte) 0x19);
        Files.write(workshop.path().resolve("other"), other);
        Optional<Backing> backing = Optional.of(new Backing("other", Optional.of(BackingFormat.RAW)));
        workshop.maintenance().rebase(workshop.directory(), Workshop.DISK, backing, RebaseMode.SAFE, workshop.access());
        // The same bytes under another name: nothing has to be copied.
        Files.write(workshop.path().resolve("twin"), other);
        Optional<Backing> twin = Optional.of(new Backing("twin", Optional.of(BackingFormat.RAW)));
        workshop.maintenance().rebase(workshop.directory(), Workshop.DISK, twin, RebaseMode.UNSAFE, workshop.access());
    }

    private static void rebaseByQemu(Workshop workshop) throws Exception {
        byte[] third = new byte[900_608];
        Arrays.fill(third, (byte) 0x18);
        Files.write(workshop.path().resolve("third"), third);
        workshop.img("rebase", "-q", "-f", "qcow2", "-b", "third", "-F", "raw", Workshop.DISK);
    }

    private static void amend(Workshop workshop, AmendOptions changes) throws Exception {
        workshop.maintenance().amend(workshop.directory(), Workshop.DISK, changes, workshop.access());
    }

    private static Feature downgrade() {
        return Feature.of(
                        "amend: version, with zero clusters in snapshots",
                        Features.plain(3, 16, 4).withBacking("base", Optional.of(BackingFormat.RAW)),
                        "-b",
                        "base",
                        "-F",
                        "raw")
                .withMaintenance(MaintenanceFeatures::downgradeByOurs, MaintenanceFeatures::downgradeByQemu);
    }

    /** Zeros over what the backing file holds go into two snapshots, of which one shares their table with the disk. */
    private static void downgradeByOurs(Workshop workshop) throws Exception {
        amend(workshop, AmendOptions.NOTHING.withVersion(3));
        try (VirtualDisk disk = workshop.open(workshop.access())) {
            Workshop.write(disk, 131_072, 100_000, 0x33);
            disk.writeZeroes(131_072, 65_536, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(0, 65_536, VirtualDisk.ZeroMode.MAY_UNMAP);
            workshop.expect(131_072, 100_000, 0x33);
            workshop.expect(131_072, 65_536, 0);
            workshop.expect(0, 65_536, 0);
            disk.createSnapshot("zeros of ours");
            workshop.expectSnapshot("zeros of ours");
            Workshop.write(disk, 200_000, 5_000, 0x34);
            workshop.expect(200_000, 5_000, 0x34);
            disk.createSnapshot("shared zeros of ours");
            workshop.expectSnapshot("shared zeros of ours");
        }
        amend(workshop, AmendOptions.NOTHING.withVersion(2));
    }

    private static void downgradeByQemu(Workshop workshop) throws Exception {
        workshop.imgOnDisk("amend", "-o", "compat=1.1");
        // Unmapped: what a zero cluster keeps and a snapshot shares, QEMU 7.2 takes for the entry's own when it amends.
        workshop.io("write -z -u 65536 65536");
        workshop.expect(65_536, 65_536, 0);
        workshop.img("snapshot", "-c", "zeros", Workshop.DISK);
        workshop.expectSnapshot("zeros");
        workshop.io("write -P 0x35 262144 65536");
        workshop.expect(262_144, 65_536, 0x35);
        workshop.img("snapshot", "-c", "shared", Workshop.DISK);
        workshop.expectSnapshot("shared");
        workshop.imgOnDisk("amend", "-o", "compat=0.10");
    }

    /** One cluster in use is not counted, and one that is counted is not in use. */
    private static void damage(Workshop workshop, boolean dirty) throws Exception {
        try (HostFile file = workshop.directory().open(Workshop.DISK, Access.READ_WRITE)) {
            long block = number(file, number(file, REFCOUNT_TABLE_FIELD));
            long l2Table = number(file, number(file, L1_TABLE_FIELD)) & OFFSET;
            long unused = ((file.size() - 1) >> 16) + 2;
            file.truncate((unused + 1) << 16);
            file.write(block + 2 * (l2Table >> 16), ByteBuffer.wrap(new byte[] {0, 0}));
            file.write(block + 2 * unused, ByteBuffer.wrap(new byte[] {0, 1}));
            if (dirty) {
                file.write(INCOMPATIBLE_FIELD + Long.BYTES - 1, ByteBuffer.wrap(new byte[] {1}));
            }
        }
    }

    private static long number(HostFile file, long at) throws Exception {
        ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
        file.read(at, number);
        return number.getLong(0);
    }

    private static void repair(Workshop workshop) throws Exception {
        damage(workshop, false);
        RepairReport report =
                workshop.maintenance().repair(workshop.directory(), Workshop.DISK, RepairMode.ALL, workshop.access());
        assertThat(report.clean()).as(report.toString()).isTrue();
        assertThat(report.leaksFixed() + report.corruptionsFixed()).isGreaterThanOrEqualTo(2);
    }

    private static void repairByQemu(Workshop workshop) throws Exception {
        damage(workshop, false);
        workshop.imgOnDisk("check", "-q", "-r", "all");
    }

    private static void openDirty(Workshop workshop) throws Exception {
        damage(workshop, true);
        try (VirtualDisk disk = workshop.open(workshop.access().repairingDirty())) {
            assertThat(disk.notices()).isNotEmpty();
        }
    }

    private static void openDirtyByQemu(Workshop workshop) throws Exception {
        damage(workshop, true);
        workshop.io("write -P 0x17 0 512");
        workshop.expect(0, 512, 0x17);
    }
}
