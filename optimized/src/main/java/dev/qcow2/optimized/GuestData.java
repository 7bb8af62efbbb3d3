package dev.qcow2.optimized;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The one door between guest bytes and the host clusters that hold them as they are or encrypted. Compressed clusters and
 * all metadata go past it (QC-CRY-03). Nothing here takes a lock: requests have claimed what they read and write.
 */
final class GuestData {

    private static final long SECTOR_MASK = SectorCipher.SECTOR - 1;

    private final HostFile file;
    private final @Nullable SectorCrypto crypto;

    GuestData(HostFile file, @Nullable SectorCrypto crypto) {
        this.file = file;
        this.crypto = crypto;
    }

    boolean encrypted() {
        return crypto != null;
    }

    /**
     * Where a request's claim must begin. It takes whole sectors of encrypted data: two small writes into one sector would
     * otherwise both encrypt it anew, each without the other's bytes.
     */
    long claimFirst(long guestOffset) {
        return crypto == null ? guestOffset : guestOffset & ~SECTOR_MASK;
    }

    /** Where a request's claim must end, likewise. */
    long claimEnd(long guestEnd) {
        return crypto == null ? guestEnd : (guestEnd + SECTOR_MASK) & ~SECTOR_MASK;
    }

    /** Reads guest bytes that lie together on the host; what lies behind the file's end counts as stored zeros. */
    void read(long hostOffset, long guestOffset, ByteBuffer into) throws DiskException {
        if (crypto == null) {
            file.readZeroPadded(hostOffset, into);
        } else {
            readEncrypted(crypto, hostOffset, guestOffset, into);
        }
    }

    /** Writes guest bytes that lie together on the host. */
    void write(long hostOffset, long guestOffset, ByteBuffer from) throws DiskException {
        if (crypto == null) {
            file.write(hostOffset, from);
        } else {
            writeEncrypted(crypto, hostOffset, guestOffset, from);
        }
    }

    /** Makes a range read as zero without writing; false if that can't be done. Zeros are no encrypted zeros. */
    boolean zero(long hostOffset, long length) throws DiskException {
        return crypto == null && file.zero(hostOffset, length);
    }

    private void readEncrypted(SectorCrypto key, long hostOffset, long guestOffset, ByteBuffer into)
            throws DiskException {
        SectorCrypto.Worker worker = key.take();
        try {
            for (long done = 0; into.hasRemaining(); ) {
                int before = (int) ((hostOffset + done) & SECTOR_MASK);
                int length = Math.min(into.remaining(), SectorCipher.MOST_BYTES - before);
                load(key, worker, hostOffset + done - before, guestOffset + done - before, 0, whole(before + length));
                into.put(worker.bytes, before, length);
                done += length;
            }
        } finally {
            key.giveBack(worker);
        }
    }

    private void writeEncrypted(SectorCrypto key, long hostOffset, long guestOffset, ByteBuffer from)
            throws DiskException {
        SectorCrypto.Worker worker = key.take();
        try {
            for (long done = 0; from.hasRemaining(); ) {
                int before = (int) ((hostOffset + done) & SECTOR_MASK);
                int length = Math.min(from.remaining(), SectorCipher.MOST_BYTES - before);
                writeRun(key, worker, hostOffset + done - before, guestOffset + done - before, before, length, from);
                done += length;
            }
        } finally {
            key.giveBack(worker);
        }
    }

    /** Encrypts and writes one run of sectors, whose bytes around the new ones stay as they are. */
    private void writeRun(
            SectorCrypto key,
            SectorCrypto.Worker worker,
            long host,
            long guest,
            int before,
            int length,
            ByteBuffer from)
            throws DiskException {
        int total = whole(before + length);
        int last = total - SectorCipher.SECTOR;
        if (before != 0) {
            load(key, worker, host, guest, 0, SectorCipher.SECTOR);
        }
        if (before + length != total && (last != 0 || before == 0)) {
            load(key, worker, host + last, guest + last, last, SectorCipher.SECTOR);
        }
        from.get(worker.bytes, before, length);
        worker.cipher.encrypt(key.sector(host, guest), worker.bytes, 0, total);
        file.write(host, ByteBuffer.wrap(worker.bytes, 0, total));
    }

    private void load(SectorCrypto key, SectorCrypto.Worker worker, long host, long guest, int at, int length)
            throws DiskException {
        file.readZeroPadded(host, ByteBuffer.wrap(worker.bytes, at, length));
        worker.cipher.decrypt(key.sector(host, guest), worker.bytes, at, length);
    }

    private static int whole(int length) {
        return (int) ((length + SECTOR_MASK) & ~SECTOR_MASK);
    }
}
