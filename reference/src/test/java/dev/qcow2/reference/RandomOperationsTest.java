package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.clause.CompressionClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Random sequences on random geometries: the guest sees what an array would hold. */
class RandomOperationsTest {

    /** What a sequence starts from. */
    record Start(int version, int clusterBits, int refcountOrder, int size, int backing, Feature feature) {

        int effectiveOrder() {
            return version == 2 ? 4 : refcountOrder;
        }

        int clusterSize() {
            return 1 << (features().extendedL2() ? Math.max(14, clusterBits) : clusterBits);
        }

        FormatFeatures features() {
            // A raw data file leaves nothing to a backing file.
            boolean possible = version == 3 && (feature != Feature.RAW_DATA || backing == 0);
            return possible ? feature.features : FormatFeatures.PLAIN;
        }
    }

    /** What an image of version 3 uses beyond the plain form. */
    enum Feature {
        PLAIN(FormatFeatures.PLAIN),
        ZSTD(FormatFeatures.PLAIN.withCompression(FormatFeatures.Compression.ZSTD)),
        EXTENDED(FormatFeatures.PLAIN.withExtendedL2()),
        EXTENDED_ZSTD(EXTENDED.features.withCompression(FormatFeatures.Compression.ZSTD)),
        DATA(FormatFeatures.PLAIN.withDataFile("data", false)),
        RAW_DATA(FormatFeatures.PLAIN.withDataFile("data", true)),
        EXTENDED_DATA(EXTENDED.features.withDataFile("data", false));

        final FormatFeatures features;

        Feature(FormatFeatures features) {
            this.features = features;
        }
    }

    /** One request; offset and length are cut to the disk. */
    record Request(int kind, int offset, int length, byte fill) {}

    @Provide
    Arbitrary<Start> starts() {
        return Combinators.combine(
                        Arbitraries.of(2, 3),
                        Arbitraries.of(9, 10, 12, 16),
                        Arbitraries.integers().between(0, 6),
                        Arbitraries.integers().between(0, 200_000),
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.of(Feature.values()))
                .as(Start::new);
    }

    @Provide
    Arbitrary<List<Request>> requests() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 15),
                        Arbitraries.integers().between(0, 200_000),
                        Arbitraries.oneOf(
                                Arbitraries.integers().between(0, 2000), Arbitraries.of(512, 4096, 65536, 200_000)),
                        Arbitraries.bytes())
                .as(Request::new)
                .list()
                .ofMaxSize(25);
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    @Label(
            "QC-REF-03 QC-L2-03 QC-GUEST-01 QC-GUEST-03 QC-GUEST-04 QC-GUEST-05 QC-GUEST-09 QC-L2-10 QC-L2-11 QC-BACK-01 QC-SNAP-01 QC-SNAP-03 QC-HDR-20 QC-HDR-28 an array would hold the same")
    void sameAsArray(@ForAll("starts") Start start, @ForAll("requests") List<Request> requests) throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        byte[] initial = makeImage(directory, start);
        GuestBytes model = new GuestBytes(initial, start.clusterSize(), start.version() == 3 || start.backing() == 0);
        VirtualDisk disk = open(directory);
        requireSame(disk, model);
        for (Request request : requests) {
            disk = perform(directory, disk, model, request, start.size());
            requireSame(disk, model);
            requireClean(directory);
            requireRaw(directory, start, model);
        }
        disk.close();
    }

    static VirtualDisk open(HostDirectory directory) throws DiskException {
        return new ReferenceDriver()
                .open(
                        directory,
                        "top",
                        OpenOptions.readWrite().followingBacking().followingDataFile());
    }

    /** Makes the image "top", with a chain below it if the start says so; returns what the disk holds. */
    static byte[] makeImage(HostDirectory directory, Start start) throws DiskException {
        ReferenceDriver driver = new ReferenceDriver();
        CreateOptions options = new CreateOptions(
                        start.size(),
                        start.version(),
                        Integer.numberOfTrailingZeros(start.clusterSize()),
                        start.effectiveOrder(),
                        Optional.empty())
                .withFeatures(start.features());
        byte[] bytes = new byte[start.size()];
        if (start.backing() == 0) {
            driver.create(directory, "top", options);
            return bytes;
        }
        byte[] raw = new byte[start.backing() == 1 ? start.size() / 2 + 1 : start.size() + 1000];
        Arrays.fill(raw, (byte) 0x5a);
        try (HostFile file = directory.create("base")) {
            file.write(0, ByteBuffer.wrap(raw));
        }
        System.arraycopy(raw, 0, bytes, 0, Math.min(raw.length, bytes.length));
        if (start.backing() < 3) {
            driver.create(directory, "top", options.withBacking("base", Optional.of(BackingFormat.RAW)));
            return bytes;
        }
        int middle = start.size() / 1024 * 512;
        driver.create(directory, "middle", CreateOptions.ofSize(middle).withBacking("base", Optional.empty()));
        driver.create(directory, "top", options.withBacking("middle", Optional.of(BackingFormat.QCOW2)));
        Arrays.fill(bytes, middle, bytes.length, (byte) 0);
        return bytes;
    }

    static VirtualDisk perform(HostDirectory directory, VirtualDisk disk, GuestBytes model, Request request, int size)
            throws DiskException {
        int offset = Math.min(request.offset(), size);
        int length = Math.min(request.length(), size - offset);
        switch (request.kind()) {
            case 0, 1, 2, 3 -> {
                byte[] payload = new byte[length];
                Arrays.fill(payload, request.fill());
                disk.write(offset, ByteBuffer.wrap(payload));
                model.write(offset, payload);
            }
            case 4, 5 -> {
                disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP);
                model.zero(offset, length);
            }
            case 6 -> {
                disk.writeZeroes(offset, length, ZeroMode.KEEP_ALLOCATION);
                model.zero(offset, length);
            }
            case 7, 8 -> {
                disk.discard(offset, length);
                model.discard(offset, length);
            }
            case 9 -> createSnapshot(disk, model);
            case 10, 11 -> useSnapshot(disk, model, request);
            case 12, 13, 14 -> writeCompressed(disk, model, request, offset);
            default -> {
                disk.close();
                return open(directory);
            }
        }
        return disk;
    }

    /** Writes whole clusters, whose beginning can't be packed and whose rest can. */
    private static void writeCompressed(VirtualDisk disk, GuestBytes model, Request request, int offset)
            throws DiskException {
        int start = offset / model.clusterSize() * model.clusterSize();
        int rest = model.all().length - start;
        int length = Math.min(rest, (request.length() / model.clusterSize() + 1) * model.clusterSize());
        byte[] payload = packable(length, request.fill());
        try {
            disk.writeCompressed(start, ByteBuffer.wrap(payload));
            model.write(start, payload);
        } catch (RequestRefusedException e) {
            assertThat(e.clause()).isEqualTo(CompressionClause.QC_CMP_16);
        }
    }

    /** Bytes of which a part, different for each fill, is noise. */
    static byte[] packable(int length, byte fill) {
        byte[] payload = new byte[length];
        Arrays.fill(payload, fill);
        int step = 4096;
        for (int at = 0; at < length; at += step) {
            byte[] noise = new byte[Math.min(length - at, (fill & 0xff) * 8)];
            new Random(fill + at).nextBytes(noise);
            System.arraycopy(noise, 0, payload, at, noise.length);
        }
        return payload;
    }

    private static void createSnapshot(VirtualDisk disk, GuestBytes model) throws DiskException {
        try {
            model.createSnapshot(disk.createSnapshot("snapshot").id());
        } catch (RequestRefusedException e) {
            // QC-REF-11: narrow counts can't rise; nothing has changed then.
            assertThat(e.clause()).isIn(RefcountClause.QC_REF_11, DataFileClause.QC_DATA_06);
        }
    }

    private static void useSnapshot(VirtualDisk disk, GuestBytes model, Request request) throws DiskException {
        List<String> ids = model.snapshotIds();
        assertThat(disk.snapshots().stream().map(SnapshotInfo::id).sorted()).containsExactlyElementsOf(ids);
        if (ids.isEmpty()) {
            return;
        }
        String id = ids.get(request.length() % ids.size());
        if (request.kind() == 11) {
            disk.deleteSnapshot(id);
            model.deleteSnapshot(id);
            return;
        }
        try {
            disk.applySnapshot(id);
            model.applySnapshot(id);
        } catch (RequestRefusedException e) {
            assertThat(e.clause()).isEqualTo(RefcountClause.QC_REF_11);
        }
    }

    private static void requireClean(HostDirectory directory) throws DiskException {
        try (HostFile file = directory.open("top", OpenOptions.Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            assertThat(report.clean()).as(report.toText()).isTrue();
        }
    }

    /** QC-DATA-09: at all times a raw data file is what the guest reads. */
    private static void requireRaw(MemoryHostDirectory directory, Start start, GuestBytes model) throws DiskException {
        if (start.features().dataFile().filter(d -> d.raw()).isPresent()) {
            byte[] raw = directory.content("data").toByteArray();
            assertThat(Arrays.mismatch(raw, model.all())).isEqualTo(-1);
        }
    }

    private static void requireSame(VirtualDisk disk, GuestBytes model) throws DiskException {
        byte[] expected = model.all();
        ByteBuffer actual = ByteBuffer.allocate(expected.length);
        Arrays.fill(actual.array(), (byte) 0xaa);
        disk.read(0, actual);
        assertThat(actual.hasRemaining()).isFalse();
        assertThat(Arrays.mismatch(actual.array(), expected))
                .as("first wrong byte")
                .isEqualTo(-1);
        long at = 0;
        for (BlockStatus extent : disk.status(0, expected.length)) {
            assertThat(extent.guestOffset()).isEqualTo(at);
            at = extent.end();
            if (extent.content() == Content.ZERO) {
                for (long i = extent.guestOffset(); i < at; i++) {
                    assertThat(expected[(int) i]).as("byte %d reads as zero", i).isZero();
                }
            }
        }
        assertThat(at).isEqualTo(expected.length);
    }
}
