package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.language.Layer;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.Passphrase;
import java.util.List;

/** Draws images that use more than the plain form of the format. */
final class FeatureLayers {

    private static final Passphrase PASSPHRASE = Passphrase.of("correct-horse");
    private static final int FEWEST_ITERATIONS = 1000;
    private static final int[] CLUSTER_WEIGHTS = {40, 10, 6, 12, 5, 4, 3, 12, 2, 1, 1, 1, 1};
    private static final int[] SUBCLUSTER_WEIGHTS = {50, 15, 30, 2, 1, 1, 0, 1};
    private static final int LEAST_CLUSTER_BITS = 9;
    private static final int LEAST_SUBCLUSTER_BITS = 14;
    private static final int SECTOR = 512;

    private final Dice dice;
    private final Abilities abilities;

    FeatureLayers(Dice dice, Abilities abilities) {
        this.dice = dice;
        this.abilities = abilities;
    }

    /** Says whether the sequence uses a feature that an image is made with. */
    boolean any() {
        return abilities.features().stream().anyMatch(FeatureLayers::ofImage);
    }

    private static boolean ofImage(Feature feature) {
        return switch (feature) {
            case ZSTD, SUBCLUSTERS, DATA_FILE, LAZY_REFCOUNTS, LUKS, LEGACY_ENCRYPTION, PREALLOCATION -> true;
            case SNAPSHOTS, COMPRESSED, RESIZE, VM_STATE, BITMAPS, REPAIR, COMMIT, REBASE, AMEND -> false;
        };
    }

    /** Draws the disk's own image, empty. */
    Layer top() {
        boolean subclusters = abilities.has(Feature.SUBCLUSTERS);
        int clusterBits = subclusters
                ? LEAST_SUBCLUSTER_BITS + dice.weighted(SUBCLUSTER_WEIGHTS)
                : LEAST_CLUSTER_BITS + dice.weighted(CLUSTER_WEIGHTS);
        FormatFeatures features = features(subclusters);
        boolean old = features.fitsVersion2() && dice.percent(25);
        int refcountOrder = old ? 4 : (int) dice.between(0, 6);
        long cluster = 1L << clusterBits;
        long most = clusterBits <= 10 ? 3 * cluster / 8 : clusterBits <= 16 ? 24 : 4;
        long size = dice.between(cluster / 2, most * cluster);
        long unit = dice.weighted(40, 30, 30) == 0 ? cluster : abilities.qemu() || dice.percent(50) ? SECTOR : 1;
        return Layer.qcow2(Math.max(unit, size / unit * unit), old ? 2 : 3, clusterBits, refcountOrder)
                .withFeatures(features);
    }

    private FormatFeatures features(boolean subclusters) {
        FormatFeatures features = subclusters ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN;
        if (abilities.has(Feature.ZSTD)) {
            features = features.withCompression(Compression.ZSTD);
        }
        if (abilities.has(Feature.LAZY_REFCOUNTS)) {
            features = features.withLazyRefcounts();
        }
        if (abilities.has(Feature.DATA_FILE)) {
            features = features.withDataFile(Layer.DATA_FILE, dice.percent(35));
        }
        if (abilities.has(Feature.PREALLOCATION)) {
            features = features.withPreallocation(
                    dice.pick(List.of(Preallocation.METADATA, Preallocation.FALLOC, Preallocation.FULL)));
        }
        return encrypted(features);
    }

    private FormatFeatures encrypted(FormatFeatures features) {
        if (abilities.has(Feature.LEGACY_ENCRYPTION)) {
            return features.withEncryption(new Encryption(Cipher.LEGACY_AES_128_CBC, PASSPHRASE, FEWEST_ITERATIONS));
        }
        if (!abilities.has(Feature.LUKS)) {
            return features;
        }
        List<Cipher> ciphers = List.of(
                Cipher.LUKS_AES_256_XTS_PLAIN64,
                Cipher.LUKS_AES_128_XTS_PLAIN64,
                Cipher.LUKS_AES_256_CBC_ESSIV_SHA256,
                Cipher.LUKS_AES_128_CBC_ESSIV_SHA256);
        return features.withEncryption(new Encryption(dice.pick(ciphers), PASSPHRASE, FEWEST_ITERATIONS));
    }
}
