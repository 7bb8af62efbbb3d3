package dev.qcow2.spec.layout;

import static dev.qcow2.spec.clause.Clause.Since.V2;

import dev.qcow2.spec.clause.SnapshotClause;
import java.util.List;

/** An entry of the snapshot table: fixed part, extra data, then id and name as text, padded to 8 bytes. */
public final class SnapshotLayout {

    /** Place of the snapshot's L1 table. */
    public static final ByteField L1_TABLE_OFFSET =
            new ByteField("l1_table_offset", 0, 8, "host offset of its L1 table", V2, SnapshotClause.QC_SNAP_05);
    /** Length of the snapshot's L1 table. */
    public static final ByteField L1_SIZE =
            new ByteField("l1_size", 8, 4, "entries of its L1 table", V2, SnapshotClause.QC_SNAP_15);
    /** Length of the id. */
    public static final ByteField ID_SIZE =
            new ByteField("id_size", 12, 2, "bytes of the id", V2, SnapshotClause.QC_SNAP_08);
    /** Length of the name. */
    public static final ByteField NAME_SIZE =
            new ByteField("name_size", 14, 2, "bytes of the name", V2, SnapshotClause.QC_SNAP_14);
    /** When it was taken. */
    public static final ByteField DATE_SECONDS =
            new ByteField("date_seconds", 16, 4, "seconds since the epoch", V2, SnapshotClause.QC_SNAP_18);
    /** When it was taken, the fraction. */
    public static final ByteField DATE_NANOSECONDS =
            new ByteField("date_nanoseconds", 20, 4, "nanoseconds of the second", V2, SnapshotClause.QC_SNAP_18);
    /** How long the guest had run. */
    public static final ByteField VM_CLOCK =
            new ByteField("vm_clock", 24, 8, "nanoseconds that the guest had run", V2, SnapshotClause.QC_SNAP_23);
    /** Size of the machine state if it fits. */
    public static final ByteField VM_STATE_SIZE =
            new ByteField("vm_state_size", 32, 4, "bytes of machine state", V2, SnapshotClause.QC_SNAP_09);
    /** Length of the extra data. */
    public static final ByteField EXTRA_DATA_SIZE =
            new ByteField("extra_data_size", 36, 4, "bytes of extra data", V2, SnapshotClause.QC_SNAP_07);
    /** The fixed part of an entry. */
    public static final Structure<ByteField> ENTRY = new Structure<>(
            "snapshot table entry",
            40,
            List.of(
                    L1_TABLE_OFFSET,
                    L1_SIZE,
                    ID_SIZE,
                    NAME_SIZE,
                    DATE_SECONDS,
                    DATE_NANOSECONDS,
                    VM_CLOCK,
                    VM_STATE_SIZE,
                    EXTRA_DATA_SIZE));

    /** Size of the machine state, however large. */
    public static final ByteField LARGE_VM_STATE_SIZE =
            new ByteField("large_vm_state_size", 0, 8, "bytes of machine state", V2, SnapshotClause.QC_SNAP_09);
    /** Size of the disk when it was taken. */
    public static final ByteField DISK_SIZE =
            new ByteField("disk_size", 8, 8, "bytes of the virtual disk", V2, SnapshotClause.QC_SNAP_12);
    /** Instructions that the guest had run. */
    public static final ByteField INSTRUCTION_COUNT = new ByteField(
            "instruction_count", 16, 8, "instructions that were counted, or all ones", V2, SnapshotClause.QC_SNAP_13);
    /** The extra data that version 3 demands. */
    public static final Structure<ByteField> EXTRA_DATA =
            new Structure<>("snapshot extra data", 16, List.of(LARGE_VM_STATE_SIZE, DISK_SIZE));
    /** Extra data as far as it is known. */
    public static final Structure<ByteField> LONG_EXTRA_DATA = new Structure<>(
            "snapshot extra data with instruction count",
            24,
            List.of(LARGE_VM_STATE_SIZE, DISK_SIZE, INSTRUCTION_COUNT));

    private SnapshotLayout() {}
}
