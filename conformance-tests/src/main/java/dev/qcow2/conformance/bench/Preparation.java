package dev.qcow2.conformance.bench;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/** The image that a workload starts from, always with 64 KiB clusters and 16-bit reference counts. */
public enum Preparation {
    /** Every cluster is a zero cluster without a host cluster. */
    ZERO_PLAIN(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
            builder.change(IMAGE, disk -> disk.writeZeroes(0, disk.size(), ZeroMode.MAY_UNMAP));
        }
    },
    /** Every cluster is a zero cluster that keeps a host cluster. */
    ZERO_ALLOCATED(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
            builder.change(IMAGE, disk -> {
                fill(disk, 0, CLUSTER);
                disk.writeZeroes(0, disk.size(), ZeroMode.KEEP_ALLOCATION);
            });
        }
    },
    /** Nothing is allocated, nothing lies behind. */
    UNALLOCATED(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
        }
    },
    /** Nothing is allocated; the backing file has zero clusters only. */
    ZERO_BACKING(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(BASE, Optional.empty());
            builder.change(BASE, disk -> disk.writeZeroes(0, disk.size(), ZeroMode.MAY_UNMAP));
            builder.create(IMAGE, Optional.of(BASE));
        }
    },
    /** Nothing is allocated; the backing file is full of data, so every copy is owed. */
    DATA_BACKING(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(BASE, Optional.empty());
            builder.change(BASE, disk -> fill(disk, 0, CLUSTER));
            builder.create(IMAGE, Optional.of(BASE));
        }
    },
    /** Every cluster is allocated and holds data. */
    DATA(true) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
            builder.change(IMAGE, disk -> fill(disk, 0, CLUSTER));
        }
    },
    /** Eight images on one another; image k holds every eighth cluster, from the k-th on. */
    CHAIN_OF_8(true) {
        @Override
        void prepare(Builder builder) throws DiskException {
            Optional<String> below = Optional.empty();
            for (int layer = 0; layer < 8; layer++) {
                String name = layer == 7 ? IMAGE : "layer-" + layer + ".qcow2";
                int first = layer;
                builder.create(name, below);
                builder.change(name, disk -> fill(disk, (long) first * CLUSTER, 8 * CLUSTER));
                below = Optional.of(name);
            }
        }
    },
    /** Extended L2 entries; every cluster reads as zero by its subclusters' bits and has no host cluster. */
    SUBCLUSTERS_ZERO(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty(), FormatFeatures.PLAIN.withExtendedL2());
            builder.change(IMAGE, disk -> disk.writeZeroes(0, disk.size(), ZeroMode.MAY_UNMAP));
        }
    },
    /** Extended L2 entries, nothing allocated; the backing file is full of data, and a copy is owed for broken subclusters only. */
    SUBCLUSTERS_OVER_DATA(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(BASE, Optional.empty());
            builder.change(BASE, disk -> fill(disk, 0, CLUSTER));
            builder.create(IMAGE, Optional.of(BASE), FormatFeatures.PLAIN.withExtendedL2());
        }
    },
    /** Every cluster is compressed. */
    COMPRESSED(true) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
            builder.change(IMAGE, Preparation::fillCompressed);
        }
    },
    /** Every cluster holds data and is shared with a snapshot, so each first write copies. */
    SNAPSHOT(false) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
            builder.change(IMAGE, disk -> {
                fill(disk, 0, CLUSTER);
                disk.createSnapshot("before");
            });
        }
    },
    /** A million clusters, allocated in scattered order, with nothing in them. */
    FRAGMENTED_1M(true) {
        @Override
        void prepare(Builder builder) throws DiskException {
            builder.create(IMAGE, Optional.empty());
            builder.change(IMAGE, disk -> {
                long clusters = disk.size() / CLUSTER;
                ByteBuffer one = ByteBuffer.allocate(512);
                for (long i = 0; i < clusters; i++) {
                    // 7919 is prime and divides no number of clusters used here: each cluster comes once.
                    disk.write(i * 7919 % clusters * CLUSTER, one.clear());
                }
            });
        }
    };

    /** The name of the image that is measured. */
    static final String IMAGE = "image.qcow2";

    private static final String BASE = "base.qcow2";
    private static final int CLUSTER = 1 << 16;

    private final boolean reusable;

    Preparation(boolean reusable) {
        this.reusable = reusable;
    }

    /**
     * Says whether writes leave the image's structure as it was, so that several runs can share it.
     *
     * @return true if the image need not be made anew for each run
     */
    boolean reusable() {
        return reusable;
    }

    abstract void prepare(Builder builder) throws DiskException;

    /**
     * Makes the image, and its backing files, in a directory.
     *
     * @param directory where files live
     * @param diskSize bytes of the virtual disk
     * @throws DiskException if the host fails
     */
    void prepare(HostDirectory directory, long diskSize) throws DiskException {
        prepare(new Builder(directory, diskSize));
    }

    /** Text-like data: half of each cluster repeats itself, half does not. */
    private static void fillCompressed(VirtualDisk disk) throws DiskException {
        Random random = new Random(1);
        byte[] cluster = new byte[CLUSTER];
        random.nextBytes(cluster);
        Arrays.fill(cluster, 0, CLUSTER / 2, (byte) 0x5a);
        for (long at = 0; at < disk.size(); at += CLUSTER) {
            cluster[0] = (byte) (at / CLUSTER);
            disk.writeCompressed(at, ByteBuffer.wrap(cluster));
        }
    }

    private static void fill(VirtualDisk disk, long from, long step) throws DiskException {
        // Whole runs where clusters are neighbours: preparation is not measured, but it is waited for.
        int run = step == CLUSTER ? 16 * CLUSTER : CLUSTER;
        long stride = step == CLUSTER ? run : step;
        ByteBuffer data = ByteBuffer.allocateDirect(run);
        while (data.hasRemaining()) {
            data.put((byte) 0x5a);
        }
        for (long at = from; at < disk.size(); at += stride) {
            data.clear().limit((int) Math.min(run, disk.size() - at));
            disk.write(at, data);
        }
    }

    /** A change of an open disk. */
    @FunctionalInterface
    private interface Change {
        void apply(VirtualDisk disk) throws DiskException;
    }

    /** Makes images of one size in one directory. */
    record Builder(HostDirectory directory, long diskSize) {

        private static final DiskDriver DRIVER = new OptimizedDriver();

        void create(String name, Optional<String> backing) throws DiskException {
            create(name, backing, FormatFeatures.PLAIN);
        }

        void create(String name, Optional<String> backing, FormatFeatures features) throws DiskException {
            CreateOptions options = CreateOptions.ofSize(diskSize).withFeatures(features);
            DRIVER.create(
                    directory,
                    name,
                    backing.map(base -> options.withBacking(base, Optional.of(BackingFormat.QCOW2)))
                            .orElse(options));
        }

        private void change(String name, Change change) throws DiskException {
            try (VirtualDisk disk =
                    DRIVER.open(directory, name, OpenOptions.readWrite().followingBacking())) {
                change.apply(disk);
            }
        }
    }
}
