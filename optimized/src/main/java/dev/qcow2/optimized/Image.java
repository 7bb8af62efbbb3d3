package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskClosedException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * An open image: its file, its tables in memory, and the lock that guards them. The lock is held for look-ups and table
 * changes only, never while guest data moves.
 */
final class Image implements Layer {

    private final HostFile host;
    private final ImageHeader header;
    private final OptimizedOptions options;
    private final @Nullable Layer backing;
    private final GuestData guestData;
    private final @Nullable DataFile dataFile;
    private final ReentrantLock metadata = new ReentrantLock();
    private final HostSpace space;
    private final GrowthAhead ahead;
    private final RefcountStore refcounts;
    private final ClusterAllocator allocator;
    private final MappingTables mapping;
    private final SubclusterMap subclusters;
    private final CompressedReader compressed;
    private final PackSpace packSpace;
    private final CopyBuffers buffers = new CopyBuffers();
    private final InFlightRequests requests;
    private final Checkpoint checkpoint;
    private final LazyRefcounts lazyRefcounts;
    private final HeaderMarks marks;
    private final ImageHealth health;
    private @Nullable TrackedBitmaps bitmaps;
    private volatile long size;
    private volatile boolean closed;
    private volatile boolean checkpointDue;

    Image(
            HostFile host,
            @Nullable HostFile data,
            ImageHeader header,
            @Nullable Layer backing,
            @Nullable SectorCrypto crypto,
            OptimizedOptions options,
            CacheBudget budget,
            @Nullable ChangeTeller teller)
            throws DiskException {
        this.host = host;
        this.header = header;
        this.backing = backing;
        this.size = header.size();
        this.guestData = new GuestData(data == null ? host : data, crypto);
        this.dataFile = data == null ? null : new DataFile(data, header.rawDataFile());
        this.options = options;
        this.space = new HostSpace(header.clusterBits(), host.size());
        StructureMap structures = new StructureMap(host, header);
        this.refcounts = new RefcountStore(host, space, structures, header, budget.refcountBytes(), teller);
        this.ahead = new GrowthAhead(host, space, header.clusterBits(), options.growAhead());
        this.allocator = new ClusterAllocator(host, refcounts, structures, space, ahead);
        this.mapping = new MappingTables(host, space, structures, header, budget.l2Bytes(), teller);
        this.subclusters = new SubclusterMap(this);
        this.compressed = new CompressedReader(host, header, options);
        this.packSpace = new PackSpace(refcounts, allocator, header.clusterBits());
        this.requests = new InFlightRequests(metadata);
        this.checkpoint = new Checkpoint(this);
        this.lazyRefcounts = new LazyRefcounts(header, options);
        this.marks = new HeaderMarks(host, header);
        this.health = new ImageHealth(this);
    }

    HostFile host() {
        return host;
    }

    /** Where the guest's clusters are, apart from compressed ones. */
    GuestData guestData() {
        return guestData;
    }

    /** The file that holds the guest's clusters, apart from compressed ones. */
    HostFile data() {
        return dataFile == null ? host : dataFile.host();
    }

    /** Where machine state begins: at the first guest cluster of an L1 entry that maps no part of the disk (QC-SNAP-11). */
    long vmStateStart() {
        return (header.l1EntriesFor(size) * mapping.leftInTable(0)) << clusterBits();
    }

    @Nullable
    DataFile dataFile() {
        return dataFile;
    }

    ImageHeader header() {
        return header;
    }

    OptimizedOptions options() {
        return options;
    }

    @Nullable
    Layer backing() {
        return backing;
    }

    ReentrantLock metadata() {
        return metadata;
    }

    HostSpace space() {
        return space;
    }

    GrowthAhead ahead() {
        return ahead;
    }

    RefcountStore refcounts() {
        return refcounts;
    }

    ClusterAllocator allocator() {
        return allocator;
    }

    MappingTables mapping() {
        return mapping;
    }

    SubclusterMap subclusters() {
        return subclusters;
    }

    CompressedReader compressed() {
        return compressed;
    }

    PackSpace packSpace() {
        return packSpace;
    }

    CopyBuffers buffers() {
        return buffers;
    }

    InFlightRequests requests() {
        return requests;
    }

    Checkpoint checkpoint() {
        return checkpoint;
    }

    LazyRefcounts lazyRefcounts() {
        return lazyRefcounts;
    }

    HeaderMarks marks() {
        return marks;
    }

    ImageHealth health() {
        return health;
    }

    int clusterBits() {
        return header.clusterBits();
    }

    long clusterSize() {
        return 1L << header.clusterBits();
    }

    @Override
    public long size() {
        return size;
    }

    /** Changes the length of the disk; no request is under way. */
    void setSize(long bytes) {
        size = bytes;
    }

    /** Refuses what is neither in the disk nor in the area of machine state. */
    void requireContent(long offset, long length) throws DiskException {
        // The disk was asked for whether the guest may go there; here it is for a resize in between only.
        if (offset < vmStateStart()) {
            requireInside(offset, length);
        }
    }

    /** Refuses what is outside the disk (QC-GUEST-02); written so that no sum can overflow. */
    void requireInside(long offset, long length) throws DiskException {
        long bytes = size;
        if (offset < 0 || length < 0 || offset > bytes || length > bytes - offset) {
            throw new OutOfBoundsException(offset, length, bytes);
        }
    }

    void requireOpen() throws DiskException {
        if (closed) {
            throw new DiskClosedException(host.name());
        }
    }

    /** Makes bitmaps follow what changes; before the image is used. */
    void track(TrackedBitmaps tracked) {
        bitmaps = tracked;
    }

    /** Notes in the bitmaps that a range is about to change, which a request has claimed. */
    void mark(long offset, long length) throws DiskException {
        // Bitmaps are about the disk, not about machine state behind it.
        if (bitmaps != null && offset < size) {
            bitmaps.mark(offset, length);
        }
    }

    boolean isOpen() {
        return !closed;
    }

    /** Waits until no other request is under way, and lets none begin. */
    Request claimAll() {
        metadata.lock();
        try {
            return requests.claimAll();
        } finally {
            metadata.unlock();
        }
    }

    /** Notes, under the metadata lock, whether the caches want to be written. */
    void noteChange() {
        checkpointDue = checkpoint.isDue();
    }

    /** Runs a checkpoint if the caches want it; no lock is held. */
    void relieve() throws DiskException {
        if (checkpointDue) {
            checkpointDue = false;
            checkpoint.runLazily();
        }
    }

    /** Ends a change: without the metadata cache, everything goes to the file at once, and memory is emptied. */
    void finishChange() throws DiskException {
        if (!options.metadataCache()) {
            checkpoint.runLazily();
            checkpoint.forgetTables();
        }
    }

    /** Gets the L2 slice of a guest cluster into memory; the metadata lock is held. */
    void warm(long guestCluster) throws DiskException {
        mapping.warm(guestCluster, metadata);
    }

    /** Claims a range for reading. */
    Request beginRead(long first, long end) throws DiskException {
        boolean alone = !options.concurrentRequests();
        long claimFirst = alone ? 0 : guestData.claimFirst(first);
        long claimEnd = alone ? Long.MAX_VALUE : guestData.claimEnd(end);
        metadata.lock();
        try {
            requests.awaitFree(claimFirst, claimEnd, alone);
            requireOpen();
            requireContent(first, end - first);
            return requests.claim(claimFirst, claimEnd, alone);
        } finally {
            metadata.unlock();
        }
    }

    /** Finds out how the disk is mapped from an offset on. */
    void locate(long offset, long atMost, Run run) throws DiskException {
        long limit = options.runReads() ? atMost : Math.min(atMost, clusterSize() - (offset & (clusterSize() - 1)));
        metadata.lock();
        try {
            warm(offset >>> clusterBits());
            if (mapping.extended()) {
                subclusters.locate(offset, limit, run);
            } else {
                mapping.locate(offset, limit, run);
            }
        } finally {
            metadata.unlock();
        }
    }

    @Override
    public void read(long offset, ByteBuffer into) throws DiskException {
        long end = offset + into.remaining();
        int limit = into.limit();
        Request request = beginRead(offset, end);
        try {
            for (long at = offset; at < end; at += request.run.length) {
                locate(at, end - at, request.run);
                into.limit(into.position() + (int) request.run.length);
                readRun(at, request.run, into);
            }
        } finally {
            into.limit(limit);
            requests.leave(request);
        }
        if (!options.metadataCache()) {
            checkpoint.forgetTables();
        }
    }

    private void readRun(long offset, Run run, ByteBuffer into) throws DiskException {
        switch (run.kind) {
            case NORMAL -> guestData.read(run.hostOffset, offset, into);
            case ZERO_PLAIN, ZERO_ALLOCATED -> Zeros.fill(into, into.remaining());
            case UNALLOCATED -> readBelow(offset, into);
            case COMPRESSED -> readCompressed(run.hostOffset, offset, into);
        }
    }

    /** Reads from the compressed cluster of an entry. */
    void readCompressed(long entry, long guestOffset, ByteBuffer into) throws DiskException {
        compressed.read(entry, (int) (guestOffset & (clusterSize() - 1)), into);
    }

    /** Reads what shows through where this image has nothing (QC-L2-10). */
    void readBelow(long offset, ByteBuffer into) throws DiskException {
        // QC-BACK-02: machine state lies behind the disk's end, where nothing shows through.
        if (backing == null || offset >= size) {
            Zeros.fill(into, into.remaining());
        } else {
            Layer.readPadded(backing, offset, into);
        }
    }

    @Override
    public boolean readsAsZero(long offset, long length, Run scratch) throws DiskException {
        long end = offset + length;
        for (long at = offset; at < end; ) {
            locate(at, end - at, scratch);
            // The layer below uses the scratch again.
            long step = scratch.length;
            boolean zero =
                    switch (scratch.kind) {
                        case NORMAL, COMPRESSED -> false;
                        case ZERO_PLAIN, ZERO_ALLOCATED -> true;
                        case UNALLOCATED -> backing == null || Layer.readsAsZeroPadded(backing, at, step, scratch);
                    };
            if (!zero) {
                return false;
            }
            at += step;
        }
        return true;
    }

    @Override
    public void status(long offset, long length, int depth, StatusCollector into) throws DiskException {
        into.add(this, offset, length, depth);
    }

    @Override
    public void map(long offset, long length, int depth, MapCollector into) throws DiskException {
        into.add(this, offset, length, depth);
    }

    void flush() throws DiskException {
        requireOpen();
        checkpoint.runLazily();
    }

    /** Refuses every request that begins from now on; the metadata lock is held. */
    boolean markClosed() {
        boolean first = !closed;
        closed = true;
        return first;
    }

    @Override
    public void close() throws DiskException {
        compressed.close();
        HostFile data = data();
        // Without a data file this is the image's own file, which may be closed twice.
        try (host;
                data) {
            if (backing != null) {
                backing.close();
            }
        }
    }
}
