package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** An image with data, zeroes and snapshots, which is then broken in places that are known. */
final class DamagedImage {

    static final int SIZE = 200_192;

    /** What is broken. */
    enum Damage {
        COUNT,
        COPIED_L2,
        COPIED_L1,
        COPIED_COMPRESSED,
        L2_UNALIGNED,
        L2_OUTSIDE,
        L2_RESERVED,
        L2_ONTO_METADATA,
        L1_OUTSIDE,
        BLOCK_LOST,
        BLOCK_UNALIGNED,
        BLOCK_ONTO_DATA,
        TABLE_ELSEWHERE;

        /** Those that QEMU mends as we do, and counts likewise. */
        static final List<Damage> COMMON = List.of(COUNT, COPIED_L2, COPIED_L1);

        static final List<Damage> ALL = List.of(values());
    }

    private final HostDirectory directory;
    private final CreateOptions options;
    private final SplittableRandom random;
    private final BitSet spoilt = new BitSet();
    private boolean blocksBroken;

    DamagedImage(HostDirectory directory, SplittableRandom random) throws IOException {
        this.directory = directory;
        this.random = random;
        int version = random.nextInt(4) == 0 ? 2 : 3;
        int order = version == 2 ? 4 : random.nextInt(1, 7);
        int clusterBits = random.nextBoolean() ? 9 : random.nextInt(10, 13);
        this.options = new CreateOptions(SIZE, version, clusterBits, order, Optional.empty());
        fill();
    }

    int clusterSize() {
        return 1 << options.clusterBits();
    }

    /** The guest clusters whose bytes were lost. */
    BitSet spoilt() {
        return spoilt;
    }

    private void fill() throws IOException {
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, "disk", options);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            for (int i = 0; i < 25; i++) {
                Action.Kind kind = Action.Kind.any(random);
                new Action(kind, random.nextInt(SIZE), random.nextInt(20_000), (byte) (i + 1))
                        .inside(SIZE, clusterSize())
                        .applyTo(disk);
                if (i % 10 == 9) {
                    share(disk, "snapshot " + i);
                }
            }
        }
    }

    static void share(VirtualDisk disk, String name) throws DiskException {
        try {
            disk.createSnapshot(name);
        } catch (RequestRefusedException e) {
            // With narrow counts not everything can be shared.
            assertThat(e.clause()).isEqualTo(RefcountClause.QC_REF_11);
        }
    }

    byte[] bytes() throws DiskException {
        try (VirtualDisk disk = new OptimizedDriver().open(directory, "disk", OpenOptions.readOnly())) {
            return Images.readAll(disk);
        }
    }

    void damage(Damage damage) throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            ImageHeader header = HeaderReader.readForRepair(file);
            switch (damage) {
                case COUNT -> count(file, header);
                case COPIED_L2 -> flipInL2(file, header, EntryBits.COPIED, false);
                case COPIED_COMPRESSED ->
                    changeL2(
                            file,
                            header,
                            false,
                            entry -> (entry & EntryBits.COMPRESSED) == 0 ? entry : entry | EntryBits.COPIED);
                case COPIED_L1 -> flipInL1(file, header, EntryBits.COPIED);
                case L2_UNALIGNED -> flipInL2(file, header, 0x200, true);
                case L2_OUTSIDE -> flipInL2(file, header, 1L << 50, true);
                case L2_RESERVED -> flipInL2(file, header, 1L << 58, false);
                case L2_ONTO_METADATA -> replaceInL2(file, header, header.l1Offset() | EntryBits.COPIED);
                case L1_OUTSIDE -> flipInL1(file, header, 1L << 50);
                case BLOCK_LOST -> block(file, header, 0);
                case BLOCK_UNALIGNED -> block(file, header, (1L << header.clusterBits()) + 512);
                case BLOCK_ONTO_DATA -> block(file, header, header.l1Offset());
                case TABLE_ELSEWHERE -> putLong(file, ImageHeader.REFCOUNT_TABLE_AT, 1L << 45);
            }
        }
    }

    private void count(HostFile file, ImageHeader header) throws DiskException {
        if (header.refcountTableClusters() == 0 || blocksBroken) {
            // What is taken for a block then may be anything.
            return;
        }
        long block = getLong(file, header.refcountTableOffset());
        ByteBuffer bytes = ByteBuffer.allocate(clusterSize());
        if (block <= 0 || block % clusterSize() != 0) {
            return;
        }
        file.readZeroPadded(block, bytes);
        long most = RefcountBits.maximum(header.refcountOrder());
        int clusters =
                (int) Math.min(file.size() / clusterSize(), ((long) clusterSize() * 8) >>> header.refcountOrder());
        RefcountBits.set(
                bytes.array(),
                random.nextInt(clusters),
                header.refcountOrder(),
                most < 0 || most > 4 ? random.nextInt(5) : random.nextLong(most + 1));
        file.write(block, bytes.clear());
    }

    private void block(HostFile file, ImageHeader header, long entry) throws DiskException {
        if (header.refcountTableClusters() > 0) {
            blocksBroken = true;
            putLong(file, header.refcountTableOffset(), entry);
        }
    }

    private void flipInL1(HostFile file, ImageHeader header, long bits) throws DiskException {
        int index = random.nextInt(header.l1Size());
        long entry = getLong(file, header.l1Offset() + 8L * index);
        if (entry != 0) {
            putLong(file, header.l1Offset() + 8L * index, entry ^ bits);
            if (bits != EntryBits.COPIED) {
                spoilt.set(index * (clusterSize() / 8), (index + 1) * (clusterSize() / 8));
            }
        }
    }

    private void flipInL2(HostFile file, ImageHeader header, long bits, boolean loses) throws DiskException {
        changeL2(file, header, loses, entry -> {
            // Another bit of a compressed descriptor is another descriptor, and not to be told from a right one.
            boolean compressed = (entry & EntryBits.COMPRESSED) != 0;
            return EntryBits.offset(entry) == 0 || compressed ? entry : entry ^ bits;
        });
    }

    private void replaceInL2(HostFile file, ImageHeader header, long other) throws DiskException {
        changeL2(file, header, true, entry -> other);
    }

    private void changeL2(HostFile file, ImageHeader header, boolean loses, java.util.function.LongUnaryOperator change)
            throws DiskException {
        int index = random.nextInt(SIZE / clusterSize());
        int perTable = clusterSize() / 8;
        long table = EntryBits.offset(getLong(file, header.l1Offset() + 8L * (index / perTable)));
        if (table == 0 || table >= file.size()) {
            return;
        }
        long at = table + 8L * (index % perTable);
        putLong(file, at, change.applyAsLong(getLong(file, at)));
        if (loses) {
            spoilt.set(index);
        }
    }

    static long getLong(HostFile file, long at) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(8);
        file.readZeroPadded(at, bytes);
        return bytes.getLong(0);
    }

    static void putLong(HostFile file, long at, long value) throws DiskException {
        file.write(at, ByteBuffer.allocate(8).putLong(value).flip());
    }
}
