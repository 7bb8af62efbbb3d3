package dev.qcow2.reference;

import dev.qcow2.reference.Plan.Section;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.DataFileException;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.DataFilePolicy;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An external data file: it has the guest clusters, each at its guest offset, and the image has all else. What is in it is
 * not counted (QC-DATA-03), so nothing is allocated there and nothing is shared.
 *
 * @param file open with the image's own access
 * @param raw whether it holds at all times what the guest reads (QC-DATA-09)
 */
record DataFile(HostFile file, boolean raw) {

    private static final int HIGHEST_NAME_LENGTH = 1023;
    private static final int PIECE_BYTES = 1 << 16;
    private static final int MOST_ZEROED = 1 << 30;

    /** Opens the data file that an image needs, if it needs one and the caller permits it. */
    static Optional<DataFile> open(
            HostDirectory directory, String fileName, Image image, OpenOptions options, Set<Object> chain)
            throws DiskException {
        // QC-DATA-12: without the bit a name means nothing.
        if (!image.hasDataFile()) {
            return Optional.empty();
        }
        List<HeaderExtension> extensions = HeaderExtension.list(image.file(), image.header());
        Optional<HeaderExtension> extension = HeaderExtension.find(fileName, extensions, HeaderExtension.DATA_FILE);
        if (extension.isEmpty()) {
            throw refused(fileName, DataFileClause.QC_DATA_07, "", "the image does not name it");
        }
        int length = extension.get().length();
        if (length == 0 || length > HIGHEST_NAME_LENGTH) {
            long at = extension.get().dataOffset() - 4;
            throw new MalformedImageException(fileName, LimitClause.QC_LIM_14, at, length + " bytes", "1 to 1023");
        }
        String name = HeaderExtension.text(extension.get().data(image.file()));
        if (options.dataFile() == DataFilePolicy.REFUSE) {
            throw refused(fileName, DataFileClause.QC_DATA_08, name, "the caller's policy forbids to open it");
        }
        boolean raw = (image.header().autoclear() & FeatureBits.RAW_DATA) != 0;
        String target = directory.resolve(fileName, name);
        try {
            // QC-DATA-13: a write there would destroy the image, or what another file of the chain shows.
            if (!chain.add(directory.identity(target))) {
                throw refused(fileName, DataFileClause.QC_DATA_13, name, "it is in use already");
            }
            return Optional.of(new DataFile(directory.open(target, options.access()), raw));
        } catch (HostIoException e) {
            DiskException refusal = refused(fileName, DataFileClause.QC_DATA_07, name, String.valueOf(e.getMessage()));
            refusal.initCause(e);
            throw refusal;
        }
    }

    /** Makes the data file of a new image, as long as the disk (QC-DATA-11). */
    static void create(HostDirectory directory, String fileName, String name, long size) throws DiskException {
        String target = directory.resolve(fileName, name);
        try (HostFile file = directory.create(target)) {
            file.truncate(size);
            file.flush();
        }
    }

    /** QC-DATA-06: internal snapshots would share clusters that nobody counts. */
    static void requireNone(Image image, String request) throws DiskException {
        if (image.hasDataFile()) {
            throw new RequestRefusedException(
                    image.file().name(), DataFileClause.QC_DATA_06, request + " with a data file");
        }
    }

    /** Refuses an entry that names any other place than the cluster's own. */
    static void requireInPlace(Image image, Mapping mapping) throws DiskException {
        long guestOffset = image.geometry().guestOffset(mapping.guest());
        if (image.hasDataFile() && mapping.l2().hasHostCluster() && mapping.l2().hostOffset() != guestOffset) {
            throw image.corrupt(
                    DataFileClause.QC_DATA_02,
                    mapping.l2At(),
                    mapping.l2().hostOffset(),
                    "0x" + Long.toHexString(guestOffset));
        }
    }

    /** COPY: makes a raw data file zero where the guest is to read zeros, before the entry says so (QC-DATA-09). */
    static void planZeros(Image image, Plan.Builder plan, GuestCluster guest, int offsetInCluster, int length) {
        if (image.dataFile().map(DataFile::raw).orElse(false)) {
            long at = image.geometry().guestOffset(guest) + offsetInCluster;
            plan.add(Section.COPY, DataFileClause.QC_DATA_09, new ZeroData(at, length));
        }
    }

    /** COPY: makes bytes of the data file zero that nobody vouches for, as far as it has any there. */
    static void planClean(Image image, Plan.Builder plan, long from, long to) throws DiskException {
        long end = Math.min(to, image.dataFile().orElseThrow().file().size());
        for (long at = from; at < end; at += MOST_ZEROED) {
            plan.add(Section.COPY, DataFileClause.QC_DATA_09, new ZeroData(at, (int) Math.min(MOST_ZEROED, end - at)));
        }
    }

    /** Makes the data file as long as the disk (QC-DATA-11). */
    static void planLength(Plan.Builder plan, Section section, long length) {
        plan.add(section, DataFileClause.QC_DATA_11, new SetLength(length));
    }

    /** RELEASE: gives the space of a cluster back to the host, after the entry is gone from the disk. */
    static void planPunch(Image image, Plan.Builder plan, Mapping mapping) {
        if (mapping.l2().hasHostCluster()) {
            plan.flush(Section.RELEASE, DataFileClause.QC_DATA_14);
            long at = image.geometry().guestOffset(mapping.guest());
            int length = image.geometry().lengthOf(mapping.guest());
            plan.add(Section.RELEASE, DataFileClause.QC_DATA_10, new PunchData(at, length));
        }
    }

    /** Makes bytes of the data file zero. */
    private record ZeroData(long hostOffset, int length) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            HostFile file = bench.image().dataFile().orElseThrow().file();
            if (file.zero(hostOffset, length)) {
                return;
            }
            for (int done = 0; done < length; done += PIECE_BYTES) {
                file.write(hostOffset + done, ByteBuffer.allocate(Math.min(PIECE_BYTES, length - done)));
            }
        }

        @Override
        public String toString() {
            return "zero " + length + " bytes of the data file at " + hostOffset;
        }
    }

    /** Cuts the data file off, or makes it longer by zeros. */
    private record SetLength(long length) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            bench.image().dataFile().orElseThrow().file().truncate(length);
        }

        @Override
        public String toString() {
            return "make the data file " + length + " bytes long";
        }
    }

    /** Gives bytes of the data file back to the host; a host that can't do it keeps the space. */
    private record PunchData(long hostOffset, int length) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            HostFile file = bench.image().dataFile().orElseThrow().file();
            if (hostOffset < file.size()) {
                boolean unused = file.punchHole(hostOffset, length);
            }
        }

        @Override
        public String toString() {
            return "punch a hole of " + length + " bytes into the data file at " + hostOffset;
        }
    }

    private static DataFileException refused(String fileName, Clause clause, String name, String reason) {
        return new DataFileException(fileName, clause, name, reason);
    }
}
