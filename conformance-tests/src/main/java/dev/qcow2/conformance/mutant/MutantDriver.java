package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.clause.BackingClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OpenOptions.BackingPolicy;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A third implementation, small and with a switch for each way to be wrong. Without a fault it is
 * right, and the campaign must find nothing in it; with one, the campaign must find it.
 */
public final class MutantDriver implements DiskDriver {

    private static final int HEADER_LENGTH = 104;

    private final Set<Fault> faults;

    /** Makes the implementation that is right. */
    public MutantDriver() {
        this(new Fault[0]);
    }

    MutantDriver(Fault... faults) {
        this.faults = Set.of(faults);
    }

    @Override
    public String name() {
        return faults.isEmpty() ? "mutant without fault" : "mutant " + faults;
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        long cluster = 1L << options.clusterBits();
        long perL1Entry = cluster * (cluster / 8);
        long l1Size = options.size() / perL1Entry + (options.size() % perL1Entry == 0 ? 0 : 1);
        if (l1Size > 1 << 22) {
            throw new UnsupportedFeatureException(fileName, LimitClause.QC_LIM_02, "disks of that size");
        }
        long l1Clusters = (l1Size * 8 + cluster - 1) / cluster;
        long perBlock = (cluster * 8) >> options.refcountOrder();
        long blocks = 1;
        long tableClusters = 1;
        long total = 0;
        while (total != 1 + tableClusters + blocks + l1Clusters) {
            total = 1 + tableClusters + blocks + l1Clusters;
            blocks = (total + perBlock - 1) / perBlock;
            tableClusters = (blocks * 8 + cluster - 1) / cluster;
        }
        try (HostFile host = directory.create(fileName)) {
            MutantFile file = new MutantFile(host);
            long l1Offset = l1Size == 0 ? 0 : (1 + tableClusters + blocks) * cluster;
            host.truncate(total * cluster);
            for (long i = 0; i < blocks; i++) {
                file.putNumber(cluster + i * 8, (1 + tableClusters + i) * cluster);
            }
            file.put((1 + tableClusters) * cluster, ones(total, options.refcountOrder()));
            file.put(0, header(options, l1Size, l1Offset, tableClusters));
            file.flush();
        }
    }

    /** QC-REF-08: counts of one for the first clusters of a file, as they lie one after the other in the blocks. */
    private static byte[] ones(long clusters, int order) {
        byte[] counts = new byte[Math.toIntExact((clusters << order) / 8 + 8)];
        for (long i = 0; i < clusters; i++) {
            long bit = i << order;
            int last = (int) (bit / 8) + Math.max(0, (1 << order) / 8 - 1);
            counts[last] |= (byte) (1 << bit % 8);
        }
        return Arrays.copyOf(counts, Math.toIntExact(((clusters << order) + 7) / 8));
    }

    private static byte[] header(CreateOptions options, long l1Size, long l1Offset, long tableClusters)
            throws DiskException {
        int length = options.version() == 3 ? HEADER_LENGTH : 72;
        ByteBuffer out = ByteBuffer.allocate(1 << options.clusterBits());
        out.position(length);
        byte[] name = options.backing()
                .map(b -> b.name().getBytes(StandardCharsets.UTF_8))
                .orElse(new byte[0]);
        if (options.backing().isPresent() && options.backing().get().format().isPresent()) {
            byte[] format = options.backing().get().format().get().formatName().getBytes(StandardCharsets.US_ASCII);
            out.putInt(MutantHeader.BACKING_FORMAT).putInt(format.length).put(format);
            out.position((out.position() + 7) / 8 * 8);
        }
        out.putLong(0);
        int namePlace = name.length == 0 ? 0 : out.position();
        if (name.length > 1023 || name.length > out.remaining()) {
            throw new UnsupportedFeatureException("new image", HeaderClause.QC_HDR_05, "backing names of that length");
        }
        out.put(name).position(0);
        out.putInt(MutantHeader.MAGIC)
                .putInt(options.version())
                .putLong(namePlace)
                .putInt(name.length);
        out.putInt(options.clusterBits())
                .putLong(options.size())
                .putInt(0)
                .putInt((int) l1Size)
                .putLong(l1Offset);
        out.putLong(1L << options.clusterBits()).putInt((int) tableClusters);
        if (options.version() == 3) {
            out.putInt(96, options.refcountOrder()).putInt(100, HEADER_LENGTH);
        }
        return out.array();
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        return open(directory, fileName, options, new ArrayList<>()).disk;
    }

    /** What opening yields: the whole disk for the user, its data for an overlay. */
    private record Opened(MutantDisk disk, MutantGuest guest) {}

    private Opened open(HostDirectory directory, String fileName, OpenOptions options, List<Object> above)
            throws DiskException {
        HostFile host = directory.open(fileName, options.access());
        try {
            MutantFile file = new MutantFile(host);
            MutantHeader header = MutantHeader.read(fileName, file, faults);
            above.add(directory.identity(fileName));
            refuseBrokenForWriting(fileName, file, header, options);
            Optional<Lower> backing = header.backingName.isPresent()
                    ? Optional.of(openBacking(directory, fileName, header, options, above))
                    : Optional.empty();
            rewriteHeader(file, header, options);
            MutantRefcounts counts = new MutantRefcounts(file, header, faults);
            MutantTables tables = new MutantTables(file, header, counts, faults);
            MutantGuest guest = new MutantGuest(file, header, tables, counts, backing, faults);
            MutantSnapshots snapshots = new MutantSnapshots(file, header, tables, counts, faults);
            return new Opened(new MutantDisk(fileName, guest, snapshots, options.writable(), faults), guest);
        } catch (DiskException e) {
            host.close();
            throw e;
        }
    }

    private void refuseBrokenForWriting(String name, MutantFile file, MutantHeader header, OpenOptions options)
            throws DiskException {
        long bits = header.version == 3 && options.writable() ? file.number(72) : 0;
        if ((bits & 3) != 0) {
            HeaderClause clause = (bits & 1) != 0 ? HeaderClause.QC_HDR_16 : HeaderClause.QC_HDR_17;
            throw new UnsupportedFeatureException(name, clause, "repair");
        }
    }

    private Lower openBacking(
            HostDirectory directory, String image, MutantHeader header, OpenOptions options, List<Object> above)
            throws DiskException {
        String name = header.backingName.orElseThrow();
        if (options.backing() == BackingPolicy.REFUSE) {
            throw new BackingException(image, BackingClause.QC_BACK_06, name, "not allowed");
        }
        // QC-BACK-03: a relative name starts at the image that holds it.
        String from = faults.contains(Fault.BACKING_RELATIVE_TO_PROCESS) ? "" : image;
        String target = directory.resolve(from, name);
        if (above.contains(directory.identity(target)) || above.size() >= 200) {
            throw new BackingException(image, BackingClause.QC_BACK_04, name, "a loop, or too many files");
        }
        HostFile host = directory.open(target, Access.READ_ONLY);
        boolean probe = header.backingFormat.isEmpty() || faults.contains(Fault.BACKING_FORMAT_IGNORED);
        String format = header.backingFormat.orElse("");
        if (probe) {
            format = new MutantFile(host).buffer(0, 4).getInt() == MutantHeader.MAGIC ? "qcow2" : "raw";
        }
        if (format.equals("raw")) {
            return Lower.raw(host);
        }
        host.close();
        if (!format.equals("qcow2")) {
            throw new BackingException(image, BackingClause.QC_BACK_05, name, "unknown format " + format);
        }
        OpenOptions below = OpenOptions.readOnly().followingBacking();
        return open(directory, target, below, above).guest;
    }

    /** QC-HDR-23: autoclear bits go before anything else is written; all other bytes stay as they are. */
    private void rewriteHeader(MutantFile file, MutantHeader header, OpenOptions options) throws DiskException {
        boolean write = options.writable() || faults.contains(Fault.AUTOCLEAR_CLEARED_READ_ONLY);
        if (header.autoclear == 0 || !write || faults.contains(Fault.AUTOCLEAR_NOT_CLEARED)) {
            return;
        }
        file.putNumber(88, 0);
        if (faults.contains(Fault.COMPATIBLE_BITS_LOST)) {
            file.putNumber(80, 0);
        }
        if (faults.contains(Fault.HEADER_EXTENSION_LOST)) {
            file.putNumber(header.headerLength, 0);
        }
        file.flush();
    }
}
