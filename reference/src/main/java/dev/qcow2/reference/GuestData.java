package dev.qcow2.reference;

import dev.qcow2.reference.crypt.SectorCipher;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The bytes of guest clusters, as far as they stand in host clusters of their own: in the clear, or in encrypted sectors. Metadata does
 * not pass here; it is never encrypted (QC-CRY-03).
 */
final class GuestData {

    private static final int SECTOR_MASK = SectorCipher.SECTOR_BYTES - 1;

    /** Where sectors are counted. */
    enum Sectors {
        /** In the file that holds them, as LUKS does (QC-CRY-11). */
        OF_HOST,
        /** On the guest's disk, as the method of old images does (QC-CRY-02). */
        OF_GUEST
    }

    /**
     * What encrypts guest clusters.
     *
     * @param cipher works on sectors
     * @param sectors where they are counted
     */
    record Encryption(SectorCipher cipher, Sectors sectors) {

        long firstSector(long hostOffset, long guestOffset) {
            long offset =
                    switch (sectors) {
                        case OF_HOST -> hostOffset;
                        case OF_GUEST -> guestOffset;
                    };
            return offset / SectorCipher.SECTOR_BYTES;
        }
    }

    private final HostFile file;
    private final Optional<Encryption> encryption;
    private final Optional<DataFile> external;

    GuestData(HostFile file, Optional<Encryption> encryption) {
        this(file, encryption, Optional.empty());
    }

    private GuestData(HostFile file, Optional<Encryption> encryption, Optional<DataFile> external) {
        this.file = file;
        this.encryption = encryption;
        this.external = external;
    }

    /** The same data in an external data file. */
    GuestData in(DataFile other) {
        return new GuestData(other.file(), encryption, Optional.of(other));
    }

    /** Whether the bytes on the host are not those of the guest. */
    boolean encrypted() {
        return encryption.isPresent();
    }

    Optional<DataFile> external() {
        return external;
    }

    /** Makes data safe that is not in the image itself. */
    void flush() throws DiskException {
        if (external.isPresent()) {
            file.flush();
        }
    }

    /** Gives up the file, if it is not the image itself. */
    void close() throws DiskException {
        if (external.isPresent()) {
            file.close();
        }
    }

    /** Reads bytes of one guest cluster. */
    void read(long hostOffset, long guestOffset, ByteBuffer into) throws DiskException {
        if (encryption.isEmpty()) {
            file.readZeroPadded(hostOffset, into);
        } else if (into.hasRemaining()) {
            int inSector = (int) hostOffset & SECTOR_MASK;
            byte[] sectors = new byte[wholeSectors(inSector + into.remaining())];
            decrypt(encryption.get(), hostOffset - inSector, guestOffset - inSector, sectors);
            into.put(sectors, inSector, into.remaining());
        }
    }

    /** Writes bytes into one guest cluster. The rest of the sectors that they share with others stays as it was. */
    void write(long hostOffset, long guestOffset, ByteBuffer from) throws DiskException {
        if (encryption.isEmpty()) {
            file.write(hostOffset, from);
        } else if (from.hasRemaining()) {
            int inSector = (int) hostOffset & SECTOR_MASK;
            byte[] sectors = new byte[wholeSectors(inSector + from.remaining())];
            if (sectors.length != from.remaining()) {
                decrypt(encryption.get(), hostOffset - inSector, guestOffset - inSector, sectors);
            }
            from.get(sectors, inSector, from.remaining());
            encryption.get().cipher().encrypt(encryption.get().firstSector(hostOffset, guestOffset), sectors);
            file.write(hostOffset - inSector, ByteBuffer.wrap(sectors));
        }
    }

    private void decrypt(Encryption with, long hostOffset, long guestOffset, byte[] sectors) throws DiskException {
        file.readZeroPadded(hostOffset, ByteBuffer.wrap(sectors));
        with.cipher().decrypt(with.firstSector(hostOffset, guestOffset), sectors);
    }

    private static int wholeSectors(int bytes) {
        return (bytes + SECTOR_MASK) & ~SECTOR_MASK;
    }
}
