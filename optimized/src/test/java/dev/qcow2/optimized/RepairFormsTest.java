package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Repair of images whose entries are wider, or whose data lies elsewhere. */
class RepairFormsTest {

    private static final int SIZE = 1 << 20;
    private static final int CLUSTER_BITS = 14;
    private static final OpenOptions OPEN = OpenOptions.readWrite().followingDataFile();

    @ParameterizedTest
    @CsvSource({"extended", "extended-data-file", "data-file", "raw-data-file"})
    @DisplayName(
            "QC-MNT-13, QC-SUB-06, QC-SUB-07, QC-DATA-03: counts and bitmaps are mended, and the guest's bytes stay")
    void mends(String form) throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver();
        FormatFeatures features =
                form.startsWith("extended") ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN;
        if (form.endsWith("data-file")) {
            features = features.withDataFile("data", form.startsWith("raw"));
        }
        driver.create(directory, "disk", new CreateOptions(SIZE, 3, CLUSTER_BITS, 4, Optional.empty(), features));
        byte[] model = new byte[SIZE];
        try (VirtualDisk disk = driver.open(directory, "disk", OPEN)) {
            for (int i = 0; i < 20; i++) {
                int at = i * 41_003;
                Arrays.fill(model, at, at + 5000, (byte) (i + 1));
                disk.write(at, ByteBuffer.wrap(model, at, 5000).slice());
            }
            disk.writeZeroes(32_768, 16_384, VirtualDisk.ZeroMode.MAY_UNMAP);
            Arrays.fill(model, 32_768, 32_768 + 16_384, (byte) 0);
        }
        damage(directory, form.startsWith("extended"));
        RepairReport report = driver.repair(directory, "disk", RepairMode.ALL, OPEN);
        assertThat(report.clean()).as(report.toString()).isTrue();
        assertThat(report.corruptionsFixed()).isGreaterThanOrEqualTo(form.startsWith("extended") ? 2 : 1);
        assertThat(report.leaksFixed()).isEqualTo(1);
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            AuditReport audit = new Auditor().audit(file);
            assertThat(audit.clean()).as(audit.toText()).isTrue();
        }
        try (VirtualDisk disk = driver.open(directory, "disk", OPEN)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
    }

    /** The L2 table is not counted, a cluster that nobody uses is, and a zero subcluster is also called allocated. */
    private static void damage(MemoryHostDirectory directory, boolean extended) throws IOException {
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            long block = number(file, number(file, 48));
            long table = number(file, number(file, 40)) & 0x00ff_ffff_ffff_fe00L;
            file.write(block + 2 * (table >> CLUSTER_BITS), ByteBuffer.wrap(new byte[] {0, 0}));
            // Behind the file's end nothing could be used (QC-MNT-16).
            file.truncate(file.size() + (4L << CLUSTER_BITS));
            file.write(block + 2 * ((file.size() >> CLUSTER_BITS) - 2), ByteBuffer.wrap(new byte[] {0, 1}));
            if (extended) {
                long bitmapAt = table + 16 * 2 + 8;
                long bitmap = number(file, bitmapAt);
                assertThat(bitmap >>> 32).isNotZero();
                file.write(bitmapAt, ByteBuffer.allocate(8).putLong(0, bitmap | bitmap >>> 32));
            }
        }
    }

    private static long number(HostFile file, long at) throws IOException {
        ByteBuffer number = ByteBuffer.allocate(8);
        file.read(at, number);
        return number.getLong(0);
    }
}
