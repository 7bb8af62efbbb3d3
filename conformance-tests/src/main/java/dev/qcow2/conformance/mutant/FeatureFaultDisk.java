package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.ForwardingDisk;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Errs in one place: in a request, or in what stands in the tables when the disk is closed. */
final class FeatureFaultDisk extends ForwardingDisk {

    private final Optional<FeatureFault> fault;
    private final HostDirectory directory;
    private final String fileName;
    private final Set<Long> compressed = new HashSet<>();
    private byte[] cut = new byte[0];

    FeatureFaultDisk(VirtualDisk right, Optional<FeatureFault> fault, HostDirectory directory, String fileName) {
        super(right);
        this.fault = fault;
        this.directory = directory;
        this.fileName = fileName;
    }

    private boolean has(FeatureFault one) {
        return fault.equals(Optional.of(one));
    }

    @Override
    public void read(long guestOffset, ByteBuffer into) throws DiskException {
        int start = into.position();
        target().read(guestOffset, into);
        if (has(FeatureFault.DATA_FILE_OFFSET_0_UNALLOCATED)) {
            for (int at = start; at < into.position() && guestOffset + at - start < FeatureJudge.CLUSTER; at++) {
                into.put(at, (byte) 0);
            }
        }
    }

    @Override
    public void write(long guestOffset, ByteBuffer from) throws DiskException {
        if (has(FeatureFault.COMPRESSED_PARTIAL_WRITE_LOSES_REST)
                && compressed.remove(guestOffset / FeatureJudge.CLUSTER)) {
            zeroAround(guestOffset, from.remaining(), FeatureJudge.CLUSTER);
        }
        if (has(FeatureFault.SUBCLUSTER_NOT_COPIED_UP)) {
            zeroAround(guestOffset, from.remaining(), FeatureJudge.CLUSTER / 32);
        }
        boolean ragged = guestOffset % FeatureJudge.CLUSTER != 0 || from.remaining() % FeatureJudge.CLUSTER != 0;
        boolean unseen = has(FeatureFault.BITMAP_NOT_FOLLOWED) || (has(FeatureFault.BITMAP_ROUNDED_INWARDS) && ragged);
        enable(!unseen);
        target().write(guestOffset, from);
        enable(true);
    }

    /** Zeros the blocks that a write touches, as a copy does that forgot what was there. */
    private void zeroAround(long guestOffset, int length, int block) throws DiskException {
        long start = guestOffset / block * block;
        long end = Math.min(target().size(), (guestOffset + length + block - 1) / block * block);
        target().write(start, ByteBuffer.allocate((int) (end - start)));
    }

    private void enable(boolean enabled) throws DiskException {
        if (fault.isPresent() && fault.get().form() == FeatureFault.Form.BITMAPS) {
            for (Bitmaps.BitmapInfo info : target().bitmaps().list()) {
                target().bitmaps().setEnabled(info.name(), enabled);
            }
        }
    }

    @Override
    public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws DiskException {
        if (has(FeatureFault.SUBCLUSTER_ZERO_TAKES_ALL)) {
            long start = guestOffset / FeatureJudge.CLUSTER * FeatureJudge.CLUSTER;
            target().writeZeroes(start, FeatureJudge.CLUSTER, mode);
            return;
        }
        if (!has(FeatureFault.DATA_FILE_NOT_ZEROED)) {
            target().writeZeroes(guestOffset, length, mode);
            return;
        }
        ByteBuffer old = ByteBuffer.allocate((int) length);
        target().read(guestOffset, old);
        target().writeZeroes(guestOffset, length, mode);
        try (HostFile data = directory.open(FeatureJudge.DATA, Access.READ_WRITE)) {
            data.write(guestOffset, old.flip());
        }
    }

    @Override
    public void discard(long guestOffset, long length) throws DiskException {
        enable(!has(FeatureFault.BITMAP_FORGETS_DISCARD));
        target().discard(guestOffset, length);
        enable(true);
    }

    @Override
    public void writeCompressed(long guestOffset, ByteBuffer from) throws DiskException {
        long end = guestOffset + from.remaining();
        for (long at = guestOffset; at < end; at += FeatureJudge.CLUSTER) {
            compressed.add(at / FeatureJudge.CLUSTER);
        }
        target().writeCompressed(guestOffset, from);
    }

    @Override
    public void resize(long newSize, Preallocation preallocation) throws DiskException {
        long old = target().size();
        if (has(FeatureFault.REGROWTH_SHOWS_OLD_BYTES) && newSize < old) {
            cut = new byte[(int) (old - newSize)];
            target().read(newSize, ByteBuffer.wrap(cut));
        }
        target().resize(newSize, preallocation);
        if (newSize > old && cut.length > 0) {
            target().write(old, ByteBuffer.wrap(cut, 0, (int) Math.min(cut.length, newSize - old)));
        }
    }

    @Override
    public void applySnapshot(String id) throws DiskException {
        target().applySnapshot(id);
        if (has(FeatureFault.VM_STATE_LOST_ON_APPLY)) {
            target().writeVmState(0, ByteBuffer.allocate(FeatureJudge.CLUSTER));
        }
    }

    @Override
    public void close() throws DiskException {
        target().close();
        if (fault.isPresent()) {
            try (HostFile file = directory.open(fileName, Access.READ_WRITE)) {
                StoredFaults.commit(fault.get(), file);
            }
        }
    }
}
