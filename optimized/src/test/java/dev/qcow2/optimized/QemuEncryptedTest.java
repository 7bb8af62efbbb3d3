package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Encrypted images with QEMU, both ways. */
class QemuEncryptedTest {

    private static final int SIZE = 1 << 20;
    private static final String SECRET_OBJECT = "secret,id=s,data=open sesame";

    @TempDir
    private Path folder = Path.of("");

    @BeforeAll
    static void needsQemu() {
        QemuProgram.assumeInstalled();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("QC-CRY-01, QC-CRY-02, QC-CRY-05, QC-CRY-11, QC-CRY-12: QEMU reads, checks and continues ours")
    void qemuReadsOurs(Cipher cipher) throws Exception {
        HostDirectory directory = new RealHostDirectory(folder, Durability.NONE);
        OptimizedDriver driver = EncryptedImages.driver();
        CreateOptions options = EncryptedImages.options(SIZE, cipher);
        boolean small = cipher == Cipher.LUKS_AES_128_XTS_PLAIN64;
        driver.create(directory, "disk", small ? options.withClusterBits(9) : options);
        byte[] model = new byte[SIZE];
        try (VirtualDisk disk = driver.open(directory, "disk", EncryptedImages.UNLOCKED)) {
            write(disk, model, 1000, 300_000, 0x51);
            disk.writeZeroes(70_000, 131_072, ZeroMode.KEEP_ALLOCATION);
            Arrays.fill(model, 70_000, 70_000 + 131_072, (byte) 0);
            write(disk, model, 131_072 + 100, 5, 0x52);
        }
        String format = cipher == Cipher.LEGACY_AES_128_CBC ? "aes" : "luks";
        QemuProgram.run(folder, "qemu-img", "check", "--object", SECRET_OBJECT, "--image-opts", image(format));
        List<String> commands = new ArrayList<>(reads(model, 1000, 70_000, 131_172, 131_177, 201_072, 301_000, SIZE));
        commands.add("write -P 0x53 500000 3000");
        commands.add("write -P 0x54 2048 1024");
        qemuIo(format, commands);
        Arrays.fill(model, 500_000, 503_000, (byte) 0x53);
        Arrays.fill(model, 2048, 3072, (byte) 0x54);
        try (VirtualDisk disk = driver.open(directory, "disk", EncryptedImages.UNLOCKED.withAccess(Access.READ_ONLY))) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
    }

    private static void write(VirtualDisk disk, byte[] model, int at, int length, int fill) throws Exception {
        disk.write(at, ByteBuffer.wrap(Images.filled(length, fill)));
        Arrays.fill(model, at, at + length, (byte) fill);
    }

    /** Commands that check the bytes between borders, each piece of one value. */
    private static List<String> reads(byte[] model, int... ends) {
        List<String> commands = new ArrayList<>();
        int from = 0;
        for (int end : ends) {
            commands.add("read -P " + (model[from] & 0xff) + " " + from + " " + (end - from));
            from = end;
        }
        return commands;
    }

    private static String image(String format) {
        return "driver=qcow2,encrypt.format=" + format + ",encrypt.key-secret=s,file.filename=disk";
    }

    private void qemuIo(String format, List<String> commands) throws Exception {
        List<String> line = new ArrayList<>(List.of("qemu-io", "--object", SECRET_OBJECT, "--image-opts"));
        for (String command : commands) {
            line.add("-c");
            line.add(command);
        }
        line.add(image(format));
        String output = QemuProgram.run(folder, line.toArray(String[]::new));
        assertThat(output).doesNotContain("failed").doesNotContain("rror");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "encrypt.format=luks,encrypt.cipher-alg=aes-128,compat=0.10",
                "encrypt.format=luks,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=plain64",
                "encrypt.format=luks,encrypt.cipher-alg=aes-128,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,"
                        + "encrypt.ivgen-hash-alg=sha256,encrypt.hash-alg=sha1",
                "encrypt.format=luks,encrypt.hash-alg=sha512,cluster_size=4k",
                "encrypt.format=aes"
            })
    @DisplayName("QC-CRY-06, QC-CRY-07, QC-CRY-09, QC-CRY-10: we read and continue QEMU's, and it reads on")
    void weReadQemus(String features) throws Exception {
        String format = features.contains("=aes") && !features.contains("luks") ? "aes" : "luks";
        String time = format.equals("luks") ? ",encrypt.iter-time=10" : "";
        createByQemu(features + ",encrypt.key-secret=s" + time);
        qemuIo(format, List.of("write -P 0x11 0 70000", "write -z 10000 65536", "write -P 0x12 200000 5"));
        byte[] model = new byte[SIZE];
        Arrays.fill(model, 0, 10_000, (byte) 0x11);
        Arrays.fill(model, 200_000, 200_005, (byte) 0x12);
        HostDirectory directory = new RealHostDirectory(folder, Durability.NONE);
        OptimizedDriver driver = EncryptedImages.driver();
        try (VirtualDisk disk = driver.open(directory, "disk", EncryptedImages.UNLOCKED)) {
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
            write(disk, model, 9_999, 1000, 0x13);
            write(disk, model, 600_001, 3, 0x14);
            assertThat(Arrays.mismatch(Images.readAll(disk), model)).isEqualTo(-1);
        }
        QemuProgram.run(folder, "qemu-img", "check", "--object", SECRET_OBJECT, "--image-opts", image(format));
        qemuIo(format, reads(model, 9_999, 10_999, 200_000, 200_005, 600_001, 600_004, SIZE));
    }

    private void createByQemu(String features) throws Exception {
        String output = "";
        for (int attempt = 0; attempt < 30; attempt++) {
            output = QemuProgram.output(
                    folder,
                    "qemu-img",
                    "create",
                    "-q",
                    "-f",
                    "qcow2",
                    "--object",
                    SECRET_OBJECT,
                    "-o",
                    features,
                    "disk",
                    "" + SIZE);
            if (output.isEmpty()) {
                return;
            }
            // On a busy machine it can't measure how fast it derives keys.
            assertThat(output).contains("Unable to get accurate CPU usage");
        }
        throw new AssertionError(output);
    }
}
