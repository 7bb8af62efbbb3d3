package dev.qcow2.conformance.support;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A folder with one image, "disk", on which QEMU and one of our implementations take turns; and what the guest must see. */
final class Workshop {

    static final String DISK = "disk";
    static final String SECRET = "correct horse";

    /** Encrypted images that QEMU made: it measures the processor for seconds for each, and all are alike. */
    private static final Map<List<String>, byte[]> FRESH_OF_QEMU = new ConcurrentHashMap<>();

    private static final int TRIES = 30;

    private final Path path;
    private final RealHostDirectory directory;
    private final DiskDriver driver;
    private final CreateOptions options;
    private final Random random = new Random(5);
    private final Map<String, byte[]> snapshots = new LinkedHashMap<>();
    private final Map<String, BitSet> bitmaps = new LinkedHashMap<>();
    private byte[] expected;

    Workshop(Path path, DiskDriver driver, CreateOptions options) {
        this.path = path;
        this.directory = new RealHostDirectory(path, Durability.NONE);
        this.driver = driver;
        this.options = options;
        this.expected = new byte[Math.toIntExact(options.size())];
    }

    Path path() {
        return path;
    }

    RealHostDirectory directory() {
        return directory;
    }

    MaintenanceDriver maintenance() {
        return (MaintenanceDriver) driver;
    }

    byte[] expected() {
        return expected;
    }

    int clusterSize() {
        return 1 << options.clusterBits();
    }

    /** The disk has another length from now on; new bytes are zeros. */
    void expectSize(long size) {
        expected = Arrays.copyOf(expected, Math.toIntExact(size));
    }

    void expect(long offset, long length, int fill) {
        Arrays.fill(expected, (int) offset, (int) (offset + length), (byte) fill);
        bitmaps.values().forEach(bits -> bits.set((int) (offset >> 16), (int) ((offset + length - 1) >> 16) + 1));
    }

    /** From now on a bitmap of this name, with bits for 64 KiB, follows what is written. */
    void expectBitmap(String name) {
        bitmaps.put(name, new BitSet());
    }

    Map<String, BitSet> bitmaps() {
        return bitmaps;
    }

    void expectSnapshot(String name) {
        snapshots.put(name, expected.clone());
    }

    void forgetSnapshot(String name) {
        snapshots.remove(name);
    }

    void expectContentOf(String name) {
        expected = snapshots.getOrDefault(name, expected).clone();
    }

    VirtualDisk open(OpenOptions openOptions) throws IOException {
        return driver.open(directory, DISK, openOptions);
    }

    OpenOptions access() {
        return OpenOptions.readWrite().followingBacking().followingDataFile().withPassphrase(Passphrase.of(SECRET));
    }

    /** A raw backing file that is shorter than the disk, with what the guest sees of it. */
    void makeBase() throws IOException {
        if (options.backing().isPresent()) {
            byte[] base = new byte[expected.length / 2 + 512];
            Arrays.fill(base, (byte) 0x42);
            Files.write(path.resolve("base"), base);
            expect(0, base.length, 0x42);
        }
    }

    void makeByOurs() throws IOException {
        driver.create(directory, DISK, options);
    }

    /** QEMU says of our image what it says of one that it makes with the same options: nothing that was asked for is missing. */
    void requireKind(List<String> qemuOptions) throws Exception {
        Workshop twin = new Workshop(Files.createDirectory(path.resolve("likeness")), driver, options);
        twin.makeBase();
        twin.makeByQemu(qemuOptions);
        assertThat(kind()).isEqualTo(twin.kind());
    }

    private JsonNode kind() throws Exception {
        ObjectNode info = (ObjectNode) new ObjectMapper().readTree(imgOnDisk("info", "--output=json"));
        ObjectNode specific = (ObjectNode) info.get("format-specific").get("data");
        if (specific.has("encrypt")) {
            specific.put("encrypt", specific.get("encrypt").get("format").asText());
        }
        return specific.put("cluster", info.get("cluster-size").asLong())
                .put("size", info.get("virtual-size").asLong());
    }

    void makeByQemu(List<String> qemuOptions) throws Exception {
        List<String> command = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        command.addAll(qemuOptions);
        command.add(DISK);
        command.add(Long.toString(options.size()));
        byte[] known = FRESH_OF_QEMU.get(command);
        if (known != null) {
            Files.write(path.resolve(DISK), known);
            return;
        }
        createByQemu(command);
        if (options.features().encryption().isPresent()) {
            FRESH_OF_QEMU.put(command, Files.readAllBytes(path.resolve(DISK)));
        }
    }

    private void createByQemu(List<String> command) throws Exception {
        for (int i = 1; ; i++) {
            try {
                img(command.toArray(new String[0]));
                return;
            } catch (IOException e) {
                // QEMU measures the processor for a LUKS header, and gives up now and then on a busy machine.
                boolean passing = String.valueOf(e.getMessage()).contains("Unable to get accurate CPU usage");
                if (!passing || i == TRIES) {
                    throw e;
                }
            }
        }
    }

    /** Our implementation reads all, then goes on. */
    void useByOurs(Feature.OurPart more, Feature.ClosedPart closed) throws Exception {
        try (VirtualDisk disk = driver.open(directory, DISK, access())) {
            requireSame(disk);
            for (int i = 0; i < 8 && expected.length > 0; i++) {
                int offset = random.nextInt(expected.length);
                int length = Math.min(expected.length - offset, 1 + random.nextInt(2 * Math.min(65536, clusterSize())));
                int fill = i == 3 ? 0 : 1 + random.nextInt(255);
                if (i == 3) {
                    disk.writeZeroes(offset, length, VirtualDisk.ZeroMode.MAY_UNMAP);
                } else {
                    write(disk, offset, length, fill);
                }
                expect(offset, length, fill);
            }
            more.perform(this, disk);
            requireSame(disk);
        }
        closed.perform(this);
        requireClean();
    }

    static void write(VirtualDisk disk, long offset, int length, int fill) throws IOException {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) fill);
        disk.write(offset, ByteBuffer.wrap(bytes));
    }

    private void requireSame(VirtualDisk disk) throws IOException {
        ByteBuffer actual = ByteBuffer.allocate(expected.length);
        Arrays.fill(actual.array(), (byte) 0xaa);
        assertThat(disk.size()).isEqualTo(expected.length);
        disk.read(0, actual);
        assertThat(Arrays.mismatch(actual.array(), expected))
                .as("first byte that %s reads wrongly", driver.name())
                .isEqualTo(-1);
    }

    /** QEMU reads all, then goes on. */
    void useByQemu(Feature.ClosedPart more) throws Exception {
        requireSameForQemu();
        List<String> requests = new ArrayList<>();
        for (int i = 0; i < 2 && expected.length > 1024; i++) {
            int offset = random.nextInt(expected.length / 512) * 512;
            int length = Math.min(expected.length - offset, 512 * (1 + random.nextInt(100)));
            int fill = i == 1 ? 0 : 1 + random.nextInt(255);
            requests.add(
                    i == 1 ? "write -z -u " + offset + " " + length : "write -P " + fill + " " + offset + " " + length);
            expect(offset, length, fill);
        }
        if (!requests.isEmpty()) {
            io(requests.toArray(new String[0]));
        }
        more.perform(this);
        requireSameForQemu();
        requireClean();
    }

    private void requireSameForQemu() throws Exception {
        img("convert", "--image-opts", source(), "-O", "raw", "raw");
        requireFile("raw", expected, "the disk");
        for (Map.Entry<String, byte[]> snapshot : snapshots.entrySet()) {
            img("convert", "-l", "snapshot.name=" + snapshot.getKey(), "--image-opts", source(), "-O", "raw", "raw");
            requireFile("raw", snapshot.getValue(), "snapshot " + snapshot.getKey());
        }
    }

    private void requireFile(String name, byte[] bytes, String what) throws IOException {
        byte[] actual = Files.readAllBytes(path.resolve(name));
        assertThat(Arrays.mismatch(actual, bytes))
                .as("first byte of %s that QEMU reads differently", what)
                .isEqualTo(-1);
        Files.delete(path.resolve(name));
    }

    /** Our implementation shows what each snapshot holds, by loading it in a copy of the image. */
    void requireSnapshots() throws Exception {
        for (Map.Entry<String, byte[]> snapshot : snapshots.entrySet()) {
            Files.write(path.resolve("copy"), Files.readAllBytes(path.resolve(DISK)));
            try (VirtualDisk disk = driver.open(directory, "copy", access())) {
                String id = disk.snapshots().stream()
                        .filter(info -> info.name().equals(snapshot.getKey()))
                        .findFirst()
                        .orElseThrow()
                        .id();
                disk.applySnapshot(id);
                ByteBuffer actual = ByteBuffer.allocate(snapshot.getValue().length);
                disk.read(0, actual);
                assertThat(Arrays.mismatch(actual.array(), snapshot.getValue()))
                        .as("first byte of snapshot %s that %s reads wrongly", snapshot.getKey(), driver.name())
                        .isEqualTo(-1);
            }
            Files.delete(path.resolve("copy"));
        }
    }

    /** Neither the auditor nor QEMU finds anything. */
    void requireClean() throws Exception {
        try (HostFile file = directory.open(DISK, OpenOptions.Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            assertThat(report.clean()).as(report.toText()).isTrue();
        }
        img("check", "-q", "--image-opts", source());
    }

    /** The image as QEMU's programs are told of it. */
    String source() {
        String plain = "driver=qcow2,discard=unmap,file.filename=" + DISK;
        return options.features()
                .encryption()
                .map(Encryption::cipher)
                .map(cipher -> cipher == Cipher.LEGACY_AES_128_CBC ? "aes" : "luks")
                .map(format -> plain + ",encrypt.format=" + format + ",encrypt.key-secret=s")
                .orElse(plain);
    }

    /** Runs qemu-io on the image. */
    void io(String... commands) throws Exception {
        List<String> command = new ArrayList<>(List.of("qemu-io", "--object", "secret,id=s,data=" + SECRET));
        for (String each : commands) {
            command.add("-c");
            command.add(each);
        }
        command.addAll(List.of("--image-opts", source()));
        String output = run(command);
        assertThat(output).doesNotContain("failed").doesNotContain("rror");
    }

    /** Runs qemu-img; the first argument is its command. */
    String img(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("qemu-img", arguments[0]));
        if (options.features().encryption().isPresent()) {
            command.addAll(List.of("--object", "secret,id=s,data=" + SECRET));
        }
        command.addAll(List.of(arguments).subList(1, arguments.length));
        return run(command);
    }

    /** Runs qemu-img on the image; the first argument is its command. */
    String imgOnDisk(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--image-opts", source()));
        return img(all.toArray(new String[0]));
    }

    private String run(List<String> command) throws IOException, InterruptedException {
        Path output = path.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .directory(path.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("no answer within 60 s from " + command);
        }
        String text = Files.readString(output, StandardCharsets.ISO_8859_1);
        if (process.exitValue() != 0) {
            throw new IOException(command + " ends with " + process.exitValue() + ": " + text);
        }
        return text;
    }
}
