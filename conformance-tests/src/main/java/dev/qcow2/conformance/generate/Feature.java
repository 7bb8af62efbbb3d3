package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Qemu;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What an implementation may lack, by name: then it takes no part in sequences that need it. */
public enum Feature {
    /** Snapshots inside the image. */
    SNAPSHOTS,
    /** Clusters that are compressed with zlib. */
    COMPRESSED,
    /** Clusters that are compressed with zstandard. */
    ZSTD,
    /** Extended L2 entries. */
    SUBCLUSTERS,
    /** An external data file. */
    DATA_FILE,
    /** Reference counts that may be postponed. */
    LAZY_REFCOUNTS,
    /** Encryption by LUKS. */
    LUKS,
    /** The format's own encryption of old. */
    LEGACY_ENCRYPTION,
    /** Clusters that exist before the guest writes. */
    PREALLOCATION,
    /** A disk that changes its length. */
    RESIZE,
    /** Saved machine state. */
    VM_STATE,
    /** Persistent bitmaps. */
    BITMAPS,
    /** Check and repair. */
    REPAIR,
    /** Commit into the backing file. */
    COMMIT,
    /** Another backing file. */
    REBASE,
    /** Another version, refcount width, or laziness. */
    AMEND;

    /**
     * Returns the words for reports.
     *
     * @return for instance {@code data file}
     */
    public String words() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /**
     * Says what an implementation has to know to take part in a sequence.
     *
     * @param script the sequence
     * @return an immutable set
     */
    public static Set<Feature> neededBy(Script script) {
        Set<Feature> needed = EnumSet.noneOf(Feature.class);
        script.layers().forEach(layer -> addLayer(needed, layer));
        script.operations().forEach(step -> addStep(needed, step));
        return Collections.unmodifiableSet(needed);
    }

    private static void addLayer(Set<Feature> needed, Layer layer) {
        FormatFeatures features = layer.features();
        add(needed, ZSTD, features.compression() == Compression.ZSTD);
        add(needed, SUBCLUSTERS, features.extendedL2());
        add(needed, LAZY_REFCOUNTS, features.lazyRefcounts());
        add(needed, DATA_FILE, features.dataFile().isPresent());
        add(needed, PREALLOCATION, features.preallocation() != Preallocation.OFF);
        Optional<Cipher> cipher = features.encryption().map(FormatFeatures.Encryption::cipher);
        add(
                needed,
                LEGACY_ENCRYPTION,
                cipher.filter(Cipher.LEGACY_AES_128_CBC::equals).isPresent());
        add(
                needed,
                LUKS,
                cipher.filter(found -> found != Cipher.LEGACY_AES_128_CBC).isPresent());
        add(needed, SNAPSHOTS, layer.traits().sharing() != Layer.Sharing.NONE);
        add(needed, COMPRESSED, layer.content().stream().anyMatch(run -> run.state() == ClusterState.COMPRESSED));
    }

    private static void add(Set<Feature> needed, Feature feature, boolean used) {
        if (used) {
            needed.add(feature);
        }
    }

    private static void addStep(Set<Feature> needed, Operation step) {
        if (step instanceof Qemu qemu) {
            addStep(needed, qemu.step());
        }
        add(needed, VM_STATE, step instanceof SnapshotCreate create && create.vmStateSize() > 0);
        of(step.kind()).ifPresent(needed::add);
    }

    private static Optional<Feature> of(Operation.Kind kind) {
        return switch (kind) {
            case READ, WRITE, WRITE_ZEROES, DISCARD, STATUS, FLUSH, REOPEN, EXCHANGE, QEMU -> Optional.empty();
            case WRITE_COMPRESSED -> Optional.of(COMPRESSED);
            case SNAPSHOT_CREATE, SNAPSHOT_APPLY, SNAPSHOT_DELETE -> Optional.of(SNAPSHOTS);
            case RESIZE -> Optional.of(RESIZE);
            case VM_STATE -> Optional.of(VM_STATE);
            case BITMAP -> Optional.of(BITMAPS);
            case REPAIR -> Optional.of(REPAIR);
            case COMMIT -> Optional.of(COMMIT);
            case REBASE -> Optional.of(REBASE);
            case AMEND -> Optional.of(AMEND);
        };
    }
}
