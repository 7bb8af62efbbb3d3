package dev.qcow2.conformance.rules;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.MappedExtent;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostExtent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Where guest bytes are on the host, for every kind of cluster. */
class MapFromOutsideTest {

    private static final int CLUSTER = 1 << 16;
    private static final int SUB = CLUSTER / 32;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    private VirtualDisk disk(DiskDriver driver, CreateOptions options) throws DiskException {
        driver.create(directory, "image", options);
        return open(driver, "image");
    }

    private VirtualDisk open(DiskDriver driver, String name) throws DiskException {
        OpenOptions options =
                OpenOptions.readWrite().followingBacking().followingDataFile().withPassphrase(Passphrase.of("secret"));
        return driver.open(directory, name, options);
    }

    private static ByteBuffer ones(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 1);
        return ByteBuffer.wrap(bytes);
    }

    /** The map as text: start, length, kind, depth, place, each extent one word. */
    private static List<String> map(VirtualDisk disk) throws DiskException {
        return disk.map(0, disk.size()).stream().map(MapFromOutsideTest::text).toList();
    }

    private static String text(MappedExtent extent) {
        String kind =
                switch (extent.content()) {
                    case DATA -> extent.compressed() ? "packed" : "data";
                    case ZERO -> extent.allocated() ? "zero" : "open";
                };
        String place =
                extent.hostOffset().isPresent() ? "@" + extent.hostOffset().getAsLong() : "";
        return extent.guestOffset() + "+" + extent.length() + kind + extent.depth() + place;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-09: data, packed data, zeros with and without a host cluster, and what is open")
    void kinds(DiskDriver driver) throws DiskException {
        try (VirtualDisk disk = disk(driver, CreateOptions.ofSize(8 * CLUSTER))) {
            disk.write(CLUSTER, ones(2 * CLUSTER));
            disk.writeZeroes(2 * CLUSTER, CLUSTER, ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(3 * CLUSTER, 2 * CLUSTER, ZeroMode.MAY_UNMAP);
            disk.writeCompressed(5 * CLUSTER, ones(2 * CLUSTER));
            List<String> map = map(disk);
            assertThat(map).hasSize(6);
            String first = map.get(1);
            long place = Long.parseLong(first.substring(first.indexOf('@') + 1));
            assertThat(place).isPositive();
            assertThat(map)
                    .containsExactly(
                            "0+65536open0",
                            "65536+65536data0@" + place,
                            "131072+65536zero0@" + (place + CLUSTER),
                            "196608+131072zero0",
                            "327680+131072packed0",
                            "458752+65536open0");
            assertThat(disk.map(CLUSTER + 100, 50)).singleElement().satisfies(part -> assertThat(text(part))
                    .isEqualTo("65636+50data0@" + (place + 100)));
            assertThat(disk.map(0, 0)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SUB-03 to 05: each subcluster has its own place; open ones have one only where nothing lies below")
    void subclusters(DiskDriver driver) throws DiskException {
        FormatFeatures extended = FormatFeatures.PLAIN.withExtendedL2();
        try (VirtualDisk disk = disk(driver, CreateOptions.ofSize(2 * CLUSTER).withFeatures(extended))) {
            disk.write(SUB, ones(SUB));
            disk.writeZeroes(2 * SUB, SUB, ZeroMode.KEEP_ALLOCATION);
            List<String> map = map(disk);
            long place = disk.map(0, 1).get(0).hostOffset().orElseThrow();
            assertThat(map)
                    .containsExactly(
                            "0+2048open0@" + place,
                            "2048+2048data0@" + (place + SUB),
                            "4096+2048zero0@" + (place + 2 * SUB),
                            "6144+59392open0@" + (place + 3 * SUB),
                            "65536+65536open0");
        }
        directory.create("base").write(0, ones(CLUSTER / 2));
        CreateOptions over = CreateOptions.ofSize(CLUSTER).withBacking("base", Optional.of(BackingFormat.RAW));
        try (VirtualDisk disk = disk(driver, over.withFeatures(extended))) {
            disk.write(SUB, ones(SUB));
            long place = disk.map(SUB, 1).get(0).hostOffset().orElseThrow() - SUB;
            assertThat(map(disk))
                    .containsExactly(
                            "0+2048data1@0",
                            "2048+2048data0@" + (place + SUB),
                            "4096+28672data1@4096",
                            "32768+32768open0@" + (place + CLUSTER / 2));
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-BACK-01, QC-BACK-02: a chain says which image decides; a raw one ends with its last sector, and its holes are zeros")
    void chain(DiskDriver driver) throws DiskException {
        directory.create("base").write(0, ones(CLUSTER + 100));
        WrappingHostDirectory<HostFile> holes = new WrappingHostDirectory<>(directory, MapFromOutsideTest::withHole);
        driver.create(
                directory,
                "middle",
                CreateOptions.ofSize(3 * CLUSTER).withBacking("base", Optional.of(BackingFormat.RAW)));
        driver.create(
                directory,
                "image",
                CreateOptions.ofSize(4 * CLUSTER).withBacking("middle", Optional.of(BackingFormat.QCOW2)));
        long place;
        try (VirtualDisk middle = open(driver, "middle")) {
            middle.write(2 * CLUSTER, ones(CLUSTER / 2));
            place = middle.map(2 * CLUSTER, 1).get(0).hostOffset().orElseThrow();
        }
        try (VirtualDisk disk =
                driver.open(holes, "image", OpenOptions.readOnly().followingBacking())) {
            assertThat(map(disk))
                    .containsExactly(
                            "0+4096data2@0",
                            "4096+4096zero2@4096",
                            "8192+57444data2@8192",
                            "65636+412zero2@65636",
                            "66048+65024open1",
                            "131072+65536data1@" + place,
                            "196608+65536open0");
        }
    }

    private static HostFile withHole(HostFile file) {
        return !file.name().equals("base")
                ? file
                : new ForwardingHostFile(file) {
                    @Override
                    public HostExtent extent(long hostOffset) throws DiskException {
                        boolean hole = hostOffset >= 4096 && hostOffset < 8192;
                        return new HostExtent(hole, hostOffset < 4096 ? 4096 : hole ? 8192 : size());
                    }
                };
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-DATA-02, QC-CRY-03: in a data file each byte has its own place; an encrypted one has none")
    void elsewhere(DiskDriver driver) throws DiskException {
        FormatFeatures external = FormatFeatures.PLAIN.withDataFile("data", false);
        try (VirtualDisk disk = disk(driver, CreateOptions.ofSize(2 * CLUSTER).withFeatures(external))) {
            disk.write(0, ones(CLUSTER));
            assertThat(map(disk)).containsExactly("0+65536data0@0", "65536+65536open0");
        }
        Passphrase passphrase = Passphrase.of("secret");
        FormatFeatures encrypted =
                FormatFeatures.PLAIN.withEncryption(new Encryption(Cipher.LUKS_AES_128_XTS_PLAIN64, passphrase, 1000));
        try (VirtualDisk disk = disk(driver, CreateOptions.ofSize(2 * CLUSTER).withFeatures(encrypted))) {
            disk.write(0, ones(2 * CLUSTER));
            disk.writeZeroes(CLUSTER, CLUSTER, ZeroMode.KEEP_ALLOCATION);
            assertThat(map(disk)).containsExactly("0+65536data0", "65536+65536zero0");
        }
    }
}
