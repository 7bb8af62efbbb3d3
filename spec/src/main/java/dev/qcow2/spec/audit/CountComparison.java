package dev.qcow2.spec.audit;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.audit.ReferenceCounts.Chunk;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.layout.RefcountLayout;
import org.jspecify.annotations.Nullable;

/** Compares the counts that the image stores with the references that were found. */
final class CountComparison {

    private final Findings findings;
    private final ImageFacts facts;
    private final StoredCounts stored;
    private final Tally tally;
    private final ReferenceCounts counts;
    private final long fileClusters;
    private long clusters;
    private long imageEnd;

    CountComparison(Work work) {
        this.findings = work.findings();
        this.facts = work.facts();
        this.stored = work.stored();
        this.tally = work.tally();
        this.counts = tally.counts();
        long size = work.reader().fileSize();
        this.fileClusters = (size >>> facts.clusterBits()) + ((size & (facts.clusterSize() - 1)) == 0 ? 0 : 1);
    }

    /** Returns the host offset behind the last cluster in use. */
    long imageEnd() {
        return imageEnd << facts.clusterBits();
    }

    /** Counts the refcount blocks; everything else must have been counted before (QC-REF-10). */
    void addBlocks() throws LimitReachedException {
        for (int index = 0; index < stored.entryCount(); index++) {
            addBlock(index, stored.entry(index));
        }
    }

    private void addBlock(int index, long entry) throws LimitReachedException {
        long offset = RefcountLayout.BLOCK_OFFSET.inPlace(entry);
        long at = facts.refcountTable().hostOffset() + 8L * index;
        if (RefcountLayout.TABLE_RESERVED.isSet(entry)) {
            corrupt(at, RefcountClause.QC_REF_05, "reserved bits", entry);
        } else if (facts.misaligned(offset)) {
            corrupt(at, RefcountClause.QC_REF_04, "misaligned block", entry);
        } else if (offset >>> facts.clusterBits() >= Math.max(fileClusters, counts.end())) {
            corrupt(at, RefcountClause.QC_REF_04, "block past the end of the file", entry);
        } else if (offset != 0) {
            tally.add(offset, facts.clusterSize(), 1, ReferenceCounts.REFCOUNT_BLOCK, -1);
            if (counts.get(offset >>> facts.clusterBits()) != 1) {
                corrupt(at, RefcountClause.QC_REF_16, "something else refers to the block's cluster", entry);
            }
        }
    }

    private void corrupt(long at, RefcountClause clause, String message, long entry) {
        findings.add(
                Kind.CORRUPTION,
                1,
                at,
                -1,
                clause,
                () -> message + ": refcount table entry 0x" + Long.toHexString(entry));
    }

    /** Compares every cluster of the file, and those past it that something refers to (QC-REF-03). */
    void compare() throws DiskException, LimitReachedException {
        clusters = Math.max(fileClusters, counts.end());
        int pieces = stored.piecesPerBlock();
        for (int block = 0; block < stored.entryCount(); block++) {
            boolean empty = stored.entry(block) == 0;
            for (long piece = (long) block * pieces; !empty && piece < (block + 1L) * pieces; piece++) {
                if (piece << stored.pieceClusterBits() >= clusters) {
                    break;
                }
                comparePiece(piece);
            }
        }
        // What no block covers has the count 0 (QC-REF-06).
        counts.forEach(chunk -> {
            if (!chunk.compared) {
                compareChunk(chunk, chunk.key, null);
            }
        });
    }

    private void comparePiece(long index) throws DiskException, LimitReachedException {
        StoredCounts.Piece piece = stored.piece(index);
        int chunkBits = counts.chunkBits();
        long first = index << (stored.pieceClusterBits() - chunkBits);
        int chunks = 1 << (stored.pieceClusterBits() - chunkBits);
        for (long key = first; key < first + chunks; key++) {
            Chunk chunk = counts.find(key);
            if (!piece.known) {
                // The table entry is a corruption already; nothing can be said of the counts behind it.
                skip(chunk);
            } else if (chunk != null || piece.bytes != null) {
                compareChunk(chunk, key, piece.bytes);
            }
        }
    }

    private static void skip(@Nullable Chunk chunk) {
        if (chunk != null) {
            chunk.compared = true;
        }
    }

    private void compareChunk(@Nullable Chunk chunk, long key, byte @Nullable [] bytes) {
        int chunkBits = counts.chunkBits();
        long first = key << chunkBits;
        int size = (int) Math.min(1L << chunkBits, clusters - first);
        int base = (int) first & ((1 << stored.pieceClusterBits()) - 1);
        skip(chunk);
        for (int at = 0; at < size; at++) {
            int count = bytes == null ? 0 : stored.count(bytes, base + at);
            int references = chunk == null ? 0 : chunk.counts[at];
            if (count != references) {
                differ(first + at, count, references);
            }
            if (chunk != null && chunk.overlaps(at)) {
                overlap(first + at);
            }
            if ((count | references) != 0) {
                imageEnd = Math.max(imageEnd, first + at + 1);
            }
        }
    }

    private void differ(long cluster, int count, int references) {
        findings.add(
                count < references ? Kind.CORRUPTION : Kind.LEAK,
                1,
                cluster << facts.clusterBits(),
                -1,
                RefcountClause.QC_REF_03,
                () -> "cluster " + cluster + " has count " + count + " and " + references + " references");
    }

    private void overlap(long cluster) {
        findings.add(
                Kind.BREACH,
                1,
                cluster << facts.clusterBits(),
                -1,
                RefcountClause.QC_REF_16,
                () -> "cluster " + cluster + " is used for two things");
    }
}
