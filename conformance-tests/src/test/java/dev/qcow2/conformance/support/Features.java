package dev.qcow2.conformance.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The rows of the support table. */
final class Features {

    static final int SIZE = 1536 << 10;

    private Features() {}

    static List<Feature> all() {
        List<Feature> rows = new ArrayList<>();
        geometries(rows);
        contents(rows);
        storage(rows);
        encrypted(rows);
        rows.addAll(MaintenanceFeatures.all());
        return rows;
    }

    static CreateOptions plain(int version, int clusterBits, int refcountOrder) {
        return new CreateOptions(SIZE, version, clusterBits, refcountOrder, Optional.empty());
    }

    static CreateOptions with(FormatFeatures features) {
        return plain(3, 16, 4).withFeatures(features);
    }

    private static void geometries(List<Feature> rows) {
        rows.add(Feature.of("versions: 2", plain(2, 16, 4), "-o", "compat=0.10"));
        rows.add(Feature.of("versions: 3", plain(3, 16, 4)));
        rows.add(Feature.of("clusters: 512 B", plain(3, 9, 4), "-o", "cluster_size=512"));
        rows.add(Feature.of("clusters: 2 MiB", plain(3, 21, 4), "-o", "cluster_size=2M"));
        for (int order = 0; order <= 6; order++) {
            int bits = 1 << order;
            rows.add(Feature.of(
                    "bits of a reference count: " + bits,
                    plain(3, 12, order),
                    "-o",
                    "cluster_size=4k,refcount_bits=" + bits));
        }
        rows.add(Feature.of("disks: 0 bytes", CreateOptions.ofSize(0)));
        rows.add(Feature.of(
                "backing files: shorter than the overlay",
                plain(3, 16, 4).withBacking("base", Optional.of(BackingFormat.RAW)),
                "-b",
                "base",
                "-F",
                "raw"));
    }

    private static void contents(List<Feature> rows) {
        for (Compression type : Compression.values()) {
            String name = type == Compression.ZLIB ? "zlib" : "zstd";
            CreateOptions options = with(FormatFeatures.PLAIN.withCompression(type));
            rows.add(Feature.of("compressed clusters: " + name, options, "-o", "compression_type=" + name)
                    .with(Features::compress, Features::compressByQemu));
            rows.add(Feature.of(
                            "compressed clusters: " + name + " of 512 B",
                            options.withClusterBits(9),
                            "-o",
                            "cluster_size=512,compression_type=" + name)
                    .with(Features::compress, Features::compressByQemu));
        }
        rows.add(Feature.of("internal snapshots: plain", plain(3, 16, 4))
                .with(Features::snapshots, Features::snapshotsByQemu));
        rows.add(Feature.of("internal snapshots: over compressed clusters", plain(3, 12, 4), "-o", "cluster_size=4k")
                .with(
                        (workshop, disk) -> {
                            compress(workshop, disk);
                            snapshots(workshop, disk);
                        },
                        workshop -> {
                            compressByQemu(workshop);
                            snapshotsByQemu(workshop);
                        }));
        rows.add(Feature.of("internal snapshots: with machine state", plain(3, 16, 4))
                .with(Features::machineState, workshop -> {}));
    }

    private static void storage(List<Feature> rows) {
        FormatFeatures extended = FormatFeatures.PLAIN.withExtendedL2();
        rows.add(Feature.of("extended L2 entries: with snapshots", with(extended), "-o", "extended_l2=on")
                .with(Features::snapshots, Features::snapshotsByQemu));
        rows.add(Feature.of(
                "extended L2 entries: over a backing file",
                with(extended).withClusterBits(14).withBacking("base", Optional.of(BackingFormat.RAW)),
                "-o",
                "extended_l2=on,cluster_size=16k",
                "-b",
                "base",
                "-F",
                "raw"));
        rows.add(Feature.of("extended L2 entries: beside compressed clusters", with(extended), "-o", "extended_l2=on")
                .with(Features::compress, Features::compressByQemu));
        rows.add(Feature.of(
                "external data file: any",
                with(FormatFeatures.PLAIN.withDataFile("data", false)),
                "-o",
                "data_file=data"));
        rows.add(Feature.of(
                "external data file: raw",
                with(FormatFeatures.PLAIN.withDataFile("data", true)),
                "-o",
                "data_file=data,data_file_raw=on"));
        rows.add(Feature.of(
                        "external data file: resized",
                        with(FormatFeatures.PLAIN.withDataFile("data", false)),
                        "-o",
                        "data_file=data")
                .with(MaintenanceFeatures::resize, MaintenanceFeatures::resizeByQemu));
        rows.add(Feature.of(
                "lazy reference counts: on",
                with(FormatFeatures.PLAIN.withLazyRefcounts()),
                "-o",
                "lazy_refcounts=on"));
        for (Preallocation how : Preallocation.values()) {
            if (how != Preallocation.OFF) {
                String name = how.name().toLowerCase(Locale.ROOT);
                rows.add(Feature.of(
                        "preallocation: " + name,
                        with(FormatFeatures.PLAIN.withPreallocation(how)),
                        "-o",
                        "preallocation=" + name));
            }
        }
        rows.add(Feature.of("persistent bitmaps: made, followed, read", plain(3, 16, 4))
                .with(BitmapFeature::ours, BitmapFeature::qemu));
    }

    private static void encrypted(List<Feature> rows) {
        String luks = "encrypt.format=luks,encrypt.iter-time=10,encrypt.key-secret=s";
        String essiv = ",encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=sha256";
        encrypted(rows, "encryption: LUKS aes-256 xts-plain64", Cipher.LUKS_AES_256_XTS_PLAIN64, luks);
        encrypted(
                rows,
                "encryption: LUKS aes-128 xts-plain64",
                Cipher.LUKS_AES_128_XTS_PLAIN64,
                luks + ",encrypt.cipher-alg=aes-128");
        encrypted(
                rows, "encryption: LUKS aes-256 cbc-essiv:sha256", Cipher.LUKS_AES_256_CBC_ESSIV_SHA256, luks + essiv);
        encrypted(
                rows,
                "encryption: AES-CBC of old images",
                Cipher.LEGACY_AES_128_CBC,
                "encrypt.format=aes,encrypt.key-secret=s");
    }

    private static void encrypted(List<Feature> rows, String name, Cipher cipher, String qemuOptions) {
        Encryption how = new Encryption(cipher, Passphrase.of(Workshop.SECRET), 1000);
        rows.add(Feature.of(name, with(FormatFeatures.PLAIN.withEncryption(how)), "-o", qemuOptions));
    }

    private static void compress(Workshop workshop, VirtualDisk disk) throws Exception {
        int cluster = workshop.clusterSize();
        for (int i = 0; i < 3; i++) {
            byte[] bytes = new byte[2 * cluster];
            Arrays.fill(bytes, (byte) (0x61 + i));
            long offset = (long) cluster * (5 * i + 1);
            disk.writeCompressed(offset, ByteBuffer.wrap(bytes));
            workshop.expect(offset, bytes.length, 0x61 + i);
        }
        // Out of a compressed cluster: the rest of it has to be kept.
        Workshop.write(disk, cluster + 100L, 50, 0x7e);
        workshop.expect(cluster + 100L, 50, 0x7e);
    }

    private static void compressByQemu(Workshop workshop) throws Exception {
        int cluster = workshop.clusterSize();
        long offset = 18L * cluster;
        // QEMU writes compressed clusters only where none is.
        workshop.io(
                "discard " + offset + " " + 2 * cluster,
                "write -c -P 0x6a " + offset + " " + cluster,
                "write -c -P 0x6b " + (offset + cluster) + " " + cluster,
                "write -P 0x6c " + (offset + cluster) + " 512");
        workshop.expect(offset, cluster, 0x6a);
        workshop.expect(offset + cluster, cluster, 0x6b);
        workshop.expect(offset + cluster, 512, 0x6c);
    }

    private static void snapshots(Workshop workshop, VirtualDisk disk) throws Exception {
        disk.createSnapshot("ours");
        workshop.expectSnapshot("ours");
        Workshop.write(disk, 70_000, 1000, 0x71);
        workshop.expect(70_000, 1000, 0x71);
        SnapshotInfo second = disk.createSnapshot("second");
        Workshop.write(disk, 70_500, 1000, 0x72);
        disk.applySnapshot(second.id());
        disk.deleteSnapshot(second.id());
        disk.writeZeroes(0, 65536, VirtualDisk.ZeroMode.MAY_UNMAP);
        workshop.expect(0, 65536, 0);
    }

    private static void snapshotsByQemu(Workshop workshop) throws Exception {
        workshop.imgOnDisk("snapshot", "-c", "kept");
        workshop.expectSnapshot("kept");
        workshop.imgOnDisk("snapshot", "-c", "theirs");
        workshop.expectSnapshot("theirs");
        workshop.io("write -P 0x73 131072 4096");
        workshop.expect(131_072, 4096, 0x73);
        workshop.requireSnapshots();
        workshop.imgOnDisk("snapshot", "-a", "theirs");
        workshop.expectContentOf("theirs");
        workshop.imgOnDisk("snapshot", "-d", "theirs");
        workshop.forgetSnapshot("theirs");
    }

    private static void machineState(Workshop workshop, VirtualDisk disk) throws Exception {
        byte[] state = new byte[200_000];
        Arrays.fill(state, (byte) 0x5e);
        disk.writeVmState(0, ByteBuffer.wrap(state));
        SnapshotInfo info = disk.createSnapshot("machine", state.length);
        workshop.expectSnapshot("machine");
        assertThat(info.vmStateSize()).isEqualTo(state.length);
        ByteBuffer empty = ByteBuffer.allocate(state.length);
        disk.readVmState(0, empty);
        assertThat(empty.array()).isEqualTo(new byte[state.length]);
        disk.applySnapshot(info.id());
        ByteBuffer loaded = ByteBuffer.allocate(state.length);
        disk.readVmState(0, loaded);
        assertThat(loaded.array()).isEqualTo(state);
        disk.deleteSnapshot(info.id());
        workshop.forgetSnapshot("machine");
    }
}
