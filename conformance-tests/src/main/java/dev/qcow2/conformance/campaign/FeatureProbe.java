package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Asks an implementation for each feature once, on an image of its own in memory, and sees whether it refuses it by name. */
final class FeatureProbe {

    private static final String NAME = "probe";
    private static final String BELOW = "below";
    private static final int CLUSTER = 1 << 16;
    private static final long SIZE = 4L * CLUSTER;
    private static final long DATA_FILE_BIT = 1 << 2;
    private static final long COMPRESSION_BIT = 1 << 3;
    private static final long EXTENDED_L2_BIT = 1 << 4;
    private static final long LAZY_REFCOUNTS_BIT = 1;
    private static final Passphrase PASSPHRASE = Passphrase.of("probe");

    /** Something that an open disk is asked. */
    @FunctionalInterface
    private interface Question {
        void ask(VirtualDisk disk) throws IOException;
    }

    /** Something that a closed image is put through. */
    @FunctionalInterface
    private interface Upkeep {
        void run(MaintenanceDriver driver, MemoryHostDirectory directory, OpenOptions options) throws IOException;
    }

    private final DiskDriver driver;

    private FeatureProbe(DiskDriver driver) {
        this.driver = driver;
    }

    /** Returns what the implementation does not refuse. */
    static Set<Feature> of(DiskDriver driver) {
        Set<Feature> found = EnumSet.noneOf(Feature.class);
        for (Feature feature : Feature.values()) {
            if (new FeatureProbe(driver).has(feature)) {
                found.add(feature);
            }
        }
        return Collections.unmodifiableSet(found);
    }

    private boolean has(Feature feature) {
        try {
            probe(feature);
            return true;
        } catch (UnsupportedFeatureException | RequestRefusedException | UnsupportedOperationException e) {
            return false;
        } catch (IOException | RuntimeException e) {
            // Any other failure is for the campaign to find.
            return true;
        }
    }

    private void probe(Feature feature) throws IOException {
        FormatFeatures plain = FormatFeatures.PLAIN;
        switch (feature) {
            case SNAPSHOTS -> ask(plain, disk -> disk.createSnapshot(NAME));
            case COMPRESSED -> ask(plain, FeatureProbe::compress);
            case ZSTD -> ask(plain.withCompression(Compression.ZSTD), FeatureProbe::compress);
            case SUBCLUSTERS -> ask(plain.withExtendedL2(), FeatureProbe::write);
            case DATA_FILE -> ask(plain.withDataFile("data", false), FeatureProbe::write);
            case LAZY_REFCOUNTS -> ask(plain.withLazyRefcounts(), FeatureProbe::write);
            case LUKS -> ask(encrypted(Cipher.LUKS_AES_256_XTS_PLAIN64), FeatureProbe::write);
            case LEGACY_ENCRYPTION -> ask(encrypted(Cipher.LEGACY_AES_128_CBC), FeatureProbe::write);
            case PREALLOCATION -> ask(plain.withPreallocation(Preallocation.METADATA), FeatureProbe::write);
            case RESIZE -> ask(plain, disk -> disk.resize(2 * SIZE, Preallocation.OFF));
            case VM_STATE -> ask(plain, FeatureProbe::saveState);
            case BITMAPS -> ask(plain, disk -> disk.bitmaps().add(NAME, 16, true));
            case REPAIR -> maintain((own, files, options) -> own.repair(files, NAME, RepairMode.ALL, options));
            case COMMIT -> maintain((own, files, options) -> own.commit(files, NAME, options));
            case REBASE ->
                maintain((own, files, options) -> own.rebase(files, NAME, Optional.empty(), RebaseMode.SAFE, options));
            case AMEND ->
                maintain((own, files, options) ->
                        own.amend(files, NAME, AmendOptions.NOTHING.withRefcountOrder(3), options));
        }
    }

    private static FormatFeatures encrypted(Cipher cipher) {
        return FormatFeatures.PLAIN.withEncryption(new Encryption(cipher, PASSPHRASE, 1000));
    }

    private static void write(VirtualDisk disk) throws IOException {
        disk.write(0, ByteBuffer.wrap(new byte[] {1}));
    }

    private static void compress(VirtualDisk disk) throws IOException {
        disk.writeCompressed(0, ByteBuffer.allocate(CLUSTER).put(0, (byte) 1));
    }

    private static void saveState(VirtualDisk disk) throws IOException {
        disk.writeVmState(0, ByteBuffer.wrap(new byte[] {1}));
        disk.createSnapshot(NAME, 1);
    }

    private void ask(FormatFeatures features, Question question) throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, NAME, CreateOptions.ofSize(SIZE).withFeatures(features));
        demandMadeAs(features, directory);
        OpenOptions options = OpenOptions.readWrite().followingDataFile().withPassphrase(PASSPHRASE);
        try (VirtualDisk disk = driver.open(directory, NAME, options)) {
            question.ask(disk);
        }
    }

    /** An image that lacks what was asked for was made by somebody who does not know it. */
    private static void demandMadeAs(FormatFeatures features, MemoryHostDirectory directory) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(104);
        long size;
        try (HostFile file = directory.open(NAME, OpenOptions.Access.READ_ONLY)) {
            file.readZeroPadded(0, header);
            size = file.size();
        }
        long incompatible = header.getLong(72);
        boolean made = features.dataFile().isPresent() == ((incompatible & DATA_FILE_BIT) != 0)
                && (features.compression() == Compression.ZSTD) == ((incompatible & COMPRESSION_BIT) != 0)
                && features.extendedL2() == ((incompatible & EXTENDED_L2_BIT) != 0)
                && features.lazyRefcounts() == ((header.getLong(80) & LAZY_REFCOUNTS_BIT) != 0)
                && features.encryption().isPresent() == (header.getInt(32) != 0)
                && (features.preallocation() == Preallocation.OFF || size > SIZE);
        if (!made) {
            throw new UnsupportedOperationException("the image lacks a feature that was asked for");
        }
    }

    private void maintain(Upkeep upkeep) throws IOException {
        if (!(driver instanceof MaintenanceDriver own)) {
            throw new UnsupportedOperationException(driver.name() + " has no maintenance");
        }
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, BELOW, CreateOptions.ofSize(SIZE));
        driver.create(
                directory,
                NAME,
                CreateOptions.ofSize(SIZE).withBacking(BELOW, Optional.of(CreateOptions.BackingFormat.QCOW2)));
        upkeep.run(own, directory, OpenOptions.readWrite().followingBacking());
    }
}
