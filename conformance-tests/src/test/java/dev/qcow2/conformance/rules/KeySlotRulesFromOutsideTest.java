package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.RuleImage.NAME;
import static dev.qcow2.conformance.rules.RuleImage.read;
import static dev.qcow2.conformance.rules.RuleImage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.KeyChange;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.layout.EncryptionLayout;
import dev.qcow2.spec.layout.ExtensionLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Passphrases come and go; the key, the guest's bytes and the rest of the image stay. */
class KeySlotRulesFromOutsideTest {

    private static final int ROUNDS = 1000;
    private static final byte[] CONTENT = text(3, 5000);

    static Stream<DiskDriver> drivers() {
        return RuleImage.drivers();
    }

    static Stream<Arguments> ciphers() {
        return drivers().flatMap(driver -> Stream.of(Cipher.values())
                .filter(cipher -> cipher != Cipher.LEGACY_AES_128_CBC)
                .map(cipher -> Arguments.of(driver, cipher)));
    }

    private static CreateOptions options(Cipher cipher) {
        Encryption encryption = new Encryption(cipher, Passphrase.of("one"), ROUNDS);
        return CreateOptions.ofSize(1 << 20).withFeatures(FormatFeatures.PLAIN.withEncryption(encryption));
    }

    private static RuleImage image(DiskDriver driver, Cipher cipher) throws DiskException {
        RuleImage image = new RuleImage(driver, options(cipher));
        try (VirtualDisk disk = driver.open(image.directory(), NAME, with("one"))) {
            disk.write(100, ByteBuffer.wrap(CONTENT));
        }
        return image;
    }

    private static RuleImage image(DiskDriver driver) throws DiskException {
        return image(driver, Cipher.LUKS_AES_256_XTS_PLAIN64);
    }

    private static OpenOptions with(String passphrase) {
        return OpenOptions.readWrite().withPassphrase(Passphrase.of(passphrase));
    }

    private static KeyChange.Add adding(String passphrase) {
        return new KeyChange.Add(Passphrase.of(passphrase), OptionalInt.empty(), ROUNDS, false);
    }

    private static KeyChange.Add adding(String passphrase, int slot, boolean evenInUse) {
        return new KeyChange.Add(Passphrase.of(passphrase), OptionalInt.of(slot), ROUNDS, evenInUse);
    }

    private static KeyChange.Erase erasing(String passphrase) {
        return new KeyChange.Erase(OptionalInt.empty(), Optional.of(Passphrase.of(passphrase)), false);
    }

    private static KeyChange.Erase erasing(int slot) {
        return new KeyChange.Erase(OptionalInt.of(slot), Optional.empty(), false);
    }

    private static void amend(DiskDriver driver, HostDirectory directory, String passphrase, KeyChange change)
            throws DiskException {
        ((MaintenanceDriver) driver).amend(directory, NAME, AmendOptions.NOTHING.withKeys(change), with(passphrase));
    }

    private static boolean opens(DiskDriver driver, HostDirectory directory, String passphrase) throws DiskException {
        try (VirtualDisk disk = driver.open(directory, NAME, with(passphrase))) {
            assertThat(Arrays.equals(read(disk, 100, CONTENT.length), CONTENT)).isTrue();
            return true;
        } catch (LockedImageException e) {
            return false;
        }
    }

    private static long luksAt(RuleImage image) throws DiskException {
        ByteBuffer bytes = ByteBuffer.wrap(image.bytes());
        int at = bytes.getInt(100);
        while (bytes.getInt(at) != ExtensionLayout.TYPE_ENCRYPTION) {
            at += 8 + ((bytes.getInt(at + 4) + 7) & ~7);
        }
        return bytes.getLong(at + 8);
    }

    private static long slotAt(RuleImage image, int slot) throws DiskException {
        return luksAt(image) + EncryptionLayout.LUKS_HEADER.size() + (long) slot * EncryptionLayout.KEY_SLOT.size();
    }

    private static List<Integer> slotsInUse(RuleImage image) throws DiskException {
        List<Integer> used = new ArrayList<>();
        for (int slot = 0; slot < EncryptionLayout.KEY_SLOTS; slot++) {
            long state = image.get(EncryptionLayout.SLOT_STATE, slotAt(image, slot));
            assertThat(state).isIn(EncryptionLayout.SLOT_IN_USE, EncryptionLayout.SLOT_FREE);
            if (state == EncryptionLayout.SLOT_IN_USE) {
                used.add(slot);
            }
        }
        return used;
    }

    private static void assertRefused(
            DiskDriver driver, RuleImage image, String passphrase, KeyChange change, Clause clause)
            throws DiskException {
        byte[] before = image.bytes();
        assertThatThrownBy(() -> amend(driver, image.directory(), passphrase, change))
                .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                        .isEqualTo(clause));
        assertThat(Arrays.equals(image.bytes(), before))
                .as("not a byte changed")
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("ciphers")
    @DisplayName("QC-CRY-15 QC-CRY-10: a passphrase is added with each cipher, and each of the two opens the image")
    void added(DiskDriver driver, Cipher cipher) throws DiskException {
        RuleImage image = image(driver, cipher);
        amend(driver, image.directory(), "one", adding("two"));
        assertThat(slotsInUse(image)).containsExactly(0, 1);
        for (DiskDriver reader : drivers().toList()) {
            assertThat(opens(reader, image.directory(), "one")).isTrue();
            assertThat(opens(reader, image.directory(), "two")).isTrue();
            assertThat(opens(reader, image.directory(), "three")).isFalse();
        }
        image.mustBeClean();
        // The new passphrase is as good as the first one.
        amend(driver, image.directory(), "two", adding("three", 6, false));
        amend(driver, image.directory(), "three", erasing("one"));
        assertThat(slotsInUse(image)).containsExactly(1, 6);
        assertThat(opens(driver, image.directory(), "one")).isFalse();
        assertThat(opens(driver, image.directory(), "three")).isTrue();
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-CRY-15 QC-CRY-22: eight slots, no more; one in use is overwritten only on demand")
    void full(DiskDriver driver) throws DiskException {
        RuleImage image = image(driver);
        assertRefused(driver, image, "one", adding("two", 0, false), CryptClause.QC_CRY_22);
        for (int slot = 1; slot < EncryptionLayout.KEY_SLOTS; slot++) {
            amend(driver, image.directory(), "one", adding("key " + slot));
        }
        assertRefused(driver, image, "one", adding("two"), CryptClause.QC_CRY_15);
        assertThat(opens(driver, image.directory(), "key 7")).isTrue();
        amend(driver, image.directory(), "one", adding("two", 7, true));
        assertThat(opens(driver, image.directory(), "key 7")).isFalse();
        assertThat(opens(driver, image.directory(), "two")).isTrue();
        image.mustBeClean();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-CRY-20: what was erased opens nothing, even if the slot's state is put back")
    void erased(DiskDriver driver) throws DiskException {
        RuleImage image = image(driver);
        amend(driver, image.directory(), "one", adding("two"));
        amend(driver, image.directory(), "one", adding("two"));
        amend(driver, image.directory(), "one", adding("three"));
        amend(driver, image.directory(), "one", erasing("two"));
        assertThat(slotsInUse(image)).containsExactly(0, 3);
        amend(driver, image.directory(), "one", erasing(3));
        assertThat(slotsInUse(image)).containsExactly(0);
        for (int slot = 1; slot < 4; slot++) {
            image.set(EncryptionLayout.SLOT_STATE, slotAt(image, slot), EncryptionLayout.SLOT_IN_USE);
        }
        assertThat(opens(driver, image.directory(), "two")).isFalse();
        assertThat(opens(driver, image.directory(), "three")).isFalse();
        assertThat(opens(driver, image.directory(), "one")).isTrue();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-CRY-21 QC-CRY-08: the last passphrase stays, unless the guest's data is to be lost")
    void last(DiskDriver driver) throws DiskException {
        RuleImage image = image(driver);
        assertRefused(driver, image, "one", erasing("one"), CryptClause.QC_CRY_21);
        assertRefused(driver, image, "one", erasing(0), CryptClause.QC_CRY_21);
        assertRefused(driver, image, "one", erasing(5), CryptClause.QC_CRY_15);
        assertThatThrownBy(() -> amend(driver, image.directory(), "one", erasing("two")))
                .isInstanceOf(LockedImageException.class);
        KeyChange other = new KeyChange.Erase(OptionalInt.of(0), Optional.of(Passphrase.of("two")), true);
        assertThatThrownBy(() -> amend(driver, image.directory(), "one", other))
                .isInstanceOf(LockedImageException.class);
        assertThatThrownBy(() -> amend(driver, image.directory(), "two", adding("three")))
                .isInstanceOf(LockedImageException.class);
        assertThat(opens(driver, image.directory(), "one")).isTrue();
        amend(driver, image.directory(), "one", new KeyChange.Erase(OptionalInt.of(0), Optional.empty(), true));
        assertThat(slotsInUse(image)).isEmpty();
        assertThat(opens(driver, image.directory(), "one")).isFalse();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-CRY-15: images without LUKS have no key slots")
    void elsewhere(DiskDriver driver) throws DiskException {
        RuleImage plain = new RuleImage(driver, CreateOptions.ofSize(1 << 20));
        assertRefused(driver, plain, "one", adding("two"), CryptClause.QC_CRY_15);
        RuleImage old = image(driver, Cipher.LEGACY_AES_128_CBC);
        assertRefused(driver, old, "one", adding("two"), CryptClause.QC_CRY_15);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-CRY-22 QC-CRY-09: a free slot of a stranger's header does not lead over other keys or out of the area")
    void strangers(DiskDriver driver) throws DiskException {
        RuleImage image = image(driver);
        long sector = image.get(EncryptionLayout.SLOT_MATERIAL_OFFSET, slotAt(image, 0));
        image.set(EncryptionLayout.SLOT_MATERIAL_OFFSET, slotAt(image, 1), sector + 3);
        assertRefused(driver, image, "one", adding("two"), CryptClause.QC_CRY_22);
        for (long wrong : new long[] {0, 1, 0xffff_ffffL, 4000}) {
            image.set(EncryptionLayout.SLOT_MATERIAL_OFFSET, slotAt(image, 1), wrong);
            assertThatThrownBy(() -> amend(driver, image.directory(), "one", adding("two")))
                    .isInstanceOfSatisfying(MalformedImageException.class, e -> assertThat(e.clause())
                            .isEqualTo(CryptClause.QC_CRY_09));
        }
        assertThat(opens(driver, image.directory(), "one")).isTrue();
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName(
            "QC-CRY-20 QC-MNT-27: after a cut at any write the image opens as before, and the change can be made again")
    void cut(DiskDriver driver) throws DiskException {
        RuleImage image = image(driver);
        amend(driver, image.directory(), "one", adding("two"));
        for (KeyChange change : List.of(adding("three"), erasing("two"))) {
            MemoryHostDirectory done = image.directory().copy();
            WrappingHostDirectory<RecordingHostFile> recording =
                    new WrappingHostDirectory<>(done, RecordingHostFile::new);
            amend(driver, recording, "one", change);
            List<HostEvent> events = new ArrayList<>();
            recording.files().forEach(file -> events.addAll(file.events()));
            assertOrdered(events);
            for (int cut = 0; cut <= events.size(); cut++) {
                MemoryHostDirectory after = image.directory().copy();
                try (HostFile file = after.open(NAME, Access.READ_WRITE)) {
                    for (HostEvent event : events.subList(0, cut)) {
                        event.applyTo(file);
                    }
                }
                assertThat(opens(driver, after, "one")).as("cut at %d", cut).isTrue();
                boolean erases = change instanceof KeyChange.Erase;
                assertThat(opens(driver, after, "two")).isEqualTo(!erases || opensStill(driver, after));
                amend(driver, after, "one", adding("four"));
                assertThat(opens(driver, after, "four")).isTrue();
            }
        }
    }

    /** A slot is whole or free, so its passphrase opens the image exactly while the state says so. */
    private static boolean opensStill(DiskDriver driver, MemoryHostDirectory directory) throws DiskException {
        RuleImage image = new RuleImage(driver, CreateOptions.ofSize(0));
        image.replace(directory.content(NAME).toByteArray());
        return slotsInUse(image).contains(1);
    }

    private static void assertOrdered(List<HostEvent> events) {
        boolean dirty = false;
        for (HostEvent event : events) {
            boolean writes = event.kind() == HostEvent.Kind.WRITE;
            assertThat(writes && dirty)
                    .as("a write before the one in front is safe")
                    .isFalse();
            dirty = writes;
        }
        assertThat(dirty).isFalse();
        assertThat(events).hasSizeGreaterThan(3);
    }

    /** QEMU measures the processor for each slot that it fills; one cipher of each kind of slot key is enough. */
    static Stream<Arguments> ciphersForQemu() {
        return ciphers()
                .filter(arguments -> Set.of(Cipher.LUKS_AES_256_XTS_PLAIN64, Cipher.LUKS_AES_128_CBC_ESSIV_SHA256)
                        .contains((Cipher) arguments.get()[1]));
    }

    @ParameterizedTest
    @MethodSource("ciphersForQemu")
    @DisplayName("QC-CRY-15 QC-CRY-20: QEMU opens images with our slots, and we open those with QEMU's")
    void qemu(DiskDriver driver, Cipher cipher, @TempDir Path temp) throws Exception {
        QemuTools tools = QemuTools.find().orElseGet(() -> abort("qemu-img and qemu-io are not installed"));
        HostDirectory directory = new RealHostDirectory(temp);
        driver.create(directory, NAME, options(cipher));
        try (VirtualDisk disk = driver.open(directory, NAME, with("one"))) {
            disk.write(100, ByteBuffer.wrap(CONTENT));
        }
        amend(driver, directory, "one", adding("two", 5, false));
        amend(driver, directory, "two", erasing("one"));
        QemuImage image = new QemuImage(temp.resolve(NAME), Optional.empty(), Optional.of("two"));
        assertThat(tools.check(image)).isEmpty();
        assertThat(Arrays.equals(tools.read(image, 100, CONTENT.length), CONTENT))
                .isTrue();
        qemuAmends(temp, "two", "encrypt.state=active,encrypt.new-secret=new,encrypt.iter-time=10");
        assertThat(opens(driver, directory, "new")).isTrue();
        qemuAmends(temp, "new", "encrypt.state=inactive,encrypt.old-secret=old");
        assertThat(opens(driver, directory, "two")).isFalse();
        assertThat(opens(driver, directory, "new")).isTrue();
        assertThat(tools.check(new QemuImage(temp.resolve(NAME), Optional.empty(), Optional.of("new"))))
                .isEmpty();
    }

    private static void qemuAmends(Path temp, String passphrase, String options) throws Exception {
        List<String> command = List.of(
                "qemu-img",
                "amend",
                "--object",
                "secret,id=key,data=" + passphrase,
                "--object",
                "secret,id=new,data=new",
                "--object",
                "secret,id=old,data=two",
                "-o",
                options,
                "--image-opts",
                "driver=qcow2,file.filename=" + temp.resolve(NAME) + ",encrypt.key-secret=key");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }
}
