package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The scenes. */
final class StructureScenes {

    private static final int CLUSTER_BITS = 9;

    private StructureScenes() {}

    static StructureScene of(StructureFault.Scene scene) {
        return switch (scene) {
            case BITMAPS -> new BitmapScene();
            case FOREIGN -> new ForeignScene();
            case CHAIN -> new ChainScene();
            case DATA_FILE -> new DataFileScene();
            case GROWTH -> new GrowthScene();
        };
    }

    private static CreateOptions ofClusters(int clusters) {
        return CreateOptions.ofSize((long) clusters * StructureScene.SMALL_CLUSTER)
                .withClusterBits(CLUSTER_BITS);
    }

    /** Whoever trusts a bitmap that follows the guest must find in it each cluster that is not as it was at first. */
    private abstract static class Followed extends StructureScene {

        /** Bitmaps that follow the guest from the start of the scene on. */
        abstract List<String> following();

        @Override
        List<String> inspect(MemoryHostDirectory after) throws DiskException {
            List<String> wrong = new ArrayList<>();
            try (VirtualDisk disk = READER.open(after, IMAGE, access().withAccess(Access.READ_ONLY))) {
                for (Bitmaps.BitmapInfo info : disk.bitmaps().list()) {
                    if (info.inUse()) {
                        continue;
                    }
                    Set<Integer> dirty = dirty(disk.bitmaps(), info.name());
                    for (int cluster : touched()) {
                        boolean lost = following().contains(info.name())
                                && cluster < disk.size() / SMALL_CLUSTER
                                && (bytes(disk, cluster)[0] & 0xff) != first(cluster)
                                && !dirty.contains(cluster);
                        if (lost) {
                            wrong.add("bitmap " + info.name() + " is trusted and lacks guest cluster " + cluster);
                        }
                    }
                }
            } catch (DiskException e) {
                wrong.add(e.toString());
            }
            return wrong;
        }

        static Set<Integer> dirty(Bitmaps bitmaps, String name) throws DiskException {
            Set<Integer> clusters = new TreeSet<>();
            for (Bitmaps.Dirty range : bitmaps.dirty(name)) {
                for (long at = range.guestOffset(); at < range.guestOffset() + range.length(); at += SMALL_CLUSTER) {
                    clusters.add((int) (at / SMALL_CLUSTER));
                }
            }
            return clusters;
        }
    }

    /** Bitmaps that follow, that do not, that are merged and removed, over a disk that changes its size; and a death. */
    private static final class BitmapScene extends Followed {

        /** More than a cluster of bits, so that another size is another table. */
        private static final int CLUSTERS = 5000;

        private static final int SMALLER = 3000;

        private final List<String> wrong = new ArrayList<>();

        @Override
        List<String> following() {
            return List.of("follows", "removed");
        }

        @Override
        void prepare(HostDirectory directory) throws DiskException {
            MAKER.create(directory, IMAGE, ofClusters(CLUSTERS));
            try (VirtualDisk disk = MAKER.open(directory, IMAGE, access())) {
                disk.write(30L * SMALL_CLUSTER, filled(199, SMALL_CLUSTER));
                holds(30, 199);
                disk.createSnapshot("first");
                // Its cluster belongs to the disk alone again, and is written in place from here on.
                disk.write(30L * SMALL_CLUSTER, filled(199, SMALL_CLUSTER));
                disk.bitmaps().add("follows", CLUSTER_BITS, true);
                disk.bitmaps().add("removed", CLUSTER_BITS, true);
                disk.bitmaps().add("still", CLUSTER_BITS, false);
                disk.bitmaps().mark("still", 7L * SMALL_CLUSTER, 1);
                disk.bitmaps().mark("still", 4900L * SMALL_CLUSTER, 1);
            }
        }

        private void expect(HostDirectory directory, String name, Integer... clusters) throws DiskException {
            try (VirtualDisk disk = READER.open(directory, IMAGE, access().withAccess(Access.READ_ONLY))) {
                Set<Integer> found = dirty(disk.bitmaps(), name);
                if (!found.equals(new TreeSet<>(List.of(clusters)))) {
                    wrong.add("bitmap " + name + " names " + found.size() + " clusters and ought to name "
                            + clusters.length);
                }
            }
        }

        @Override
        void play(DiskDriver driver, HostDirectory directory) throws DiskException {
            VirtualDisk disk = driver.open(directory, IMAGE, access());
            write(disk, 30);
            write(disk, 2);
            flush(disk);
            write(disk, 4500);
            close(disk);
            expect(directory, "follows", 2, 30, 4500);
            expect(directory, "still", 7, 4900);
            disk = driver.open(directory, IMAGE, access());
            disk.bitmaps().remove("removed");
            write(disk, 11);
            disk.bitmaps().merge("still", "follows");
            close(disk);
            expect(directory, "follows", 2, 11, 30, 4500);
            expect(directory, "still", 2, 7, 11, 30, 4500, 4900);
            disk = driver.open(directory, IMAGE, access());
            write(disk, 21);
            flush(disk);
            // The program dies here.
            disk = driver.open(directory, IMAGE, access());
            write(disk, 22);
            close(disk);
            later(driver, directory);
        }

        /** The bitmap with which the program died goes, and another one comes. */
        private void later(DiskDriver driver, HostDirectory directory) throws DiskException {
            VirtualDisk disk = driver.open(directory, IMAGE, access());
            disk.bitmaps().remove("follows");
            disk.bitmaps().add("later", CLUSTER_BITS, true);
            write(disk, 23);
            close(disk);
            expect(directory, "later", 23);
            disk = driver.open(directory, IMAGE, access());
            dropped(SMALLER);
            disk.resize((long) SMALLER * SMALL_CLUSTER, Preallocation.OFF);
            flush(disk);
            disk.resize((long) CLUSTERS * SMALL_CLUSTER, Preallocation.OFF);
            close(disk);
            expect(directory, "still", 2, 7, 11, 30);
            disk = driver.open(directory, IMAGE, access());
            disk.bitmaps().clear("still");
            write(disk, 12);
            restored();
            disk.applySnapshot("1");
            if (dirty(disk.bitmaps(), "later").size() != CLUSTERS) {
                wrong.add("a snapshot was loaded, and the bitmap does not say that all may have changed");
            }
            close(disk);
        }

        @Override
        List<String> conclude(MemoryHostDirectory after) {
            return wrong;
        }
    }

    /** Somebody writes to an image with a bitmap, and need not know it. */
    private static final class ForeignScene extends Followed {

        private static final int CLUSTERS = 40;

        @Override
        List<String> following() {
            return List.of("follows");
        }

        @Override
        void prepare(HostDirectory directory) throws DiskException {
            MAKER.create(directory, IMAGE, ofClusters(CLUSTERS));
            try (VirtualDisk disk = MAKER.open(directory, IMAGE, access())) {
                disk.write(0, filled(1, SMALL_CLUSTER));
                disk.bitmaps().add("follows", CLUSTER_BITS, true);
            }
            holds(0, 1);
        }

        @Override
        void play(DiskDriver driver, HostDirectory directory) throws DiskException {
            boolean foreign = driver instanceof StructureFaultDriver wrong && !wrong.knowsBitmaps();
            VirtualDisk disk = (foreign ? driver : new MutantDriver()).open(directory, IMAGE, access());
            write(disk, 0);
            write(disk, 3);
            close(disk);
            if (!foreign) {
                disk = driver.open(directory, IMAGE, access());
                write(disk, 5);
                close(disk);
            }
        }
    }

    /** An overlay over a shorter raw file is committed, rebased onto a shorter file, and onto a copy of that. */
    private static final class ChainScene extends StructureScene {

        private static final int CLUSTERS = 12;

        private static Optional<Backing> raw(String name) {
            return Optional.of(new Backing(name, Optional.of(BackingFormat.RAW)));
        }

        private static void file(HostDirectory directory, String name, int clusters, int value) throws DiskException {
            try (HostFile file = directory.create(name)) {
                file.write(0, filled(value, clusters * SMALL_CLUSTER));
            }
        }

        @Override
        void prepare(HostDirectory directory) throws DiskException {
            file(directory, BASE, 8, 200);
            file(directory, "other", 6, 201);
            file(directory, "same", 6, 201);
            MAKER.create(directory, IMAGE, ofClusters(CLUSTERS).withBacking(BASE, Optional.of(BackingFormat.RAW)));
            for (int cluster = 0; cluster < 8; cluster++) {
                holds(cluster, 200);
            }
            try (VirtualDisk disk = MAKER.open(directory, IMAGE, access())) {
                disk.write(0, filled(199, SMALL_CLUSTER));
                holds(0, 199);
            }
        }

        @Override
        void play(DiskDriver driver, HostDirectory directory) throws DiskException {
            MaintenanceDriver maintenance = (MaintenanceDriver) driver;
            VirtualDisk disk = driver.open(directory, IMAGE, access());
            write(disk, 1);
            write(disk, 10);
            zero(disk, 2);
            close(disk);
            maintenance.commit(directory, IMAGE, access());
            flushed();
            disk = driver.open(directory, IMAGE, access());
            write(disk, 3);
            close(disk);
            maintenance.rebase(directory, IMAGE, raw("other"), RebaseMode.SAFE, access());
            flushed();
            maintenance.rebase(directory, IMAGE, raw("same"), RebaseMode.UNSAFE, access());
            maintenance.commit(directory, IMAGE, access());
            flushed();
            disk = driver.open(directory, IMAGE, access());
            write(disk, 4);
            close(disk);
        }
    }

    /** Writes, zeroes and flushes with an external data file. */
    private static final class DataFileScene extends StructureScene {

        private static final int CLUSTERS = 20;

        @Override
        void prepare(HostDirectory directory) throws DiskException {
            FormatFeatures features = FormatFeatures.PLAIN.withDataFile(DATA, false);
            MAKER.create(directory, IMAGE, ofClusters(CLUSTERS).withFeatures(features));
            try (HostFile file = directory.open(DATA, Access.READ_WRITE)) {
                // Clusters that are in no entry hold anything.
                file.write(0, filled(99, CLUSTERS * SMALL_CLUSTER));
            }
        }

        @Override
        void play(DiskDriver driver, HostDirectory directory) throws DiskException {
            VirtualDisk disk = driver.open(directory, IMAGE, access());
            for (int round = 0; round < 3; round++) {
                for (int cluster = round; cluster < CLUSTERS; cluster += 3) {
                    write(disk, cluster);
                }
                flush(disk);
                zero(disk, 2 * round);
                write(disk, 2 * round + 1);
            }
            close(disk);
        }
    }

    /** Blocks are added, the refcount table and the L1 table grow, snapshots come and go, the width of counts changes. */
    private static final class GrowthScene extends StructureScene {

        /** Counts of 64 bits in clusters of 512 bytes: a cluster of refcount table is full at 2 MiB. */
        private static final int CLUSTERS = 6000;

        private static final int FILLED = 3900;

        @Override
        int patience() {
            return 97;
        }

        @Override
        void prepare(HostDirectory directory) throws DiskException {
            MAKER.create(directory, IMAGE, ofClusters(CLUSTERS).withRefcountOrder(6));
            try (VirtualDisk disk = MAKER.open(directory, IMAGE, access())) {
                disk.write(0, filled(77, FILLED * SMALL_CLUSTER));
            }
            for (int cluster = 0; cluster < FILLED; cluster += 130) {
                holds(cluster, 77);
            }
        }

        @Override
        void play(DiskDriver driver, HostDirectory directory) throws DiskException {
            VirtualDisk disk = driver.open(directory, IMAGE, access());
            for (int cluster = FILLED; cluster < FILLED + 150; cluster++) {
                write(disk, cluster);
            }
            flush(disk);
            disk.createSnapshot("s");
            disk.resize(2L * CLUSTERS * SMALL_CLUSTER, Preallocation.OFF);
            write(disk, 130);
            disk.deleteSnapshot("1");
            write(disk, 260);
            close(disk);
            ((MaintenanceDriver) driver).amend(directory, IMAGE, AmendOptions.NOTHING.withRefcountOrder(4), access());
            disk = driver.open(directory, IMAGE, access());
            for (int cluster = FILLED + 150; cluster < FILLED + 170; cluster++) {
                write(disk, cluster);
            }
            disk.resize(4L * CLUSTERS * SMALL_CLUSTER, Preallocation.OFF);
            close(disk);
            ((MaintenanceDriver) driver).amend(directory, IMAGE, AmendOptions.NOTHING.withRefcountOrder(6), access());
        }
    }
}
