package dev.qcow2.optimized;

import java.util.ArrayDeque;
import java.util.Deque;

/** An unlocked image's key, and ciphers under it for as many requests as run at the same time. */
final class SectorCrypto {

    private static final int MOST_KEPT = 16;

    private final CipherMode mode;
    private final byte[] key;
    private final boolean byGuestOffset;
    private final Deque<Worker> idle = new ArrayDeque<>();

    /**
     * Takes a key.
     *
     * @param mode how it is used
     * @param key is kept, not copied
     * @param byGuestOffset whether sectors are numbered on the virtual disk (QC-CRY-02) and not in the file that holds them
     *     (QC-CRY-11)
     */
    SectorCrypto(CipherMode mode, byte[] key, boolean byGuestOffset) {
        this.mode = mode;
        this.key = key;
        this.byGuestOffset = byGuestOffset;
    }

    /** A cipher and room for its longest run. */
    static final class Worker {
        final SectorCipher cipher;
        final byte[] bytes = new byte[SectorCipher.MOST_BYTES];

        private Worker(SectorCipher cipher) {
            this.cipher = cipher;
        }
    }

    Worker take() {
        synchronized (idle) {
            Worker worker = idle.pollFirst();
            if (worker != null) {
                return worker;
            }
        }
        return new Worker(mode.cipher(key));
    }

    void giveBack(Worker worker) {
        synchronized (idle) {
            if (idle.size() < MOST_KEPT) {
                idle.addFirst(worker);
            }
        }
    }

    /** The number of the sector in which a byte lies. */
    long sector(long hostOffset, long guestOffset) {
        return Long.divideUnsigned(byGuestOffset ? guestOffset : hostOffset, SectorCipher.SECTOR);
    }
}
