package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CorruptImageException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DataFileException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** External data files: where the guest's bytes are, who may name one, and both ways with QEMU. */
class DataFileTest {

    private static final OpenOptions FOLLOW = OpenOptions.readWrite().followingDataFile();
    private static final int CLUSTER = 1 << 16;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final ReferenceDriver driver = new ReferenceDriver();

    private void create(boolean raw, long size) throws DiskException {
        FormatFeatures features = FormatFeatures.PLAIN.withDataFile("data", raw);
        driver.create(directory, "image", CreateOptions.ofSize(size).withFeatures(features));
    }

    private static ByteBuffer bytes(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return ByteBuffer.wrap(bytes);
    }

    @Test
    @DisplayName(
            "QC-DATA-01 QC-DATA-02 QC-DATA-03 QC-DATA-04 the data file has each cluster at its guest offset, the first one at 0")
    void places() throws DiskException {
        create(false, 3 * CLUSTER);
        // A new file ends inside its last cluster.
        int before = (directory.content("image").toByteArray().length + CLUSTER - 1) / CLUSTER * CLUSTER;
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write(2 * CLUSTER + 5, bytes(1, 2));
            disk.write(7, bytes(1, 1));
            assertThat(disk.status(0, 3 * CLUSTER))
                    .containsExactly(
                            new BlockStatus(0, CLUSTER, Content.DATA, true, 0),
                            new BlockStatus(CLUSTER, CLUSTER, Content.ZERO, false, 0),
                            new BlockStatus(2 * CLUSTER, CLUSTER, Content.DATA, true, 0));
        }
        byte[] data = directory.content("data").toByteArray();
        assertThat(data).hasSize(3 * CLUSTER);
        assertThat(data[7]).isEqualTo((byte) 1);
        assertThat(data[2 * CLUSTER + 5]).isEqualTo((byte) 2);
        // One L2 table, and nothing for data.
        assertThat(directory.content("image").toByteArray().length).isLessThanOrEqualTo(before + CLUSTER);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("QC-DATA-09 QC-DATA-10 QC-DATA-11 zeroing is written to a raw data file, and only noted for another")
    void zeroing(boolean raw) throws DiskException {
        create(raw, 2 * CLUSTER + 100);
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write(0, bytes(2 * CLUSTER + 100, 9));
            disk.writeZeroes(CLUSTER, CLUSTER + 100, ZeroMode.KEEP_ALLOCATION);
            disk.discard(0, CLUSTER);
            ByteBuffer seen = ByteBuffer.allocate(2 * CLUSTER + 100);
            disk.read(0, seen);
            assertThat(seen.array()).containsOnly(0);
        }
        byte[] data = directory.content("data").toByteArray();
        assertThat(data).hasSize(2 * CLUSTER + 100);
        if (raw) {
            assertThat(data).containsOnly(0);
        }
        // Stale bytes of a data file that is not raw are never shown.
        directory.open("data", Access.READ_WRITE).write(0, bytes(2 * CLUSTER, 5));
        if (!raw) {
            try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
                disk.write(3, bytes(1, 1));
                ByteBuffer seen = ByteBuffer.allocate(2 * CLUSTER);
                disk.read(0, seen);
                assertThat(seen.get(3)).isEqualTo((byte) 1);
                assertThat(seen.put(3, (byte) 0).array()).containsOnly(0);
            }
        }
    }

    @Test
    @DisplayName("QC-DATA-05 QC-DATA-06 no compressed clusters, no snapshots, no machine state")
    void refused() throws DiskException {
        create(false, CLUSTER);
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            assertThatThrownBy(() -> disk.writeCompressed(0, bytes(CLUSTER, 1)))
                    .isInstanceOf(RequestRefusedException.class);
            assertThatThrownBy(() -> disk.createSnapshot("s")).isInstanceOf(RequestRefusedException.class);
            assertThatThrownBy(() -> disk.writeVmState(0, bytes(1, 1))).isInstanceOf(RequestRefusedException.class);
        }
    }

    @Test
    @DisplayName(
            "QC-DATA-07 QC-DATA-08 QC-DATA-13 a data file is opened only with permission, if it is there, and no part of the image")
    void policy() throws DiskException {
        create(false, CLUSTER);
        refuse(OpenOptions.readWrite(), "QC-DATA-08");
        refuse(OpenOptions.readOnly(), "QC-DATA-08");
        poke("data", "gone");
        refuse(FOLLOW, "QC-DATA-07");
        poke("gone", "../x");
        refuse(FOLLOW, "QC-DATA-07");
        driver.create(directory, "imag", CreateOptions.ofSize(0));
        assertThatThrownBy(() -> driver.create(
                        directory,
                        "self",
                        CreateOptions.ofSize(0).withFeatures(FormatFeatures.PLAIN.withDataFile("self", false))))
                .isInstanceOf(RequestRefusedException.class);
        FormatFeatures other = FormatFeatures.PLAIN.withDataFile("other", false);
        driver.create(directory, "image", CreateOptions.ofSize(0).withFeatures(other));
        poke("other", "image");
        refuse(FOLLOW, "QC-DATA-13");
    }

    private void refuse(OpenOptions options, String clause) {
        DataFileException refusal =
                catchThrowableOfType(DataFileException.class, () -> driver.open(directory, "image", options));
        assertThat(refusal.clause().id()).isEqualTo(clause);
        assertThat(refusal.advice()).isNotBlank();
    }

    /** Changes a name in the first cluster to one of the same length. */
    private void poke(String from, String to) throws DiskException {
        String text =
                new String(directory.content("image").toByteArray(), java.nio.charset.StandardCharsets.ISO_8859_1);
        byte[] name = to.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThat(from).hasSameSizeAs(to);
        directory.open("image", Access.READ_WRITE).write(text.indexOf(from, 112), ByteBuffer.wrap(name));
    }

    @Test
    @DisplayName(
            "QC-DATA-02 QC-HDR-18 QC-HDR-30 entries that name another place, and a raw data file over a backing file, are refused")
    void broken() throws DiskException {
        create(true, 2 * CLUSTER);
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write(0, bytes(1, 1));
        }
        HostFile file = directory.open("image", Access.READ_WRITE);
        long l2 = Image.of(file).l1Entry(0).l2Offset();
        for (String entry : new String[] {"0000000000010000", "4000000000010000"}) {
            // Not marked as corrupt any more, and with a data file.
            file.write(79, ByteBuffer.wrap(new byte[] {4}));
            file.write(l2, ByteBuffer.allocate(8).putLong(0, Long.parseLong(entry, 16)));
            try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
                CorruptImageException refusal =
                        catchThrowableOfType(CorruptImageException.class, () -> disk.read(0, ByteBuffer.allocate(1)));
                assertThat(refusal.clause().id()).isIn("QC-DATA-02", "QC-DATA-05");
                assertThatThrownBy(() -> disk.write(0, bytes(1, 1))).isInstanceOf(CorruptImageException.class);
            }
        }
        file.write(79, ByteBuffer.wrap(new byte[] {4}));
        file.write(8, ByteBuffer.allocate(12).putLong(1000).putInt(3).flip());
        assertThatThrownBy(() -> driver.open(directory, "image", FOLLOW)).isInstanceOf(MalformedImageException.class);
    }

    @Test
    @DisplayName(
            "QC-DATA-15 QC-DATA-12 QC-HDR-23 the raw bit is kept with a data file, all others go; a name without the bit names nothing")
    void bits() throws DiskException {
        create(true, CLUSTER);
        HostFile file = directory.open("image", Access.READ_WRITE);
        file.write(88, ByteBuffer.allocate(8).putLong(0, -1));
        driver.open(directory, "image", FOLLOW).close();
        assertThat(Image.of(file).header().autoclear()).isEqualTo(2);
        file.write(79, ByteBuffer.wrap(new byte[] {0}));
        driver.open(directory, "image", OpenOptions.readWrite()).close();
        assertThat(Image.of(file).header().autoclear()).isZero();
        assertThat(HeaderExtension.list(file, Image.of(file).header()))
                .anyMatch(e -> e.type() == HeaderExtension.DATA_FILE);
    }

    /** Tells in which order the two files are written and flushed. */
    private static final class Diary implements HostDirectory {

        private final HostDirectory target;
        private final List<String> lines = new ArrayList<>();

        Diary(HostDirectory target) {
            this.target = target;
        }

        @Override
        public HostFile open(String fileName, Access access) throws DiskException {
            return new ForwardingHostFile(target.open(fileName, access)) {
                @Override
                public void write(long hostOffset, ByteBuffer from) throws DiskException {
                    lines.add("write " + fileName);
                    super.write(hostOffset, from);
                }

                @Override
                public void flush() throws DiskException {
                    lines.add("flush " + fileName);
                    super.flush();
                }
            };
        }

        @Override
        public HostFile create(String fileName) throws DiskException {
            return target.create(fileName);
        }

        @Override
        public String resolve(String imageName, String reference) throws DiskException {
            return target.resolve(imageName, reference);
        }

        @Override
        public Object identity(String fileName) throws DiskException {
            return target.identity(fileName);
        }
    }

    @Test
    @DisplayName(
            "QC-DATA-14 QC-GUEST-06 data is safe before the entry that points to it, and a flush is one of both files")
    void order() throws DiskException {
        create(false, 2 * CLUSTER);
        try (VirtualDisk disk = driver.open(directory, "image", FOLLOW)) {
            disk.write(0, bytes(1, 1));
        }
        Diary diary = new Diary(directory);
        try (VirtualDisk disk = driver.open(diary, "image", FOLLOW)) {
            disk.write(CLUSTER, bytes(1, 1));
            assertThat(diary.lines).containsExactly("write data", "flush data", "flush image", "write image");
            diary.lines.clear();
            disk.flush();
            assertThat(diary.lines).containsExactly("flush data", "flush image");
        }
    }

    @ParameterizedTest
    @CsvSource({"false, off", "true, off", "false, on", "true, on"})
    @DisplayName("QC-DATA-01 QC-DATA-09 QC-HDR-18 both ways with QEMU: made by either, continued by the other")
    void withQemu(boolean raw, String extended, @TempDir Path path) throws Exception {
        Qemu.assumeInstalled();
        HostDirectory real = new RealHostDirectory(path, Durability.NONE);
        String options = "data_file=theirs.data,data_file_raw=" + (raw ? "on" : "off") + ",extended_l2=" + extended;
        Qemu.run(path, "qemu-img", "create", "-q", "-f", "qcow2", "-o", options, "theirs", "1M");
        FormatFeatures features = FormatFeatures.PLAIN.withDataFile("ours.data", raw);
        driver.create(
                real,
                "ours",
                CreateOptions.ofSize(1 << 20)
                        .withFeatures(extended.equals("on") ? features.withExtendedL2() : features));
        for (String image : new String[] {"theirs", "ours"}) {
            GuestBytes model = new GuestBytes(new byte[1 << 20], CLUSTER, true);
            Random random = new Random(raw ? 1 : 2);
            for (int i = 0; i < 12; i++) {
                int at = random.nextInt(1 << 11) * 512;
                int length = Math.min((1 << 20) - at, 512 * (1 + random.nextInt(300)));
                String command = i % 3 == 2 ? "write -z " : "write -P " + (i + 1) + " ";
                Qemu.run(path, "qemu-io", "-f", "qcow2", "-c", command + at + " " + length, image);
                byte[] payload = new byte[length];
                Arrays.fill(payload, (byte) (i % 3 == 2 ? 0 : i + 1));
                model.write(at, payload);
                try (VirtualDisk disk = driver.open(real, image, FOLLOW)) {
                    ByteBuffer seen = ByteBuffer.allocate(1 << 20);
                    disk.read(0, seen);
                    assertThat(Arrays.mismatch(seen.array(), model.all())).isEqualTo(-1);
                    RandomOperationsTest.Request request = new RandomOperationsTest.Request(
                            List.of(0, 5, 6, 7).get(i % 4), random.nextInt(1 << 20), random.nextInt(200_000), (byte)
                                    random.nextInt());
                    RandomOperationsTest.perform(real, disk, model, request, 1 << 20);
                }
                Qemu.check(path, image);
                assertThat(Arrays.mismatch(Qemu.read(path, image), model.all())).isEqualTo(-1);
                if (raw) {
                    assertThat(Arrays.mismatch(Files.readAllBytes(path.resolve(image + ".data")), model.all()))
                            .isEqualTo(-1);
                }
            }
        }
    }
}
