package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.BitmapClause;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.clause.RefcountClause;

/**
 * Ways in which {@link StructureFaultDriver} errs: as {@link Fault}, for bitmaps, chains of files, and tables that the
 * header names. Most of them are an operation of the host that is left out or comes too late.
 */
public enum StructureFault {
    BITMAP_IN_USE_NEVER_SET(Scene.BITMAPS, Base.LATE, BitmapClause.QC_BM_20, "Nothing says that bitmaps are in use."),
    BITMAP_IN_USE_NOT_FLUSHED(
            Scene.BITMAPS, Base.LATE, BitmapClause.QC_BM_20, "The in-use flag is written and not flushed."),
    BITMAP_IN_USE_AFTER_WRITE(
            Scene.BITMAPS, Base.LATE, BitmapClause.QC_BM_20, "The in-use flag is set after the guest's first write."),
    BITMAP_IN_USE_CLEARED_EARLY(
            Scene.BITMAPS, Base.LATE, BitmapClause.QC_BM_20, "The in-use flag goes before the new bits are stored."),
    BITMAP_IN_USE_TRUSTED(
            Scene.BITMAPS, Base.LATE, BitmapClause.QC_BM_07, "A bitmap that was left in use is taken for good."),
    BITMAP_REMOVED_NOT_MARKED(
            Scene.BITMAPS,
            Base.LATE,
            BitmapClause.QC_BM_20,
            "A bitmap is removed in memory, and trusted by whoever opens the image after a cut."),
    BITMAP_RESIZE_MARKS_NOTHING(
            Scene.BITMAPS,
            Base.LATE,
            BitmapClause.QC_BM_22,
            "The disk changes its size, and nothing says that bitmaps have another one."),
    BITMAP_SHRINK_KEEPS_BITS(
            Scene.BITMAPS, Base.EAGER, BitmapClause.QC_BM_22, "Bits of a part that was cut off come back with it."),
    BITMAP_FOLLOWS_DISABLED(
            Scene.BITMAPS, Base.EAGER, BitmapClause.QC_BM_24, "A bitmap that is not enabled follows the guest."),
    BITMAP_FORGETS_RESTORE(
            Scene.BITMAPS, Base.EAGER, BitmapClause.QC_BM_23, "A snapshot is loaded, and bitmaps do not notice."),
    BITMAP_MERGE_REPLACES(Scene.BITMAPS, Base.EAGER, BitmapClause.QC_BM_28, "A merge forgets what was dirty before."),
    BITMAP_HEADER_BEFORE_FLUSH(
            Scene.BITMAPS,
            Base.EAGER,
            BitmapClause.QC_BM_26,
            "The header names a directory of bitmaps that is not flushed."),
    BITMAP_FREED_BEFORE_SETTLED(
            Scene.BITMAPS,
            Base.EAGER,
            BitmapClause.QC_BM_26,
            "Old bits are given back before the header without them is flushed."),
    BITMAP_BIT_IGNORED(
            Scene.FOREIGN, Base.LATE, BitmapClause.QC_BM_03, "Bitmaps are trusted though their autoclear bit is off."),
    AUTOCLEAR_NOT_FLUSHED(
            Scene.FOREIGN,
            Base.SMALL,
            HeaderClause.QC_HDR_23,
            "Unknown autoclear bits are cleared, and the disk changes before that is flushed."),
    AUTOCLEAR_LEFT(Scene.FOREIGN, Base.SMALL, HeaderClause.QC_HDR_23, "Unknown autoclear bits survive writing."),
    COMMIT_WITHOUT_FLUSH(
            Scene.CHAIN,
            Base.LATE,
            MaintenanceClause.QC_MNT_22,
            "A commit empties the overlay, and never flushes the backing file."),
    COMMIT_SKIPS_ZEROS(Scene.CHAIN, Base.EAGER, MaintenanceClause.QC_MNT_21, "A commit leaves out what reads as zero."),
    COMMIT_RELEASES_FIRST(
            Scene.CHAIN,
            Base.LATE,
            RefcountClause.QC_REF_14,
            "A commit empties the overlay and flushes nothing of it on the way."),
    REBASE_IGNORES_END(
            Scene.CHAIN,
            Base.EAGER,
            MaintenanceClause.QC_MNT_25,
            "A rebase onto a shorter file copies only what lies inside that."),
    REBASE_LINKS_BEFORE_FLUSH(
            Scene.CHAIN, Base.EAGER, MaintenanceClause.QC_MNT_25, "Copies of a rebase are linked and not flushed."),
    RENAMED_BEFORE_FLUSH(
            Scene.CHAIN,
            Base.EAGER,
            MaintenanceClause.QC_MNT_25,
            "The header names the new backing file before the copies are flushed."),
    RENAME_NOT_FLUSHED(
            Scene.CHAIN,
            Base.EAGER,
            MaintenanceClause.QC_MNT_27,
            "The header that names a new backing file is not flushed before that is used."),
    DATA_FILE_NOT_FLUSHED(Scene.DATA_FILE, Base.LATE, DataFileClause.QC_DATA_14, "The data file is never flushed."),
    TABLE_SWITCHED_BEFORE_FLUSH(
            Scene.GROWTH, Base.EAGER, MaintenanceClause.QC_MNT_05, "The header names a new table that is not flushed."),
    TABLE_FREED_BEFORE_SETTLED(
            Scene.GROWTH,
            Base.EAGER,
            RefcountClause.QC_REF_14,
            "The old table is given back before the header without it is flushed."),
    BLOCK_LINKED_BEFORE_FLUSH(
            Scene.GROWTH,
            Base.EAGER,
            RefcountClause.QC_REF_13,
            "No flush comes before what is not in the header, such as the entry of a new block."),
    WIDTH_IN_A_SECOND_WRITE(
            Scene.GROWTH,
            Base.LATE,
            MaintenanceClause.QC_MNT_19,
            "The header gets a new refcount table and its width in two writes."),
    WIDTH_NOT_COUNTED(
            Scene.GROWTH,
            Base.EAGER,
            MaintenanceClause.QC_MNT_19,
            "After a change of the width the new refcount table is not counted."),
    L1_TABLE_NOT_COUNTED(Scene.GROWTH, Base.EAGER, MaintenanceClause.QC_MNT_05, "A longer L1 table is not counted.");

    /** What is done to the images, and how they are looked at. */
    public enum Scene {
        /** Bitmaps of all kinds in one image. */
        BITMAPS,
        /** An image with a bitmap, and a program that may know none. */
        FOREIGN,
        /** An overlay that is committed and rebased. */
        CHAIN,
        /** An image with an external data file. */
        DATA_FILE,
        /** An image whose tables are replaced. */
        GROWTH
    }

    /** The right implementation that is made wrong. */
    enum Base {
        /** The reference, which stores at once. */
        EAGER,
        /** The optimized one, which stores late. */
        LATE,
        /** The small one, which knows no bitmaps. */
        SMALL
    }

    private final Scene scene;
    private final Base base;
    private final Clause clause;
    private final String story;

    StructureFault(Scene scene, Base base, Clause clause, String story) {
        this.scene = scene;
        this.base = base;
        this.clause = clause;
        this.story = story;
    }

    /**
     * Returns where it shows itself.
     *
     * @return a scene
     */
    public Scene scene() {
        return scene;
    }

    Base base() {
        return base;
    }

    /**
     * Returns the rule that is broken.
     *
     * @return a clause
     */
    public Clause clause() {
        return clause;
    }

    /**
     * Tells what goes wrong.
     *
     * @return a sentence
     */
    public String story() {
        return story;
    }
}
