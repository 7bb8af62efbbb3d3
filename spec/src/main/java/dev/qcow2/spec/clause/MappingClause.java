package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Cluster mapping: L1 and L2 tables, standard and compressed descriptors. */
public enum MappingClause implements Clause {
    QC_L1_01(
            "L1 entry bits 9 to 55 are the offset of an L2 table, a multiple of the cluster size; 0 means that its whole range is unallocated.",
            V2,
            READER,
            WRITER),
    QC_L1_02("L1 entry bits 0 to 8 and 56 to 62 are reserved and zero.", V2, READER, WRITER),
    QC_L1_03(
            "L1 entry bit 63 (COPIED) is set exactly when the L2 table's count is 1; it is accurate in the active table only.",
            V2,
            WRITER),
    QC_L1_04(
            "The L1 table is contiguous in the file; entry i maps l2_entries guest clusters from i * l2_entries.",
            V2,
            READER,
            WRITER),
    QC_L1_05("An L2 table whose count is 2 or more is copied before an entry of it changes.", V2, WRITER),
    QC_L1_06(
            "What lies beyond the last L1 entry is unallocated; an L1 table that is too short is replaced by a longer one before it is needed.",
            V2,
            READER,
            WRITER),
    QC_L1_07(
            "An L1 table may be longer than the disk needs; what its further entries map is never shown as part of the disk.",
            V2,
            READER,
            WRITER),
    QC_L2_01(
            "An L2 table is one cluster of 64-bit entries, indexed by the guest cluster modulo their number.",
            V2,
            READER,
            WRITER),
    QC_L2_02(
            "Bit 62 separates compressed from standard descriptors and is looked at before any other bit.",
            V2,
            READER,
            WRITER),
    QC_L2_03(
            "Bit 63 (COPIED) of a standard entry is set exactly when the cluster's count is 1; compressed and unallocated entries do not carry it.",
            V2,
            WRITER),
    QC_L2_04(
            "Standard descriptor bits 9 to 55 are the host cluster's offset, a multiple of the cluster size.",
            V2,
            READER,
            WRITER),
    QC_L2_05("Standard descriptor bits 1 to 8 and 56 to 61 are reserved and zero.", V2, READER, WRITER),
    QC_L2_06("A standard descriptor with offset 0, and without a data file, is unallocated.", V2, READER, WRITER),
    QC_L2_07(
            "Bit 0 of a standard descriptor makes the cluster read as zeros, whatever its host cluster or the backing file holds.",
            V3,
            READER),
    QC_L2_08("Bit 0 is never set in version 2 images nor together with extended L2 entries.", V2, READER, WRITER),
    QC_L2_09(
            "A zero cluster may keep a host cluster as a preallocation, whose bytes are never shown.",
            V3,
            READER,
            WRITER),
    QC_L2_10(
            "A read of an unallocated cluster takes the backing file's bytes, and zeros where there are none.",
            V2,
            READER),
    QC_L2_11("An allocating write keeps every guest byte around the written range as it read before.", V2, WRITER),
    QC_L2_12(
            "A compressed descriptor has x = 62 - (cluster_bits - 8) offset bits, and above them the number of further 512-byte sectors.",
            V2,
            READER,
            WRITER),
    QC_L2_13("New data and new tables are on disk before the pointer to them.", V2, WRITER),
    QC_L2_14(
            "A host offset that an entry names lies inside the file, apart from the tail of its last cluster.",
            V2,
            READER,
            WRITER),
    QC_L2_15(
            "Offset 0 in a standard descriptor is the place 0 of an external data file when COPIED is set, and is no place anywhere else.",
            V3,
            READER,
            WRITER),
    QC_L2_16(
            "Entries of an L2 table for guest clusters behind the disk's end are not part of the disk, and show nothing if the disk grows.",
            V2,
            READER,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    MappingClause(String paraphrase, Since since, Party... binds) {
        this.paraphrase = paraphrase;
        this.since = since;
        this.binds = Set.copyOf(EnumSet.copyOf(List.of(binds)));
    }

    @Override
    public String paraphrase() {
        return paraphrase;
    }

    @Override
    public Since since() {
        return since;
    }

    @Override
    public Set<Party> binds() {
        return binds;
    }

    @Override
    public String toString() {
        return id();
    }
}
