package dev.qcow2.spec.disk;

import java.util.Optional;
import java.util.OptionalInt;

/** A change of the passphrases that open a LUKS image. The image's master key, and with it the guest's data, stay. */
public sealed interface KeyChange {

    /** Key slots of a LUKS header (QC-CRY-15). */
    int SLOTS = 8;

    /** Returns the slot that the caller names, if one was named. */
    OptionalInt slot();

    /**
     * A further passphrase shall open the image.
     *
     * @param passphrase the new one
     * @param slot 0 to 7; without it the first free one
     * @param iterations rounds of key derivation, 1 to 2^25 (QC-LIM-09)
     * @param evenInUse whether the named slot may be one in use, whose passphrase then opens the image no more (QC-CRY-22)
     */
    record Add(Passphrase passphrase, OptionalInt slot, int iterations, boolean evenInUse) implements KeyChange {

        /** Checks the arguments. */
        public Add {
            requireSlot(slot);
            if (iterations < 1 || iterations > 1 << 25) {
                throw new IllegalArgumentException("iterations are 1 to 2^25, not " + iterations);
            }
        }
    }

    /**
     * Key slots shall open the image no more.
     *
     * @param slot 0 to 7; without it all slots in use that the passphrase opens
     * @param passphrase what opens the slots; with a slot it is checked against that one
     * @param evenTheLast whether no slot in use need be left; the guest's data is lost then (QC-CRY-21)
     */
    record Erase(OptionalInt slot, Optional<Passphrase> passphrase, boolean evenTheLast) implements KeyChange {

        /** Checks the arguments. */
        public Erase {
            requireSlot(slot);
            if (slot.isEmpty() && passphrase.isEmpty()) {
                throw new IllegalArgumentException("neither a slot nor a passphrase says what to erase");
            }
        }
    }

    private static void requireSlot(OptionalInt slot) {
        if (slot.isPresent() && (slot.getAsInt() < 0 || slot.getAsInt() >= SLOTS)) {
            throw new IllegalArgumentException("key slots are 0 to 7, not " + slot.getAsInt());
        }
    }
}
