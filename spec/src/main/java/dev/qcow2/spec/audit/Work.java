package dev.qcow2.spec.audit;

import dev.qcow2.spec.disk.DiskException;

/** What the parts of one audit share. */
final class Work {

    private static final int LARGEST_WINDOW = 1 << 16;
    private static final int CHUNK_BITS = 8;

    private final MetadataReader reader;
    private final Findings findings;
    private final ImageFacts facts;
    private final StoredCounts stored;
    private final Tally tally;
    private final byte[] window;
    private final long memory;

    Work(MetadataReader reader, Findings findings, ImageFacts facts, long memory)
            throws DiskException, LimitReachedException {
        this.reader = reader;
        this.findings = findings;
        this.facts = facts;
        this.memory = memory;
        this.window = new byte[(int) Math.min(LARGEST_WINDOW, facts.clusterSize())];
        this.stored = new StoredCounts(reader, facts, memory);
        stored.readTable(facts.refcountTable(), window);
        // A chunk lies in one piece of a refcount block, so that the two can be compared side by side.
        int chunkBits = Math.min(CHUNK_BITS, stored.pieceClusterBits());
        ReferenceCounts counts = new ReferenceCounts(chunkBits, facts.highestCount(), memory);
        this.tally = new Tally(counts, findings, facts, reader.fileSize());
    }

    MetadataReader reader() {
        return reader;
    }

    Findings findings() {
        return findings;
    }

    ImageFacts facts() {
        return facts;
    }

    StoredCounts stored() {
        return stored;
    }

    Tally tally() {
        return tally;
    }

    /** Returns a buffer for one piece of a table; whoever walks a table may use it, one at a time. */
    byte[] window() {
        return window;
    }

    /** Returns how many bytes each of the collections may take. */
    long memory() {
        return memory;
    }
}
