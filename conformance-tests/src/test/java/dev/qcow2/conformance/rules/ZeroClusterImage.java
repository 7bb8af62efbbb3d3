package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.read;
import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A random image whose disk and snapshots have zero clusters of both kinds: in tables that some of them share and in others,
 * in the area of machine state, and with kept host clusters that are data elsewhere.
 */
final class ZeroClusterImage {

    static final String NAME = "disk";
    static final String BASE = "base";

    private static final Passphrase PASSPHRASE = Passphrase.of("open");
    private static final OpenOptions OPTIONS =
            OpenOptions.readWrite().followingBacking().repairingDirty().withPassphrase(PASSPHRASE);

    private final SplittableRandom random;
    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final int clusterBits;
    private final int size;
    private final boolean encrypted;
    private final boolean backed;
    private final boolean lazy;
    private final int order;
    private final boolean hidesShared;
    private int fills;

    /** What the guest and its snapshots hold, each with its machine state behind it. */
    record Content(ByteBuffer disk, Map<String, ByteBuffer> snapshots) {}

    /** Makes one that may be encrypted. */
    static ZeroClusterImage of(DiskDriver driver, long seed) throws DiskException {
        return new ZeroClusterImage(driver, seed, true, true);
    }

    /** Makes one that QEMU's tools read without a passphrase. */
    static ZeroClusterImage plain(DiskDriver driver, long seed) throws DiskException {
        return new ZeroClusterImage(driver, seed, false, true);
    }

    /** Makes one in which no zero cluster keeps a host cluster: QEMU 7.2 takes that for the entry's own, also where it is shared. */
    static ZeroClusterImage forQemu(DiskDriver driver, long seed) throws DiskException {
        return new ZeroClusterImage(driver, seed, false, false);
    }

    private ZeroClusterImage(DiskDriver driver, long seed, boolean mayEncrypt, boolean hidesShared)
            throws DiskException {
        this.random = new SplittableRandom(seed);
        this.clusterBits = random.nextInt(9, 12);
        int perTable = 1 << (2 * clusterBits - 3);
        this.size = (perTable + random.nextInt(2 * perTable)) / 512 * 512;
        this.backed = random.nextInt(3) > 0;
        this.encrypted = mayEncrypt && random.nextInt(4) == 0;
        this.lazy = random.nextInt(4) == 0;
        this.order = random.nextInt(3) == 0 ? random.nextInt(3, 7) : 4;
        this.hidesShared = hidesShared;
        make(driver);
    }

    private void make(DiskDriver driver) throws DiskException {
        CreateOptions options = new CreateOptions(size, 3, clusterBits, order, Optional.empty());
        // One counts sectors on the guest's disk, the other in the file.
        Cipher cipher = random.nextInt(3) > 0 ? Cipher.LEGACY_AES_128_CBC : Cipher.LUKS_AES_128_XTS_PLAIN64;
        FormatFeatures features = encrypted
                ? FormatFeatures.PLAIN.withEncryption(new Encryption(cipher, PASSPHRASE, 1000))
                : FormatFeatures.PLAIN;
        options = options.withFeatures(lazy ? features.withLazyRefcounts() : features);
        if (backed) {
            // Shorter than the disk, or so long that it reaches into the area of machine state.
            int length = random.nextBoolean() ? size / 2 + 300 : 2 * size;
            directory.put(BASE, MemoryFileContent.of(RuleImage.text(77, length)));
            options = options.withBacking(BASE, Optional.of(BackingFormat.RAW));
        }
        driver.create(directory, NAME, options);
        try (VirtualDisk disk = driver.open(directory, NAME, OPTIONS)) {
            int snapshots = random.nextInt(1, 5);
            for (int i = 0; i < snapshots; i++) {
                change(disk);
                disk.createSnapshot("s" + i, random.nextInt(3 << clusterBits));
                if (random.nextInt(5) == 0) {
                    disk.applySnapshot(disk.snapshots().get(0).id());
                }
                // So that most of a table goes on being shared now and then.
                if (random.nextBoolean()) {
                    disk.write(random.nextInt(size - 10), ByteBuffer.wrap(RuleImage.text(fills++, 10)));
                }
            }
            if (random.nextBoolean()) {
                change(disk);
            }
        }
        hide();
        requireClean("made");
    }

    private void change(VirtualDisk disk) throws DiskException {
        int cluster = 1 << clusterBits;
        int requests = random.nextInt(1, 9);
        for (int i = 0; i < requests; i++) {
            int at = random.nextInt(size);
            int length = 1 + random.nextInt(Math.min(size - at, random.nextBoolean() ? 2 * cluster : 40 * cluster));
            int start = at / cluster * cluster;
            switch (random.nextInt(6)) {
                case 0, 1 -> disk.write(at, ByteBuffer.wrap(RuleImage.text(fills++, length)));
                case 2 -> disk.writeZeroes(at, length, hidesShared ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP);
                case 3 -> disk.writeZeroes(at, length, ZeroMode.MAY_UNMAP);
                case 4 -> disk.writeVmState(random.nextInt(cluster), ByteBuffer.wrap(RuleImage.text(fills++, length)));
                default -> {
                    if (encrypted || start + cluster > size) {
                        disk.discard(at, length);
                    } else {
                        disk.writeCompressed(start, ByteBuffer.wrap(RuleImage.text(fills++, cluster)));
                    }
                }
            }
        }
    }

    /** Sets the zero flag of entries here and there, whoever has their tables: none of our writers leaves all of this. */
    private void hide() throws DiskException {
        byte[] bytes = bytes();
        ByteBuffer file = ByteBuffer.wrap(bytes);
        TreeSet<Long> tables = new TreeSet<>();
        roots(bytes).values().forEach(tables::addAll);
        tables.remove(0L);
        for (long table : tables) {
            for (int at = 0; at < 1 << clusterBits; at += 8) {
                int place = (int) table + at;
                long entry = file.getLong(place);
                boolean plain = entry == 0 || (hidesShared && !MappingLayout.L2_COMPRESSED.isSet(entry));
                if (plain && random.nextInt(12) == 0) {
                    file.putLong(place, entry | MappingLayout.L2_ZERO.mask());
                }
            }
        }
        replace(bytes);
    }

    /** Where the tables are that each L1 table names: the active one, whose name is empty, and those of snapshots. */
    private static Map<String, List<Long>> roots(byte[] image) {
        ByteBuffer file = ByteBuffer.wrap(image);
        Map<String, List<Long>> roots = new TreeMap<>();
        long l1 = HeaderLayout.L1_TABLE_OFFSET.get(file, 0);
        roots.put("", tables(file, l1, HeaderLayout.L1_SIZE.get(file, 0)));
        int at = (int) HeaderLayout.SNAPSHOTS_OFFSET.get(file, 0);
        for (long i = 0; i < HeaderLayout.NB_SNAPSHOTS.get(file, 0); i++) {
            long root = SnapshotLayout.L1_TABLE_OFFSET.get(file, at);
            roots.put("snapshot " + i, tables(file, root, SnapshotLayout.L1_SIZE.get(file, at)));
            long length = SnapshotLayout.ENTRY.size()
                    + SnapshotLayout.EXTRA_DATA_SIZE.get(file, at)
                    + SnapshotLayout.ID_SIZE.get(file, at)
                    + SnapshotLayout.NAME_SIZE.get(file, at);
            at += (int) ((length + 7) & ~7);
        }
        return roots;
    }

    private static List<Long> tables(ByteBuffer file, long l1, long entries) {
        List<Long> tables = new ArrayList<>();
        for (int i = 0; i < entries; i++) {
            tables.add(MappingLayout.L1_OFFSET.inPlace(file.getLong((int) l1 + 8 * i)));
        }
        return tables;
    }

    /** Who shares which L2 tables with whom, and where these are. */
    Map<String, List<Long>> roots() throws DiskException {
        return roots(bytes());
    }

    MemoryHostDirectory directory() {
        return directory;
    }

    int size() {
        return size;
    }

    boolean backed() {
        return backed;
    }

    int version() throws DiskException {
        return (int) HeaderLayout.VERSION.get(ByteBuffer.wrap(bytes()), 0);
    }

    byte[] bytes() throws DiskException {
        return directory.content(NAME).toByteArray();
    }

    void replace(byte[] bytes) {
        directory.put(NAME, MemoryFileContent.of(bytes));
    }

    /** Makes it version 2, together with all else that this takes. */
    void amend(DiskDriver driver, HostDirectory where) throws DiskException {
        AmendOptions changes = AmendOptions.NOTHING.withVersion(2).withLazyRefcounts(false);
        ((MaintenanceDriver) driver).amend(where, NAME, order == 4 ? changes : changes.withRefcountOrder(4), OPTIONS);
    }

    /** Reads the disk and all snapshots in a copy. */
    static Content content(DiskDriver driver, MemoryHostDirectory directory) throws DiskException {
        MemoryHostDirectory copy = directory.copy();
        Map<String, ByteBuffer> snapshots = new TreeMap<>();
        try (VirtualDisk disk = driver.open(copy, NAME, OPTIONS)) {
            ByteBuffer active = everything(disk);
            for (SnapshotInfo snapshot : disk.snapshots()) {
                disk.applySnapshot(snapshot.id());
                snapshots.put(snapshot.name(), everything(disk));
            }
            return new Content(active, snapshots);
        }
    }

    private static ByteBuffer everything(VirtualDisk disk) throws DiskException {
        int length = (int) disk.size();
        ByteBuffer bytes = ByteBuffer.allocate(length + (1 << 15));
        bytes.put(read(disk, 0, length));
        disk.readVmState(0, bytes);
        return bytes.flip();
    }

    /** The disk of what {@link #content} returns, without machine state. */
    ByteBuffer disk(ByteBuffer everything) {
        return everything.duplicate().limit(size);
    }

    /** Puts it and its backing file into a folder. */
    Path exportTo(Path folder) throws IOException {
        if (backed) {
            Files.write(folder.resolve(BASE), directory.content(BASE).toByteArray());
        }
        return Files.write(folder.resolve(NAME), bytes());
    }

    void importFrom(Path folder) throws IOException {
        replace(Files.readAllBytes(folder.resolve(NAME)));
    }

    private AuditReport audit() throws DiskException {
        try (HostFile file = directory.open(NAME, Access.READ_ONLY)) {
            return new Auditor().audit(file);
        }
    }

    void requireNothingButLeaks(String when) throws DiskException {
        assertThat(audit().sound()).as(when + ": " + audit().toText()).isTrue();
    }

    /** Leaks, and flags that could be set and are not: they cost a copy. */
    void requireNoLoss(String when) throws DiskException {
        requireNoLoss(audit(), when);
    }

    static void requireNoLoss(AuditReport report, String when) {
        for (Finding finding : report.findings()) {
            boolean unsetFlag = finding.message().matches("COPIED is wrong.* count is 1(: .*)?");
            assertThat(finding.kind() != Finding.Kind.CORRUPTION || unsetFlag)
                    .as(when + ": " + finding)
                    .isTrue();
        }
    }

    void requireClean(String when) throws DiskException {
        assertThat(audit().clean()).as(when + ": " + audit().toText()).isTrue();
    }

    @Override
    public String toString() {
        return "clusters of " + (1 << clusterBits) + " bytes, disk of " + size + (backed ? ", backed" : "")
                + (encrypted ? ", encrypted" : "") + (lazy ? ", lazy" : "") + ", counts of " + (1 << order) + " bits";
    }
}
