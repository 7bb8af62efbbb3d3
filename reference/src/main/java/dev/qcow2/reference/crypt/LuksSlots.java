package dev.qcow2.reference.crypt;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** Decides how the key slots of a LUKS header change. Reads the file and writes nothing. */
public final class LuksSlots {

    /**
     * A write into the header's area. Each is safe on the disk before the next one begins (QC-CRY-20).
     *
     * @param what says what is written
     * @param hostOffset where
     * @param bytes what
     */
    public record Write(String what, long hostOffset, ByteBuffer bytes) {}

    private final HostFile file;
    private final long at;
    private final long areaBytes;
    private final LuksHeader header;
    private final Random random;

    private LuksSlots(HostFile file, long at, long areaBytes, LuksHeader header, Random random) {
        this.file = file;
        this.at = at;
        this.areaBytes = areaBytes;
        this.header = header;
        this.random = random;
    }

    /**
     * Decides on a change.
     *
     * @param file the image
     * @param at host offset of the LUKS header
     * @param areaBytes bytes from there that belong to header and key material
     * @param current a passphrase that opens the image
     * @param change what is wanted
     * @param random where salts and stripes come from; must be hard to guess
     * @return the writes in their order
     * @throws DiskException if the change is refused, the passphrase is wrong, the header malformed, or the host fails
     */
    public static List<Write> plan(
            HostFile file, long at, long areaBytes, Passphrase current, KeyChange change, Random random)
            throws DiskException {
        LuksHeader header = LuksKeys.read(file, at, areaBytes);
        byte[] key = LuksKeys.masterKey(file, at, header, current);
        LuksSlots slots = new LuksSlots(file, at, areaBytes, header, random);
        if (change instanceof KeyChange.Add add) {
            return slots.add(add, key);
        }
        return slots.erase((KeyChange.Erase) change);
    }

    private List<Write> add(KeyChange.Add add, byte[] key) throws DiskException {
        int slot = add.slot().isPresent() ? add.slot().getAsInt() : firstFree();
        LuksKeySlot old = header.slots().get(slot);
        require(
                !old.active() || add.evenInUse(),
                CryptClause.QC_CRY_22,
                "key slot " + slot + " is in use: erase it first");
        LuksKeySlot fresh = LuksKeySlot.active(old.firstSector(), add.iterations(), random);
        requireOwnPlace(slot, fresh);
        List<Write> writes = new ArrayList<>();
        if (old.active()) {
            writes.add(state(slot, false));
        }
        byte[] stripes = StripedKey.split(header.function(), key, random);
        byte[] material = Arrays.copyOf(stripes, fresh.materialBytes(key.length));
        fresh.materialCipher(
                        header.cipher(), header.function(), add.passphrase().bytes())
                .encrypt(0, material);
        writes.add(material(slot, material));
        ByteBuffer fields = ByteBuffer.allocate(LuksKeySlot.BYTES);
        fresh.encode(fields);
        writes.add(new Write(
                "rest of key slot " + slot,
                place(slot) + LuksKeySlot.STATE_BYTES,
                fields.flip().position(LuksKeySlot.STATE_BYTES).slice()));
        writes.add(state(slot, true));
        return writes;
    }

    private int firstFree() throws DiskException {
        return IntStream.range(0, LuksHeader.SLOTS)
                .filter(i -> !header.slots().get(i).active())
                .findFirst()
                .orElseThrow(() -> refusal(CryptClause.QC_CRY_15, "all eight key slots are in use"));
    }

    /** A free slot of a header from a stranger may lie anywhere. */
    private void requireOwnPlace(int slot, LuksKeySlot fresh) throws DiskException {
        LuksHeader.require(file.name(), place(slot), areaBytes, header.cipher(), fresh);
        int keyBytes = header.cipher().keyBytes();
        for (int i = 0; i < LuksHeader.SLOTS; i++) {
            LuksKeySlot other = header.slots().get(i);
            boolean meets = i != slot && other.active() && fresh.meets(other, keyBytes);
            require(!meets, CryptClause.QC_CRY_22, "the places of key slots " + slot + " and " + i + " overlap");
        }
    }

    private List<Write> erase(KeyChange.Erase erase) throws DiskException {
        List<Integer> chosen = new ArrayList<>();
        for (int i = 0; i < LuksHeader.SLOTS; i++) {
            boolean named = erase.slot().isEmpty() || erase.slot().getAsInt() == i;
            if (named && header.slots().get(i).active() && opens(erase.passphrase(), i)) {
                chosen.add(i);
            }
        }
        if (chosen.isEmpty()) {
            throw nothingToErase(erase);
        }
        long inUse = header.slots().stream().filter(LuksKeySlot::active).count();
        require(
                chosen.size() < inUse || erase.evenTheLast(),
                CryptClause.QC_CRY_21,
                "no key slot would be left that opens the image");
        List<Write> writes = new ArrayList<>();
        for (int slot : chosen) {
            writes.add(state(slot, false));
            byte[] noise = new byte
                    [header.slots().get(slot).materialBytes(header.cipher().keyBytes())];
            random.nextBytes(noise);
            writes.add(material(slot, noise));
        }
        return writes;
    }

    private boolean opens(Optional<Passphrase> passphrase, int slot) throws DiskException {
        return passphrase.isEmpty()
                || LuksKeys.opens(file, at, header, header.slots().get(slot), passphrase.get());
    }

    private DiskException nothingToErase(KeyChange.Erase erase) {
        boolean free = erase.slot().isPresent()
                && !header.slots().get(erase.slot().getAsInt()).active();
        return free
                ? refusal(CryptClause.QC_CRY_15, "key slot " + erase.slot().getAsInt() + " is free already")
                : new LockedImageException(
                        file.name(), CryptClause.QC_CRY_08, "the passphrase opens no key slot that is to be erased");
    }

    private long place(int slot) {
        return at + LuksHeader.SLOTS_FIELD + (long) slot * LuksKeySlot.BYTES;
    }

    private Write state(int slot, boolean active) {
        ByteBuffer state = ByteBuffer.allocate(LuksKeySlot.STATE_BYTES).putInt(LuksKeySlot.state(active));
        return new Write("state of key slot " + slot + (active ? ", in use" : ", free"), place(slot), state.flip());
    }

    private Write material(int slot, byte[] bytes) {
        long offset = at + header.slots().get(slot).firstSector() * SectorCipher.SECTOR_BYTES;
        return new Write("key material of slot " + slot, offset, ByteBuffer.wrap(bytes));
    }

    private void require(boolean holds, Clause clause, String reason) throws DiskException {
        if (!holds) {
            throw refusal(clause, reason);
        }
    }

    private RequestRefusedException refusal(Clause clause, String reason) {
        return new RequestRefusedException(file.name(), clause, reason);
    }
}
