package dev.qcow2.conformance.mutant;

import dev.qcow2.conformance.mutant.FeatureFault.Form;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * One short sequence for each form of image, the same for every fault, and judges who know nothing of faults: an array
 * of bytes, the auditor, and the other implementation, which reads what was written.
 */
final class FeatureJudge {

    static final int CLUSTER_BITS = 14;
    static final int CLUSTER = 1 << CLUSTER_BITS;
    static final int CLUSTERS = 12;
    static final String DATA = "data";

    /** In images that become version 2: a zero cluster everywhere, and one that hides what the first snapshot shows. */
    static final int ZERO_CLUSTER = 4;

    static final int HIDDEN_CLUSTER = 3;

    private static final int SIZE = CLUSTERS * CLUSTER;
    private static final Passphrase PASSPHRASE = Passphrase.of("open");
    private static final FormatFeatures PLAIN = FormatFeatures.PLAIN;

    private final Form form;
    private final DiskDriver driver;
    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final List<String> findings = new ArrayList<>();
    private final byte[] expected = new byte[SIZE];

    private FeatureJudge(Form form, DiskDriver driver) {
        this.form = form;
        this.driver = driver;
    }

    /** Returns what the judges found. */
    static List<String> judge(Form form, DiskDriver driver) {
        FeatureJudge judge = new FeatureJudge(form, driver);
        try {
            judge.run();
        } catch (DiskException e) {
            judge.findings.add("a request failed: " + e.getMessage());
        }
        return judge.findings;
    }

    /** Returns the backing file's bytes. */
    static byte[] base() {
        byte[] bytes = new byte[SIZE];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    /** Bytes of which about half can be packed. */
    private static byte[] text(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        Arrays.fill(bytes, length / 2, length, (byte) ('a' + seed));
        return bytes;
    }

    private boolean backed() {
        return form == Form.SUBCLUSTERS || form == Form.ENCRYPTED || form == Form.RESIZED || form == Form.AMENDED;
    }

    private CreateOptions options() {
        FormatFeatures features =
                switch (form) {
                    case COMPRESSED -> PLAIN.withCompression(Compression.ZSTD);
                    case SUBCLUSTERS -> PLAIN.withExtendedL2();
                    case DATA_FILE -> PLAIN.withDataFile(DATA, true);
                    case ENCRYPTED ->
                        PLAIN.withEncryption(new Encryption(Cipher.LUKS_AES_256_XTS_PLAIN64, PASSPHRASE, 1000));
                    case BITMAPS, RESIZED, VM_STATE, AMENDED -> PLAIN;
                };
        CreateOptions options =
                CreateOptions.ofSize(SIZE).withClusterBits(CLUSTER_BITS).withFeatures(features);
        return backed() ? options.withBacking("base", Optional.of(BackingFormat.RAW)) : options;
    }

    private static OpenOptions access() {
        return OpenOptions.readWrite().followingBacking().followingDataFile().withPassphrase(PASSPHRASE);
    }

    private void run() throws DiskException {
        if (backed()) {
            directory.put("base", MemoryFileContent.of(base()));
            System.arraycopy(base(), 0, expected, 0, SIZE);
        }
        driver.create(directory, "image", options());
        try (VirtualDisk disk = driver.open(directory, "image", access())) {
            first(disk);
            compare(disk, "the writer itself");
        }
        settle();
        try (VirtualDisk disk = driver.open(directory, "image", access())) {
            write(disk, 6 * CLUSTER + 1000, text(9, 600));
            compare(disk, "the writer itself");
        }
        settle();
        if (form == Form.DATA_FILE) {
            dataFile();
        }
        if (form == Form.AMENDED) {
            becomeVersion2();
        }
    }

    /** One snapshot has an L2 table of its own, another shares one with the disk; both have zero clusters. */
    private void becomeVersion2() throws DiskException {
        byte[] first;
        try (VirtualDisk disk = driver.open(directory, "image", access())) {
            write(disk, HIDDEN_CLUSTER * CLUSTER, text(4, CLUSTER));
            zero(disk, ZERO_CLUSTER);
            first = expected.clone();
            disk.createSnapshot("first");
            write(disk, 7 * CLUSTER, text(5, CLUSTER));
            disk.createSnapshot("second");
        }
        try (HostFile file = directory.open("image", Access.READ_WRITE)) {
            // As QEMU writes zeroes without unmapping where a snapshot shares the cluster.
            StoredTables tables = new StoredTables(file, false);
            long at = tables.entryAt(HIDDEN_CLUSTER);
            tables.number(at, tables.number(at) | MappingLayout.L2_ZERO.mask());
        }
        Arrays.fill(expected, HIDDEN_CLUSTER * CLUSTER, (HIDDEN_CLUSTER + 1) * CLUSTER, (byte) 0);
        ((MaintenanceDriver) driver).amend(directory, "image", AmendOptions.NOTHING.withVersion(2), access());
        settle();
        for (String id : List.of("2", "1")) {
            try (VirtualDisk disk = new OptimizedDriver().open(directory, "image", access())) {
                disk.applySnapshot(id);
            }
            System.arraycopy(id.equals("1") ? first : expected, 0, expected, 0, SIZE);
            settle();
        }
    }

    private void zero(VirtualDisk disk, int cluster) throws DiskException {
        disk.writeZeroes((long) cluster * CLUSTER, CLUSTER, ZeroMode.MAY_UNMAP);
        Arrays.fill(expected, cluster * CLUSTER, (cluster + 1) * CLUSTER, (byte) 0);
    }

    private void write(VirtualDisk disk, int offset, byte[] bytes) throws DiskException {
        disk.write(offset, ByteBuffer.wrap(bytes));
        System.arraycopy(bytes, 0, expected, offset, bytes.length);
    }

    private void first(VirtualDisk disk) throws DiskException {
        if (form == Form.BITMAPS) {
            disk.bitmaps().add("b", CLUSTER_BITS, true);
        }
        write(disk, 100, text(1, 700));
        write(disk, 2 * CLUSTER, text(2, 2 * CLUSTER));
        if (form == Form.COMPRESSED) {
            for (int cluster = 4; cluster < 8; cluster++) {
                byte[] bytes = text(cluster, CLUSTER);
                disk.writeCompressed((long) cluster * CLUSTER, ByteBuffer.wrap(bytes));
                System.arraycopy(bytes, 0, expected, cluster * CLUSTER, CLUSTER);
            }
            disk.createSnapshot("s");
        }
        write(disk, 5 * CLUSTER + 100, text(3, 300));
        disk.writeZeroes(3 * CLUSTER + 1024, 2048, ZeroMode.KEEP_ALLOCATION);
        Arrays.fill(expected, 3 * CLUSTER + 1024, 3 * CLUSTER + 3072, (byte) 0);
        // Both a cluster that was written and one that never was.
        for (int cluster : new int[] {2, 10}) {
            disk.discard((long) cluster * CLUSTER, CLUSTER);
            Arrays.fill(expected, cluster * CLUSTER, (cluster + 1) * CLUSTER, (byte) 0);
        }
        if (form == Form.RESIZED) {
            disk.resize(8 * CLUSTER + 100, Preallocation.OFF);
            disk.resize(SIZE, Preallocation.OFF);
            Arrays.fill(expected, 8 * CLUSTER + 100, SIZE, (byte) 0);
        }
        if (form == Form.VM_STATE) {
            machineState(disk);
        }
    }

    private void machineState(VirtualDisk disk) throws DiskException {
        byte[] state = text(5, CLUSTER);
        disk.writeVmState(0, ByteBuffer.wrap(state));
        String id = disk.createSnapshot("with state", CLUSTER).id();
        disk.write(0, ByteBuffer.wrap(text(6, CLUSTER)));
        disk.applySnapshot(id);
        byte[] found = new byte[CLUSTER];
        disk.readVmState(0, ByteBuffer.wrap(found));
        if (!Arrays.equals(found, state)) {
            findings.add("machine state differs");
        }
    }

    private void compare(VirtualDisk disk, String who) throws DiskException {
        ByteBuffer found = ByteBuffer.allocate(SIZE);
        disk.read(0, found);
        int at = Arrays.mismatch(found.array(), expected);
        if (at >= 0) {
            findings.add(who + " reads another byte at guest offset " + at);
        }
    }

    /** Asks the auditor and the other implementation. */
    private void settle() throws DiskException {
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            if (!report.clean()) {
                findings.add("the auditor: " + report.findings().get(0));
            }
        }
        try (VirtualDisk disk = new OptimizedDriver().open(directory, "image", access().withAccess(Access.READ_ONLY))) {
            compare(disk, "the other implementation");
            if (form == Form.BITMAPS) {
                bitmap(disk.bitmaps().dirty("b"));
            }
        }
    }

    /** What was written, zeroed and discarded, in whole clusters. */
    private void bitmap(List<Dirty> dirty) {
        List<Integer> touched = new ArrayList<>(List.of(0, 2, 3, 5, 10));
        if (expected[6 * CLUSTER + 1000] != 0 || expected[6 * CLUSTER + 1001] != 0) {
            touched.add(6);
        }
        for (int cluster : touched) {
            long at = (long) cluster * CLUSTER;
            if (dirty.stream().noneMatch(d -> d.guestOffset() <= at && at < d.guestOffset() + d.length())) {
                findings.add("the bitmap lacks guest cluster " + cluster);
            }
        }
    }

    private void dataFile() throws DiskException {
        if (!Arrays.equals(directory.content(DATA).toByteArray(), expected)) {
            findings.add("the raw data file is not what the guest reads");
        }
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readOnly())) {
            findings.add("opened with its data file though the policy refuses it, size " + disk.size());
        } catch (DiskException e) {
            // QC-DATA-08: refused, as it shall be.
        }
    }
}
