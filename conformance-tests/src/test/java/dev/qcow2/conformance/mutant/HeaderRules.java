package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a sequence of requests on a usual image can't show: rules about headers that our own drivers
 * never write. Each rule opens one such image; the answer is the list of broken rules.
 */
public final class HeaderRules {

    private static final int SIZE = 20_000;
    private static final int CLUSTER_BITS = 12;
    private static final String IMAGE = "image";

    private final DiskDriver driver;
    private final List<String> broken = new ArrayList<>();

    private HeaderRules(DiskDriver driver) {
        this.driver = driver;
    }

    /** A check that throws if it does not hold. */
    private interface Rule {
        void check() throws DiskException;
    }

    /**
     * Tries all rules on an implementation.
     *
     * @param driver the implementation
     * @return one line for each broken rule
     */
    public static List<String> broken(DiskDriver driver) {
        HeaderRules rules = new HeaderRules(driver);
        Map<String, Rule> all = new LinkedHashMap<>();
        all.put("QC-HDR-15 unknown incompatible bits are refused by name", rules::unknownIncompatible);
        all.put("QC-HDR-23 autoclear bits are cleared when writing", rules::autoclearWhenWriting);
        all.put("QC-HDR-23 autoclear bits are kept when reading", rules::autoclearWhenReading);
        all.put("QC-HDR-21, QC-HDR-25, QC-EXT-04 what is unknown is kept", rules::unknownIsKept);
        all.put("QC-HDR-14, QC-HDR-26 extensions start at header_length", rules::longerHeader);
        all.put("QC-HDR-13 a version 2 header ends at byte 72", rules::versionTwoHeader);
        all.put("QC-BACK-05, QC-EXT-06 the named format decides", rules::namedFormat);
        all.put("QC-BACK-03 relative names start at the image", rules::relativeName);
        all.put("QC-BACK-07 the backing file is not written", rules::backingIsNotWritten);
        all.put("QC-EXT-09 the padding of an extension has no meaning", rules::paddingIsIgnored);
        all.put("QC-L1-04, QC-L1-06 a short L1 table ends early and grows", rules::shortL1);
        all.put("QC-REF-06 a missing refcount block counts nothing", rules::missingBlock);
        all.put("QC-SNAP-06, QC-SNAP-09 extra data of snapshots", rules::snapshotExtraData);
        all.put("QC-GUEST-02 requests are not cut to what fits", rules::nothingIsClipped);
        all.forEach(rules::run);
        return rules.broken;
    }

    private void run(String name, Rule rule) {
        try {
            rule.check();
        } catch (DiskException | RuntimeException | AssertionError e) {
            broken.add(name + ": " + e);
        }
    }

    private static void demand(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static CreateOptions options(int version) {
        return CreateOptions.ofSize(SIZE).withClusterBits(CLUSTER_BITS).withVersion(version);
    }

    /** An image made by the mutant without fault, whose first cluster can be changed. */
    private static final class Image {
        final MemoryHostDirectory directory = new MemoryHostDirectory();
        final String name;

        Image(String name, CreateOptions options) throws DiskException {
            this.name = name;
            new MutantDriver().create(directory, name, options);
        }

        ByteBuffer header() throws DiskException {
            byte[] all = directory.content(name).toByteArray();
            return ByteBuffer.wrap(Arrays.copyOf(all, 1 << CLUSTER_BITS));
        }

        byte[] bytesAt(long place, int length) throws DiskException {
            byte[] bytes = new byte[length];
            try (HostFile file = directory.open(name, Access.READ_ONLY)) {
                file.readZeroPadded(place, ByteBuffer.wrap(bytes));
            }
            return bytes;
        }

        void put(ByteBuffer header) throws DiskException {
            try (HostFile file = directory.open(name, Access.READ_WRITE)) {
                file.write(0, header.duplicate().clear());
            }
        }
    }

    private VirtualDisk open(Image image, OpenOptions options) throws DiskException {
        return driver.open(image.directory, image.name, options.followingBacking());
    }

    private void write(Image image) throws DiskException {
        try (VirtualDisk disk = open(image, OpenOptions.readWrite())) {
            disk.write(100, ByteBuffer.allocate(9000));
            disk.flush();
        }
    }

    private void unknownIncompatible() throws DiskException {
        for (int bit : new int[] {5, 17, 63}) {
            Image image = new Image(IMAGE, options(3));
            ByteBuffer header = image.header();
            HeaderLayout.INCOMPATIBLE_FEATURES.set(header, 0, 1L << bit);
            ByteBuffer names = header.duplicate().position(104);
            names.putInt((int) ExtensionLayout.TYPE_FEATURE_NAMES)
                    .putInt(48)
                    .put((byte) 0)
                    .put((byte) bit);
            names.put("the moon is full".getBytes(StandardCharsets.UTF_8));
            image.put(header);
            try (VirtualDisk disk = open(image, OpenOptions.readOnly())) {
                throw new AssertionError("opened with " + disk.size() + " bytes");
            } catch (UnsupportedFeatureException e) {
                demand(e.feature().contains(Integer.toString(bit)), "the bit is not said: " + e.feature());
                boolean named = e.feature().contains("the moon is full") || driver instanceof MutantDriver;
                demand(named, "the name is not said: " + e.feature());
            }
        }
    }

    private Image withAutoclear() throws DiskException {
        Image image = new Image(IMAGE, options(3));
        ByteBuffer header = image.header();
        HeaderLayout.AUTOCLEAR_FEATURES.set(header, 0, 1L << 40 | 1L << 2);
        HeaderLayout.COMPATIBLE_FEATURES.set(header, 0, 1L << 33);
        image.put(header);
        return image;
    }

    private void autoclearWhenWriting() throws DiskException {
        Image image = withAutoclear();
        write(image);
        demand(HeaderLayout.AUTOCLEAR_FEATURES.get(image.header(), 0) == 0, "bits are left");
    }

    private void autoclearWhenReading() throws DiskException {
        Image image = withAutoclear();
        ByteBuffer before = image.header();
        open(image, OpenOptions.readOnly()).close();
        demand(image.header().equals(before), "the header has changed");
    }

    private void unknownIsKept() throws DiskException {
        Image image = withAutoclear();
        ByteBuffer header = image.header();
        HeaderLayout.HEADER_LENGTH.set(header, 0, 128);
        header.putLong(112, 0x1122_3344_5566_7788L).putLong(120, -1);
        header.putInt(128, 0x0bad_cafe)
                .putInt(132, 5)
                .putLong(136, 0x0102_0304_05ff_ffffL)
                .putLong(144, 0);
        image.put(header);
        write(image);
        HeaderLayout.AUTOCLEAR_FEATURES.set(header, 0, 0);
        // Offsets of tables may have changed; all that is unknown may not.
        demand(image.header().getLong(80) == 1L << 33, "compatible bits are lost");
        demand(image.header().slice(104, 48).equals(header.slice(104, 48)), "unknown fields or extensions are lost");
    }

    private void longerHeader() throws DiskException {
        Image image = new Image(IMAGE, options(3).withBacking("data", Optional.empty()));
        image.directory.put("data", MemoryFileContent.of(magicFile()));
        ByteBuffer header = image.header();
        ByteBuffer old = ByteBuffer.allocate(300).put(header.slice(104, 300)).flip();
        HeaderLayout.HEADER_LENGTH.set(header, 0, 136);
        header.position(104).put(new byte[32]);
        header.putInt((int) ExtensionLayout.TYPE_BACKING_FORMAT)
                .putInt(3)
                .put("raw".getBytes(StandardCharsets.US_ASCII));
        header.position(152).putLong(0).put(old);
        HeaderLayout.BACKING_FILE_OFFSET.set(header, 0, HeaderLayout.BACKING_FILE_OFFSET.get(header, 0) - 104 + 160);
        image.put(header);
        demandFirstBytes(image, magicFile());
    }

    /** A raw file that looks like an image. */
    private static byte[] magicFile() {
        byte[] bytes = new byte[SIZE];
        Arrays.fill(bytes, (byte) 0x6b);
        ByteBuffer.wrap(bytes).putInt((int) HeaderLayout.MAGIC_VALUE).putInt(3);
        return bytes;
    }

    private void demandFirstBytes(Image image, byte[] expected) throws DiskException {
        try (VirtualDisk disk = open(image, OpenOptions.readOnly())) {
            byte[] found = new byte[500];
            disk.read(0, ByteBuffer.wrap(found));
            demand(Arrays.equals(found, Arrays.copyOf(expected, 500)), "other bytes");
        }
    }

    private void versionTwoHeader() throws DiskException {
        Image image = new Image(IMAGE, options(2));
        ByteBuffer header = image.header();
        header.position(72);
        header.putInt(0x0bad_cafe)
                .putInt(24)
                .putLong(-1)
                .putLong(-1)
                .putLong(-1)
                .putLong(0);
        image.put(header);
        write(image);
        demand(image.header().slice(72, 32).equals(header.slice(72, 32)), "the extension has changed");
    }

    private void namedFormat() throws DiskException {
        Image image = new Image(IMAGE, options(3).withBacking("data", Optional.of(BackingFormat.RAW)));
        image.directory.put("data", MemoryFileContent.of(magicFile()));
        demandFirstBytes(image, magicFile());
    }

    private void relativeName() throws DiskException {
        Image image = new Image("some/where/image", options(3).withBacking("../data", Optional.of(BackingFormat.RAW)));
        image.directory.put("some/data", MemoryFileContent.of(magicFile()));
        demandFirstBytes(image, magicFile());
    }

    private void backingIsNotWritten() throws DiskException {
        Image image = new Image(IMAGE, options(3).withBacking("data", Optional.of(BackingFormat.RAW)));
        image.directory.put("data", MemoryFileContent.of(magicFile()));
        write(image);
        try (VirtualDisk disk = open(image, OpenOptions.readWrite())) {
            disk.discard(0, SIZE);
        }
        demand(Arrays.equals(image.directory.content("data").toByteArray(), magicFile()), "the file has changed");
    }

    private void nothingIsClipped() throws DiskException {
        Image image = new Image(IMAGE, options(3));
        try (VirtualDisk disk = open(image, OpenOptions.readWrite())) {
            disk.write(SIZE - 10, ByteBuffer.allocate(11));
            throw new AssertionError("written past the end");
        } catch (OutOfBoundsException e) {
            demand(!String.valueOf(e.getMessage()).isBlank(), "no message");
        }
    }

    private void paddingIsIgnored() throws DiskException {
        Image image = new Image(IMAGE, options(3).withBacking("data", Optional.of(BackingFormat.RAW)));
        image.directory.put("data", MemoryFileContent.of(magicFile()));
        ByteBuffer header = image.header();
        // "raw" has three bytes, five follow up to the next multiple of 8.
        demand(header.getInt(104) == (int) ExtensionLayout.TYPE_BACKING_FORMAT, "the extension is elsewhere");
        header.position(115).put(new byte[] {'x', -1, 7, 'y', -1});
        image.put(header);
        demandFirstBytes(image, magicFile());
    }

    private static void demandSound(Image image) throws DiskException {
        try (HostFile file = image.directory.open(image.name, Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            demand(report.clean(), report.toText());
        }
    }

    private void shortL1() throws DiskException {
        long tables = 3L * (1 << CLUSTER_BITS) * (1 << CLUSTER_BITS) / 8;
        Image image = new Image(IMAGE, CreateOptions.ofSize(tables).withClusterBits(CLUSTER_BITS));
        ByteBuffer header = image.header();
        HeaderLayout.L1_SIZE.set(header, 0, 1);
        image.put(header);
        byte[] data = new byte[5000];
        Arrays.fill(data, (byte) 9);
        long last = tables - 6000;
        try (VirtualDisk disk = open(image, OpenOptions.readWrite())) {
            ByteBuffer empty = ByteBuffer.allocate(5000);
            disk.read(last, empty);
            demand(Arrays.equals(empty.array(), new byte[5000]), "bytes from beyond the table");
            disk.write(last, ByteBuffer.wrap(data));
        }
        byte[] found = new byte[5000];
        try (VirtualDisk disk = open(image, OpenOptions.readOnly())) {
            disk.read(last, ByteBuffer.wrap(found));
        }
        demand(Arrays.equals(found, data), "the write is lost");
        demand(HeaderLayout.L1_SIZE.get(image.header(), 0) >= 3, "the table has not grown");
        demandSound(image);
    }

    private void missingBlock() throws DiskException {
        // 64 counts in a block: all but the first block are missing in a new image.
        Image image = new Image(
                IMAGE, CreateOptions.ofSize(200_000).withClusterBits(9).withRefcountOrder(6));
        try (VirtualDisk disk = open(image, OpenOptions.readWrite())) {
            disk.write(10, ByteBuffer.allocate(100_000));
        }
        demandSound(image);
    }

    private void snapshotExtraData() throws DiskException {
        Image image = new Image(IMAGE, options(3));
        try (VirtualDisk disk = new MutantDriver().open(image.directory, image.name, OpenOptions.readWrite())) {
            disk.createSnapshot("first");
        }
        long place = HeaderLayout.SNAPSHOTS_OFFSET.get(image.header(), 0);
        byte[] entry = Arrays.copyOf(image.bytesAt(place, 40), 88);
        ByteBuffer fields = ByteBuffer.wrap(entry);
        SnapshotLayout.VM_STATE_SIZE.set(fields, 0, 7);
        SnapshotLayout.EXTRA_DATA_SIZE.set(fields, 0, 32);
        SnapshotLayout.LARGE_VM_STATE_SIZE.set(fields, SnapshotLayout.ENTRY.size(), 9);
        SnapshotLayout.DISK_SIZE.set(fields, SnapshotLayout.ENTRY.size(), SIZE);
        fields.position(56).putLong(0x0bad_cafe_0bad_cafeL).putLong(-1);
        fields.put("1first".getBytes(StandardCharsets.UTF_8));
        try (HostFile file = image.directory.open(image.name, Access.READ_WRITE)) {
            file.write(place, ByteBuffer.wrap(entry));
        }
        try (VirtualDisk disk = open(image, OpenOptions.readWrite())) {
            demand(disk.snapshots().get(0).vmStateSize() == 9, "the 32-bit size was taken");
            disk.createSnapshot("second");
            demand(disk.snapshots().size() == 2, "not two snapshots");
        }
        long moved = HeaderLayout.SNAPSHOTS_OFFSET.get(image.header(), 0);
        // The place of the snapshot's L1 table may change, all else stays.
        byte[] kept = image.bytesAt(moved, 78);
        demand(Arrays.equals(kept, 12, 78, entry, 12, 78), "unknown extra data is lost");
        demandSound(image);
    }
}
