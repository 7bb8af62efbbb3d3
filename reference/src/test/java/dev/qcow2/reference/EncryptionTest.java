package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.clause.CompressionClause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Encrypted images: LUKS, and the method of old images. */
class EncryptionTest {

    private static final int SIZE = 1 << 20;
    private static final Passphrase RIGHT = Passphrase.of("correct horse");
    private static final OpenOptions OPEN =
            OpenOptions.readWrite().followingBacking().withPassphrase(RIGHT);

    private static CreateOptions options(Cipher cipher, int clusterBits) {
        FormatFeatures features = FormatFeatures.PLAIN.withEncryption(new Encryption(cipher, RIGHT, 1000));
        return new CreateOptions(SIZE, 3, clusterBits, 4, Optional.empty(), features);
    }

    private static void makeOverlay(HostDirectory directory, Cipher cipher, int clusterBits, byte[] content)
            throws DiskException {
        try (HostFile file = directory.create("base")) {
            file.write(0, ByteBuffer.wrap(content));
        }
        new ReferenceDriver()
                .create(
                        directory,
                        "disk",
                        options(cipher, clusterBits).withBacking("base", Optional.of(CreateOptions.BackingFormat.RAW)));
    }

    @Property(tries = 25)
    @Label(
            "QC-CRY-01 QC-CRY-03 QC-CRY-12 QC-CRY-16 QC-CRY-17 random requests on an encrypted overlay read as an array does, and no guest byte is in the clear")
    void sameAsArray(@ForAll Cipher cipher, @ForAll long seed) throws Exception {
        Random random = new Random(seed);
        int clusterBits = 9 + random.nextInt(9);
        byte[] content = new byte[SIZE / 2 + random.nextInt(SIZE / 2)];
        Arrays.fill(content, (byte) 0x33);
        MemoryHostDirectory directory = new MemoryHostDirectory();
        makeOverlay(directory, cipher, clusterBits, content);
        GuestBytes model = new GuestBytes(Arrays.copyOf(content, SIZE), 1 << clusterBits, true);
        for (int session = 0; session < 2; session++) {
            try (VirtualDisk disk = new ReferenceDriver().open(directory, "disk", OPEN)) {
                for (int i = 0; i < 12; i++) {
                    int offset = random.nextInt(SIZE);
                    int length = random.nextInt(Math.min(SIZE - offset, 3 << clusterBits) + 1);
                    perform(disk, model, random, offset, length);
                }
                requireSame(disk, model);
            }
        }
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            assertThat(new Auditor().audit(file).clean()).isTrue();
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
            file.read(0, bytes);
            assertThat(longestRun(bytes.array()))
                    .as("longest run of 0x55 or 0x33")
                    .isLessThan(32);
        }
    }

    private static int longestRun(byte[] bytes) {
        int longest = 0;
        int run = 0;
        for (byte b : bytes) {
            run = b == 0x55 || b == 0x33 ? run + 1 : 0;
            longest = Math.max(longest, run);
        }
        return longest;
    }

    private static void perform(VirtualDisk disk, GuestBytes model, Random random, int offset, int length)
            throws DiskException {
        switch (random.nextInt(5)) {
            case 0 -> {
                disk.writeZeroes(offset, length, VirtualDisk.ZeroMode.MAY_UNMAP);
                model.zero(offset, length);
            }
            case 1 -> {
                disk.discard(offset, length);
                model.discard(offset, length);
            }
            default -> {
                byte[] payload = new byte[length];
                Arrays.fill(payload, (byte) 0x55);
                disk.write(offset, ByteBuffer.wrap(payload));
                model.write(offset, payload);
            }
        }
    }

    private static void requireSame(VirtualDisk disk, GuestBytes model) throws DiskException {
        ByteBuffer actual = ByteBuffer.allocate(SIZE);
        disk.read(0, actual);
        assertThat(Arrays.mismatch(actual.array(), model.all())).isEqualTo(-1);
        ByteBuffer odd = ByteBuffer.allocate(777);
        disk.read(1001, odd);
        assertThat(odd.array()).isEqualTo(Arrays.copyOfRange(model.all(), 1001, 1001 + 777));
    }

    @ParameterizedTest
    @EnumSource(Cipher.class)
    @DisplayName(
            "QC-CRY-08 QC-CRY-14 a wrong passphrase is told from a right one, and none at all from both; the old method can't tell")
    void passphrases(Cipher cipher) throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        ReferenceDriver driver = new ReferenceDriver();
        driver.create(directory, "disk", options(cipher, 16));
        assertThatThrownBy(() -> driver.open(directory, "disk", OpenOptions.readOnly()))
                .isInstanceOfSatisfying(
                        LockedImageException.class, e -> assertThat(e).hasMessageContaining("no passphrase"));
        OpenOptions wrong = OpenOptions.readOnly().withPassphrase(Passphrase.of("wrong"));
        if (cipher == Cipher.LEGACY_AES_128_CBC) {
            try (VirtualDisk disk = driver.open(directory, "disk", wrong)) {
                assertThat(disk.notices()).singleElement().asString().contains("not safe");
            }
        } else {
            assertThatThrownBy(() -> driver.open(directory, "disk", wrong))
                    .isInstanceOfSatisfying(LockedImageException.class, e -> assertThat(e.clause())
                            .isEqualTo(CryptClause.QC_CRY_08));
            try (VirtualDisk disk = driver.open(directory, "disk", OPEN)) {
                assertThat(disk.notices()).isEmpty();
            }
        }
    }

    @Test
    @DisplayName(
            "QC-LIM-09 QC-LIM-16 QC-CRY-04 QC-CRY-05 QC-CRY-06 QC-CRY-09 QC-CRY-10 QC-EXT-10 a LUKS header with a broken field is refused by its clause")
    void hostileHeaders() throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new ReferenceDriver().create(directory, "disk", options(Cipher.LUKS_AES_256_XTS_PLAIN64, 16));
        long luks = luksOffset(directory);
        long slot = luks + 208;
        refuses(directory, luks, 0x4c554b53babe0002L, 8, CryptClause.QC_CRY_05);
        refuses(directory, luks + 40, 0x6662632d706c6169L, 8, CryptClause.QC_CRY_06);
        refuses(directory, luks + 108, 63, 4, CryptClause.QC_CRY_06);
        refuses(directory, luks + 72, 0x7368613939000000L, 8, CryptClause.QC_CRY_06);
        refuses(directory, luks + 164, 0xffff_ffffL, 4, LimitClause.QC_LIM_09);
        refuses(directory, slot + 4, 0x7fff_ffffL, 4, LimitClause.QC_LIM_09);
        refuses(directory, slot + 4, 0, 4, LimitClause.QC_LIM_09);
        refuses(directory, slot + 40, 0xffff_ffffL, 4, CryptClause.QC_CRY_09);
        refuses(directory, slot + 40, 1, 4, CryptClause.QC_CRY_09);
        refuses(directory, slot + 44, 0xffff_ffffL, 4, CryptClause.QC_CRY_10);
        refuses(directory, 32, 0, 4, ExtensionClause.QC_EXT_10);
        refuses(directory, 32, 1, 4, ExtensionClause.QC_EXT_10);
        long extension = extensionAt(directory);
        refuses(directory, extension + 8, luks + 512, 8, CryptClause.QC_CRY_04);
        refuses(directory, extension + 8, 1L << 40, 8, CryptClause.QC_CRY_04);
        refuses(directory, extension + 16, 1L << 40, 8, LimitClause.QC_LIM_16);
        refuses(directory, extension + 16, 60L << 20, 8, CryptClause.QC_CRY_04);
        refuses(directory, extension + 16, -1, 8, CryptClause.QC_CRY_04);
    }

    private static long extensionAt(HostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ByteBuffer first = ByteBuffer.allocate(1024);
            file.read(0, first);
            int at = 112;
            while (first.getInt(at) != 0x0537be77) {
                at += 8;
            }
            return at;
        }
    }

    private static long luksOffset(HostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ByteBuffer offset = ByteBuffer.allocate(8);
            file.read(extensionAt(directory) + 8, offset);
            return offset.getLong(0);
        }
    }

    private static void refuses(
            HostDirectory directory, long at, long value, int bytes, dev.qcow2.spec.clause.Clause clause)
            throws DiskException {
        ByteBuffer old = ByteBuffer.allocate(bytes);
        ByteBuffer changed = ByteBuffer.allocate(8).putLong(0, value).slice(8 - bytes, bytes);
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            file.read(at, old);
            file.write(at, changed);
            assertThatThrownBy(() -> new ReferenceDriver().open(directory, "disk", OPEN))
                    .as("%x at %d", value, at)
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.clause()).isEqualTo(clause));
            file.write(at, old.clear());
        }
    }

    /** The other two ciphers go both ways for the support table; QEMU takes seconds to make such an image. */
    @ParameterizedTest
    @CsvSource({
        "LUKS_AES_256_XTS_PLAIN64, 'encrypt.format=luks'",
        "LUKS_AES_128_CBC_ESSIV_SHA256,"
                + " 'encrypt.format=luks,encrypt.cipher-alg=aes-128,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=sha256'",
        "LEGACY_AES_128_CBC, 'encrypt.format=aes'",
    })
    @DisplayName(
            "QC-CRY-01 QC-CRY-02 QC-CRY-07 QC-CRY-11 QC-CRY-13 QEMU and the reference read and continue each other's encrypted images")
    void bothWaysWithQemu(Cipher cipher, String options, @TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        String luks = cipher == Cipher.LEGACY_AES_128_CBC ? "" : ",encrypt.iter-time=10";
        QemuRetry.run(
                path,
                List.of(
                        "qemu-img",
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "--object",
                        "secret,id=s,data=correct horse",
                        "-o",
                        options + luks + ",encrypt.key-secret=s",
                        "theirs",
                        "1M"));
        new ReferenceDriver().create(directory, "ours", options(cipher, 16));
        for (String name : List.of("theirs", "ours")) {
            byte[] expected = new byte[SIZE];
            Arrays.fill(expected, 65536 - 512, 65536 + 1024, (byte) 0x11);
            qemuIo(path, cipher, name, "write -P 0x11 65024 1536");
            ByteBuffer payload = ByteBuffer.allocate(70001);
            Arrays.fill(payload.array(), (byte) 0x22);
            Arrays.fill(expected, 65777, 65777 + 70001, (byte) 0x22);
            try (VirtualDisk disk = new ReferenceDriver().open(directory, name, OPEN)) {
                disk.write(65777, payload);
                ByteBuffer actual = ByteBuffer.allocate(SIZE);
                disk.read(0, actual);
                assertThat(Arrays.mismatch(actual.array(), expected)).as(name).isEqualTo(-1);
            }
            qemuIo(path, cipher, name, "read -P 0x22 65777 70001", "read -P 0x11 65024 753", "read -P 0 135778 500000");
            Qemu.run(
                    path,
                    "qemu-img",
                    "check",
                    "-q",
                    "--object",
                    "secret,id=s,data=correct horse",
                    "--image-opts",
                    source(cipher, name));
        }
    }

    @Test
    @DisplayName(
            "QC-CRY-15 any key slot in use opens the image, also one that QEMU added to ours; a slot that was freed does not")
    void severalSlots(@TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory directory = new RealHostDirectory(path, Durability.NONE);
        ReferenceDriver driver = new ReferenceDriver();
        driver.create(directory, "disk", options(Cipher.LUKS_AES_256_XTS_PLAIN64, 16));
        List<String> amend = List.of(
                "qemu-img",
                "amend",
                "--object",
                "secret,id=s,data=correct horse",
                "--object",
                "secret,id=t,data=battery",
                "-o");
        String image = source(Cipher.LUKS_AES_256_XTS_PLAIN64, "disk");
        List<String> add = new ArrayList<>(amend);
        add.addAll(List.of("encrypt.state=active,encrypt.new-secret=t,encrypt.iter-time=10", "--image-opts", image));
        QemuRetry.run(path, add);
        OpenOptions second = OpenOptions.readWrite().withPassphrase(Passphrase.of("battery"));
        try (VirtualDisk disk = driver.open(directory, "disk", second)) {
            disk.write(777, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        }
        try (VirtualDisk disk = driver.open(directory, "disk", OPEN)) {
            ByteBuffer bytes = ByteBuffer.allocate(3);
            disk.read(777, bytes);
            assertThat(bytes.array()).containsExactly(1, 2, 3);
        }
        List<String> remove = new ArrayList<>(amend);
        remove.addAll(
                List.of("encrypt.state=inactive,encrypt.old-secret=s", "--image-opts", image.replace("=s,", "=t,")));
        QemuRetry.run(path, remove);
        assertThatThrownBy(() -> driver.open(directory, "disk", OPEN)).isInstanceOf(LockedImageException.class);
        try (VirtualDisk disk = driver.open(directory, "disk", second)) {
            assertThat(disk.size()).isEqualTo(SIZE);
        }
    }

    @Test
    @DisplayName("QC-CRY-18 two images made with the same passphrase have different keys and salts")
    void randomKeys() throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            new ReferenceDriver().create(directory, "disk", options(Cipher.LUKS_AES_128_XTS_PLAIN64, 16));
            try (VirtualDisk disk = new ReferenceDriver().open(directory, "disk", OPEN)) {
                disk.write(0, ByteBuffer.allocate(512));
            }
            try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
                ByteBuffer header = ByteBuffer.allocate(592);
                file.read(luksOffset(directory), header);
                seen.add(Arrays.toString(Arrays.copyOfRange(header.array(), 112, 164)));
                seen.add(Arrays.toString(Arrays.copyOfRange(header.array(), 216, 248)));
            }
        }
        assertThat(seen).doesNotHaveDuplicates();
    }

    @Test
    @DisplayName("QC-CMP-16 a compressed write to an encrypted image is refused, and changes nothing")
    void noCompression() throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new ReferenceDriver().create(directory, "disk", options(Cipher.LUKS_AES_256_XTS_PLAIN64, 16));
        try (VirtualDisk disk = new ReferenceDriver().open(directory, "disk", OPEN)) {
            assertThatThrownBy(() -> disk.writeCompressed(0, ByteBuffer.allocate(65536)))
                    .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                            .isEqualTo(CompressionClause.QC_CMP_16));
            assertThat(disk.status(0, SIZE)).allMatch(extent -> !extent.allocated());
        }
    }

    private static String source(Cipher cipher, String name) {
        String format = cipher == Cipher.LEGACY_AES_128_CBC ? "aes" : "luks";
        return "driver=qcow2,encrypt.format=" + format + ",encrypt.key-secret=s,file.filename=" + name;
    }

    private static void qemuIo(Path path, Cipher cipher, String name, String... commands) throws Exception {
        List<String> line = new ArrayList<>(List.of("qemu-io", "--object", "secret,id=s,data=correct horse"));
        for (String command : commands) {
            line.addAll(List.of("-c", command));
        }
        line.addAll(List.of("--image-opts", source(cipher, name)));
        String output = Qemu.run(path, line.toArray(new String[0]));
        assertThat(output).doesNotContain("failed");
    }
}
