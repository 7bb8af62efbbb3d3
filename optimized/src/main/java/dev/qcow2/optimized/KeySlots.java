package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.CryptClause.QC_CRY_08;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_09;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_15;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_21;
import static dev.qcow2.spec.clause.CryptClause.QC_CRY_22;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Changes the key slots of a LUKS header: first decides, then writes. A slot's state is the one write that counts: it says
 * "in use" after all else of the slot is on the disk, and "free" before its key is destroyed (QC-CRY-20).
 */
final class KeySlots {

    private final HostFile host;
    private final EncryptionArea area;
    private final LuksHeader luks;
    private final Random random;
    private final BitSet used = new BitSet();

    private KeySlots(HostFile host, EncryptionArea area, Random random) throws DiskException {
        this.host = host;
        this.area = area;
        this.luks = LuksHeader.read(host, area);
        this.random = random;
        for (LuksHeader.Slot slot : luks.slots()) {
            used.set(numberOf(slot));
        }
    }

    private static int numberOf(LuksHeader.Slot slot) {
        return (slot.at() - LuksHeader.SLOTS_AT) / LuksHeader.SLOT_LENGTH;
    }

    /** A change that was found possible, with all that takes long done. */
    interface Ready {
        /** Writes it to the image, each part of it safe on the disk before the next. */
        void write(HostFile host) throws DiskException;
    }

    /** Makes a change ready, or refuses it. */
    static Ready prepare(
            HostFile host, EncryptionArea area, Optional<Passphrase> current, KeyChange change, Random random)
            throws DiskException {
        if (area.method() != EncryptionArea.LUKS) {
            throw new RequestRefusedException(host.name(), QC_CRY_15, "only LUKS images have key slots");
        }
        KeySlots slots = new KeySlots(host, area, random);
        byte[] secret = current.orElseThrow(
                        () -> new LockedImageException(host.name(), QC_CRY_08, "no passphrase was given"))
                .bytes();
        byte[] key = Unlocking.masterKey(host, slots.luks, slots.luks.slots(), secret);
        return change instanceof KeyChange.Add add ? slots.add(add, key) : slots.erase((KeyChange.Erase) change);
    }

    private Ready add(KeyChange.Add add, byte[] key) throws DiskException {
        int free = used.nextClearBit(0);
        require(add.slot().isPresent() || free < LuksHeader.SLOTS, QC_CRY_15, "no key slot is free");
        int slot = add.slot().orElse(free);
        require(add.evenInUse() || !used.get(slot), QC_CRY_22, "key slot " + slot + " is in use");
        requirePlace(slot);
        byte[] salt = new byte[LuksHeader.SALT_LENGTH];
        random.nextBytes(salt);
        byte[] slotKey = luks.hash().derive(add.passphrase().bytes(), salt, add.iterations(), luks.keyLength());
        byte[] stripes = new byte[KeyMaterial.storedLength(luks.keyLength())];
        byte[] split = new StripeSplitter(luks.hash()).split(key, random);
        System.arraycopy(split, 0, stripes, 0, split.length);
        KeyMaterial.encrypt(luks.mode().cipher(slotKey), stripes);
        ByteBuffer numbers = ByteBuffer.allocate(LuksHeader.SLOT_MATERIAL - LuksHeader.SLOT_ITERATIONS)
                .putInt(add.iterations())
                .put(salt)
                .flip();
        ByteBuffer count = ByteBuffer.allocate(4).putInt(0, StripeSplitter.STRIPES);
        return to -> {
            if (used.get(slot)) {
                put(to, at(slot), word(LuksHeader.FREE));
            }
            put(to, materialAt(slot), ByteBuffer.wrap(stripes));
            put(to, at(slot) + LuksHeader.SLOT_ITERATIONS, numbers);
            put(to, at(slot) + LuksHeader.SLOT_STRIPES, count);
            put(to, at(slot), word(LuksHeader.IN_USE));
        };
    }

    /** QC-CRY-22: where a free slot's key material would go is not known to be right before it is used. */
    private void requirePlace(int slot) throws DiskException {
        long length = KeyMaterial.storedLength(luks.keyLength());
        long start = materialAt(slot) - area.offset();
        if (start < LuksHeader.BYTES || start > area.length() - length) {
            throw new MalformedImageException(
                    host.name(),
                    QC_CRY_09,
                    at(slot) + LuksHeader.SLOT_MATERIAL,
                    "key material at " + start,
                    "behind the LUKS header and inside its area");
        }
        for (LuksHeader.Slot other : luks.slots()) {
            boolean apart =
                    other.material() >= materialAt(slot) + length || other.material() + length <= materialAt(slot);
            require(
                    apart || numberOf(other) == slot,
                    QC_CRY_22,
                    "key slot " + slot + " has the place of slot " + numberOf(other));
        }
    }

    private Ready erase(KeyChange.Erase erase) throws DiskException {
        if (erase.slot().isPresent()) {
            int slot = erase.slot().getAsInt();
            require(used.get(slot), QC_CRY_15, "key slot " + slot + " is not in use");
        }
        List<Integer> chosen = new ArrayList<>();
        for (LuksHeader.Slot slot : luks.slots()) {
            boolean named = erase.slot().isEmpty() || erase.slot().getAsInt() == numberOf(slot);
            if (named
                    && (erase.passphrase().isEmpty()
                            || opens(slot, erase.passphrase().get()))) {
                chosen.add(numberOf(slot));
            }
        }
        if (chosen.isEmpty()) {
            throw new LockedImageException(host.name(), QC_CRY_08, "the passphrase belongs to no such key slot");
        }
        require(
                erase.evenTheLast() || chosen.size() < used.cardinality(),
                QC_CRY_21,
                "without these key slots nothing would open the image");
        return to -> {
            for (int slot : chosen) {
                put(to, at(slot), word(LuksHeader.FREE));
                byte[] noise = new byte[KeyMaterial.storedLength(luks.keyLength())];
                random.nextBytes(noise);
                put(to, materialAt(slot), ByteBuffer.wrap(noise));
            }
        };
    }

    private boolean opens(LuksHeader.Slot slot, Passphrase passphrase) throws DiskException {
        try {
            byte[] unused = Unlocking.masterKey(host, luks, List.of(slot), passphrase.bytes());
            return true;
        } catch (LockedImageException e) {
            return false;
        }
    }

    private long at(int slot) {
        return area.offset() + LuksHeader.SLOTS_AT + (long) slot * LuksHeader.SLOT_LENGTH;
    }

    private long materialAt(int slot) {
        int field = LuksHeader.SLOTS_AT + slot * LuksHeader.SLOT_LENGTH + LuksHeader.SLOT_MATERIAL;
        long sector = ByteBuffer.wrap(luks.bytes(field, 4)).getInt() & 0xffff_ffffL;
        return area.offset() + sector * SectorCipher.SECTOR;
    }

    private static ByteBuffer word(int value) {
        return ByteBuffer.allocate(4).putInt(0, value);
    }

    private static void put(HostFile host, long offset, ByteBuffer bytes) throws DiskException {
        host.write(offset, bytes);
        host.flush();
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw new RequestRefusedException(host.name(), clause, reason);
        }
    }
}
