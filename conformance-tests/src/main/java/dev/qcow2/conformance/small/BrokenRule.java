package dev.qcow2.conformance.small;

import dev.qcow2.conformance.small.SmallImage.Snapshot;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.clause.SnapshotClause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A way in which one rule is broken, and what must be said of it. */
enum BrokenRule {
    /** A count says more than there are references; flags follow the count. */
    COUNT_TOO_HIGH(Finding.Kind.LEAK, RefcountClause.QC_REF_03, Bytes.STAY, "a count is above its references"),
    /** A count says less than there are references; flags follow the count. */
    COUNT_TOO_LOW(Finding.Kind.CORRUPTION, RefcountClause.QC_REF_03, Bytes.STAY, "a count is below its references"),
    /** COPIED in the L1 entry says the opposite of the count. */
    L1_COPIED(Finding.Kind.CORRUPTION, MappingClause.QC_L1_03, Bytes.STAY, "COPIED is wrong in an L1 entry"),
    /** COPIED in an L2 entry says the opposite of the count. */
    L2_COPIED(Finding.Kind.CORRUPTION, MappingClause.QC_L2_03, Bytes.STAY, "COPIED is wrong in an L2 entry"),
    /** COPIED where there is no host cluster. */
    COPIED_WITHOUT_HOST(
            Finding.Kind.BREACH, MappingClause.QC_L2_03, Bytes.STAY, "COPIED in an entry without a host cluster"),
    /** COPIED on compressed data. */
    COMPRESSED_COPIED(Finding.Kind.CORRUPTION, MappingClause.QC_L2_03, Bytes.STAY, "COPIED on compressed data"),
    /** A reserved bit of the L1 entry. */
    L1_RESERVED(Finding.Kind.CORRUPTION, MappingClause.QC_L1_02, Bytes.MAY_BE_REFUSED, "a reserved bit in an L1 entry"),
    /** A reserved bit of an L2 entry. */
    L2_RESERVED(Finding.Kind.CORRUPTION, MappingClause.QC_L2_05, Bytes.MAY_BE_REFUSED, "a reserved bit in an L2 entry"),
    /** The zero flag in version 2. */
    ZERO_IN_VERSION_2(Finding.Kind.BREACH, MappingClause.QC_L2_08, Bytes.LOST, "a zero flag in version 2"),
    /** An entry that leads past the end of the file. */
    PAST_THE_END(Finding.Kind.CORRUPTION, MappingClause.QC_L2_14, Bytes.LOST, "a data cluster past the file's end"),
    /** A data cluster that is a table or the header's own, rightly counted. */
    DATA_IS_TABLE(Finding.Kind.BREACH, RefcountClause.QC_REF_16, Bytes.LOST, "data and a table share a cluster"),
    /** A data cluster that is a refcount block, rightly counted. */
    DATA_IS_REFCOUNT_BLOCK(
            Finding.Kind.CORRUPTION, RefcountClause.QC_REF_16, Bytes.LOST, "data and a refcount block share a cluster"),
    /** A reserved bit of the refcount table's entry. */
    REFCOUNT_TABLE_RESERVED(
            Finding.Kind.CORRUPTION,
            RefcountClause.QC_REF_05,
            Bytes.MAY_BE_REFUSED,
            "a reserved bit in the refcount table"),
    /** The L1 table of the snapshot does not start at a cluster's start. */
    SNAPSHOT_L1_MISALIGNED(
            Finding.Kind.CORRUPTION,
            SnapshotClause.QC_SNAP_05,
            Bytes.MAY_BE_REFUSED,
            "a misaligned L1 table of a snapshot");

    /** What becomes of the guest's bytes. */
    enum Bytes {
        /** Whoever reads them gets what was there. */
        STAY,
        /** Whoever reads them gets what was there, or a refusal. */
        MAY_BE_REFUSED,
        /** Some cannot be told any more. */
        LOST
    }

    private final Finding.Kind kind;
    private final Clause clause;
    private final Bytes bytes;
    private final String story;

    BrokenRule(Finding.Kind kind, Clause clause, Bytes bytes, String story) {
        this.kind = kind;
        this.clause = clause;
        this.bytes = bytes;
        this.story = story;
    }

    Finding.Kind kind() {
        return kind;
    }

    Clause clause() {
        return clause;
    }

    Bytes bytes() {
        return bytes;
    }

    /** Whether what the broken field led to is leaked, for nobody follows it. */
    boolean leaksToo() {
        return this == REFCOUNT_TABLE_RESERVED || this == SNAPSHOT_L1_MISALIGNED;
    }

    /** Whether a repair can know what was meant; what it can't mend it must tell. */
    boolean mendable() {
        return this != SNAPSHOT_L1_MISALIGNED;
    }

    String story() {
        return story;
    }

    /** All ways in which an image can break this rule once. */
    List<SmallCase> cases(SmallImage image) {
        List<SmallCase> cases = new ArrayList<>();
        switch (this) {
            case COUNT_TOO_HIGH, COUNT_TOO_LOW -> counts(image, cases);
            case L1_COPIED -> l1(image, SmallFile.COPIED, cases);
            case L1_RESERVED -> l1(image, 2, cases);
            case SNAPSHOT_L1_MISALIGNED, REFCOUNT_TABLE_RESERVED -> tables(image, cases);
            case L2_COPIED,
                    COPIED_WITHOUT_HOST,
                    COMPRESSED_COPIED,
                    L2_RESERVED,
                    ZERO_IN_VERSION_2,
                    PAST_THE_END,
                    DATA_IS_TABLE,
                    DATA_IS_REFCOUNT_BLOCK -> {
                for (int cluster = 0; image.table() && cluster < SmallImage.CLUSTERS; cluster++) {
                    entry(image, cluster, cases);
                }
            }
        }
        return cases;
    }

    private void counts(SmallImage image, List<SmallCase> cases) {
        int difference = this == COUNT_TOO_HIGH ? 1 : -1;
        for (int host = 0; host < SmallFile.HOSTS; host++) {
            int changed = host;
            if (new SmallFile(image).count(host) + difference >= 0) {
                add(image, "host cluster " + host, cases, file -> {
                    file.addToCount(changed, difference);
                    file.copiedByCounts();
                });
            }
        }
    }

    private void l1(SmallImage image, long bits, List<SmallCase> cases) {
        if (image.table()) {
            add(image, "L1 entry 0", cases, file -> file.flipL1(bits));
        }
    }

    private void tables(SmallImage image, List<SmallCase> cases) {
        // An entry of a table has no bits for an offset that is no multiple of 512; a snapshot's offset has.
        if (this == SNAPSHOT_L1_MISALIGNED && image.snapshot() != Snapshot.NONE) {
            add(image, "snapshot table", cases, file -> file.flipSavedL1(8));
        } else if (this == REFCOUNT_TABLE_RESERVED) {
            add(image, "refcount table", cases, file -> file.flipRefcountTable(2));
        }
    }

    private void entry(SmallImage image, int cluster, List<SmallCase> cases) {
        SmallEntry entry = image.active().get(cluster);
        boolean plain = entry.kind().hosted() && !entry.compressed();
        String where = "L2 entry " + cluster;
        long present = new SmallFile(image).activeEntry(cluster);
        boolean flag =
                switch (this) {
                    case L2_COPIED -> plain;
                    case COMPRESSED_COPIED -> entry.compressed();
                    case COPIED_WITHOUT_HOST -> !entry.kind().hosted();
                    default -> false;
                };
        if (flag) {
            add(image, where, cases, file -> file.flipActive(cluster, SmallFile.COPIED));
        } else if (this == L2_RESERVED && !entry.compressed()) {
            add(image, where, cases, file -> file.flipActive(cluster, 4));
        } else if (this == ZERO_IN_VERSION_2 && image.version() == 2 && !entry.compressed()) {
            add(image, where, cases, file -> file.flipActive(cluster, SmallFile.ZERO));
        } else if (this == PAST_THE_END && present == 0) {
            long far = (long) (SmallFile.HOSTS + 5) * SmallFile.CLUSTER;
            add(image, where, cases, file -> file.setActive(cluster, far));
        } else if (this == DATA_IS_REFCOUNT_BLOCK && present == 0) {
            add(image, where, cases, file -> share(file, cluster, SmallFile.REFCOUNT_BLOCK));
        } else if (this == DATA_IS_TABLE && present == 0) {
            for (int host : new int[] {SmallFile.REFCOUNT_TABLE, SmallFile.L1, SmallFile.L2}) {
                add(image, where + " to host cluster " + host, cases, file -> share(file, cluster, host));
            }
        }
    }

    private static void share(SmallFile file, int cluster, int host) {
        file.setActive(cluster, (long) host * SmallFile.CLUSTER);
        file.addToCount(host, file.image().snapshot() == Snapshot.SHARED_TABLE ? 2 : 1);
        file.copiedByCounts();
    }

    private void add(SmallImage image, String where, List<SmallCase> cases, Consumer<SmallFile> change) {
        SmallFile file = new SmallFile(image);
        change.accept(file);
        cases.add(new SmallCase(image, Optional.of(this), where, file));
    }
}
