package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.SecretStore;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.Passphrase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** What the options {@code encrypt.…} of an image that exists come to. */
final class KeySlotChoice {

    private static final String STATE = "encrypt.state";
    private static final String SLOT = "encrypt.keyslot";
    private static final String NEW_SECRET = "encrypt.new-secret";
    private static final String OLD_SECRET = "encrypt.old-secret";
    private static final String TIME = "encrypt.iter-time";

    private final FormatOptions options;
    private final SecretStore secrets;
    private final Map<String, Object> luks;
    private final boolean force;
    private final List<Boolean> inUse = new ArrayList<>();

    /**
     * Knows an image.
     *
     * @param luks what the image says of its encryption
     * @param force whether the user takes the loss of keys
     */
    KeySlotChoice(FormatOptions options, SecretStore secrets, Map<String, Object> luks, boolean force) {
        this.luks = luks;
        this.options = options;
        this.secrets = secrets;
        this.force = force;
        if (luks.get("slots") instanceof List<?> slots) {
            slots.forEach(
                    slot -> inUse.add(slot instanceof Map<?, ?> members && Boolean.TRUE.equals(members.get("active"))));
        }
    }

    /** Returns the change, if there is to be any. */
    Optional<KeyChange> chosen() throws ToolException {
        if (options.names().stream().noneMatch(name -> name.startsWith("encrypt."))) {
            return Optional.empty();
        }
        if (luks.isEmpty()) {
            throw new ToolException("Can't amend encryption options - encryption not present");
        }
        if (!"luks".equals(luks.get("format"))) {
            throw new ToolException("Only LUKS encryption options can be amended");
        }
        String state = options.given(STATE).orElseThrow(() -> new ToolException("Parameter 'state' is missing"));
        return Optional.of(
                switch (state) {
                    case "active" -> add();
                    case "inactive" -> erase();
                    default -> throw new ToolException("Parameter 'state' does not accept value '" + state + "'");
                });
    }

    private KeyChange add() throws ToolException {
        require(options.given(NEW_SECRET).isPresent(), "'new-secret' is required to activate a keyslot");
        require(options.given(OLD_SECRET).isEmpty(), "'old-secret' must not be given when activating keyslots");
        OptionalInt slot = slot();
        if (slot.isPresent()) {
            require(
                    force || !inUse.get(slot.getAsInt()),
                    "Refusing to overwrite active keyslot " + slot.getAsInt() + " - please erase it first");
        } else {
            require(inUse.contains(false), "Can't add a keyslot - all keyslots are in use");
        }
        Passphrase passphrase = secrets.require(options.given(NEW_SECRET).orElse(""));
        return new KeyChange.Add(passphrase, slot, EncryptionChoice.iterations(options.amount(TIME)), force);
    }

    private KeyChange erase() throws ToolException {
        require(options.given(NEW_SECRET).isEmpty(), "'new-secret' must not be given when erasing keyslots");
        require(options.given(TIME).isEmpty(), "'iter-time' must not be given when erasing keyslots");
        Optional<Passphrase> old = options.given(OLD_SECRET).isPresent()
                ? Optional.of(secrets.require(options.given(OLD_SECRET).get()))
                : Optional.empty();
        OptionalInt slot = slot();
        require(
                slot.isPresent() || old.isPresent(),
                "To erase keyslot(s), either explicit keyslot index or the password currently contained in them must be"
                        + " given");
        if (slot.isPresent()) {
            int number = slot.getAsInt();
            // The space at the end is the model's.
            require(force || inUse.get(number), "Given keyslot " + number + " is already erased (inactive) ");
        }
        return new KeyChange.Erase(slot, old, force);
    }

    private OptionalInt slot() throws ToolException {
        OptionalLong slot = options.amount(SLOT);
        if (slot.isEmpty()) {
            return OptionalInt.empty();
        }
        require(
                slot.getAsLong() >= 0 && slot.getAsLong() < KeyChange.SLOTS,
                "Invalid keyslot " + slot.getAsLong() + " specified, must be between 0 and " + (KeyChange.SLOTS - 1));
        return OptionalInt.of((int) slot.getAsLong());
    }

    /** What to say of a refusal, in the model's words. */
    static String words(KeyChange change, boolean wrongPassphrase) {
        if (!(change instanceof KeyChange.Erase erase)) {
            return "";
        }
        if (erase.slot().isEmpty()) {
            return wrongPassphrase
                    ? "No keyslots match given (old) password for erase operation"
                    : "All the active keyslots match the (old) password that was given and erasing them will erase all the"
                            + " data in the image irreversibly - refusing operation";
        }
        int slot = erase.slot().getAsInt();
        return wrongPassphrase
                ? "Given keyslot " + slot + " doesn't contain the given old password for erase operation"
                : "Attempt to erase the only active keyslot " + slot
                        + " which will erase all the data in the image irreversibly - refusing operation";
    }

    private static void require(boolean holds, String words) throws ToolException {
        if (!holds) {
            throw new ToolException(words);
        }
    }
}
