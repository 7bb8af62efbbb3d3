package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Random requests over random encrypted images, for every combination of switches: the bytes are those of an array. */
class EncryptedLatticeTest {

    private static final Passphrase BASE_SECRET = Passphrase.of("another");

    /** Where clusters are, and how they are mapped. */
    enum Form {
        PLAIN,
        VERSION_2
    }

    /** What the disk is like. */
    record Setting(
            int size, Form form, int clusterBits, int backingSize, boolean zeroing, int switches, Cipher cipher) {

        CreateOptions options() {
            CreateOptions plain = new CreateOptions(
                    size,
                    form == Form.VERSION_2 ? 2 : 3,
                    clusterBits,
                    4,
                    Optional.empty(),
                    EncryptedImages.features(cipher, EncryptedImages.SECRET));
            return backingSize == 0 ? plain : plain.withBacking("base", Optional.of(CreateOptions.BackingFormat.QCOW2));
        }

        boolean discards() {
            return form != Form.VERSION_2 || backingSize == 0;
        }
    }

    @Provide
    Arbitrary<Setting> settings() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 100_000),
                        Arbitraries.of(Form.class),
                        Arbitraries.of(9, 10, 12, 16),
                        Arbitraries.integers().between(-50_000, 100_000).map(size -> Math.max(0, size)),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, (1 << OptimizedOptions.SWITCHES) - 1),
                        Arbitraries.of(Cipher.class))
                .as(Setting::new);
    }

    @Provide
    Arbitrary<List<Action>> actions() {
        return Combinators.combine(
                        // Encrypted images get no compressed clusters (QC-CMP-16).
                        Arbitraries.of(Action.Kind.class).filter(kind -> kind != Action.Kind.WRITE_COMPRESSED),
                        Arbitraries.integers().between(0, 1 << 20),
                        Arbitraries.oneOf(
                                Arbitraries.integers().between(0, 700),
                                Arbitraries.integers().between(0, 5000),
                                Arbitraries.integers().between(0, 100_000)),
                        Arbitraries.bytes())
                .as(Action::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(20);
    }

    @Property(tries = 80, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-CRY-01, QC-CRY-02, QC-CRY-11, QC-CRY-12, QC-CRY-16, QC-CRY-17: as an array, and clean")
    void behavesAsAnArray(@ForAll("settings") Setting setting, @ForAll("actions") List<Action> actions)
            throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory(setting.zeroing());
        OptimizedDriver driver = EncryptedImages.driver(setting.switches());
        byte[] model = new byte[setting.size()];
        makeBacking(directory, driver, setting, model);
        driver.create(directory, "disk", setting.options());
        OpenOptions open = Images.WRITE.withSecrets(
                name -> Optional.of(name.equals("base") ? BASE_SECRET : EncryptedImages.SECRET));
        VirtualDisk disk = driver.open(directory, "disk", open);
        for (Action raw : actions) {
            Action action = raw.inside(setting.size(), 1 << setting.options().clusterBits());
            action.applyTo(disk);
            action.applyTo(model, 1 << setting.options().clusterBits(), setting.discards());
            assertThat(Images.readAll(disk)).isEqualTo(model);
            if (action.kind() == Action.Kind.FLUSH) {
                Images.assertClean(directory, "disk");
            }
        }
        disk.close();
        Images.assertClean(directory, "disk");
        try (VirtualDisk again = driver.open(directory, "disk", open)) {
            assertThat(Images.readAll(again)).isEqualTo(model);
        }
    }

    private static void makeBacking(
            MemoryHostDirectory directory, OptimizedDriver driver, Setting setting, byte[] model) throws IOException {
        if (setting.backingSize() == 0) {
            return;
        }
        driver.create(
                directory,
                "base",
                CreateOptions.ofSize(setting.backingSize())
                        .withClusterBits(9)
                        .withFeatures(EncryptedImages.features(Cipher.LUKS_AES_128_XTS_PLAIN64, BASE_SECRET)));
        try (VirtualDisk base = driver.open(directory, "base", Images.WRITE.withPassphrase(BASE_SECRET))) {
            for (int at = 0; at + 900 < setting.backingSize(); at += 3000) {
                base.write(at, ByteBuffer.wrap(Images.filled(900, 0x11 + at / 3000)));
                base.writeZeroes(at + 300, 100, VirtualDisk.ZeroMode.MAY_UNMAP);
            }
            byte[] bytes = Images.readAll(base);
            System.arraycopy(bytes, 0, model, 0, Math.min(bytes.length, model.length));
        }
    }
}
