package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
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

/** Random requests over random images, for every combination of switches: the bytes are those of an array. */
class LatticeTest {

    /** What the disk is like; subclusters need large clusters and version 3. */
    record Setting(
            int size,
            int version,
            int clusterBits,
            int refcountOrder,
            int backingSize,
            boolean zeroing,
            int switches,
            FormatFeatures features) {

        CreateOptions options() {
            CreateOptions plain = new CreateOptions(
                            size, version, clusterBits, version == 2 ? 4 : refcountOrder, Optional.empty())
                    .withFeatures(version == 2 ? FormatFeatures.PLAIN : features);
            return backingSize == 0 ? plain : plain.withBacking("base", Optional.of(CreateOptions.BackingFormat.QCOW2));
        }

        boolean discards() {
            return version == 3 || backingSize == 0;
        }
    }

    @Provide
    Arbitrary<Setting> settings() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 150_000),
                        Arbitraries.of(2, 3, 3),
                        Arbitraries.of(9, 9, 10, 12, 16),
                        Arbitraries.integers().between(0, 6),
                        Arbitraries.integers().between(-50_000, 150_000).map(size -> Math.max(0, size)),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, (1 << OptimizedOptions.SWITCHES) - 1),
                        features())
                .as(Setting::new)
                .map(LatticeTest::withLargeClusters);
    }

    private static Setting withLargeClusters(Setting setting) {
        if (!setting.features().extendedL2() || setting.version() == 2) {
            return setting;
        }
        return new Setting(
                setting.size(),
                setting.version(),
                14 + setting.clusterBits() % 3,
                setting.refcountOrder(),
                setting.backingSize(),
                setting.zeroing(),
                setting.switches(),
                setting.features());
    }

    private static Arbitrary<FormatFeatures> features() {
        return Arbitraries.of(
                FormatFeatures.PLAIN,
                FormatFeatures.PLAIN.withCompression(Compression.ZSTD),
                FormatFeatures.PLAIN.withExtendedL2(),
                FormatFeatures.PLAIN.withExtendedL2().withCompression(Compression.ZSTD));
    }

    @Provide
    Arbitrary<List<Action>> actions() {
        return Combinators.combine(
                        Arbitraries.of(Action.Kind.class),
                        Arbitraries.integers().between(0, 1 << 20),
                        Arbitraries.oneOf(
                                Arbitraries.integers().between(0, 700),
                                Arbitraries.integers().between(0, 5000),
                                Arbitraries.integers().between(0, 150_000)),
                        Arbitraries.bytes())
                .as(Action::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(25);
    }

    @Property(tries = 600, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-GUEST-01, QC-GUEST-03, QC-GUEST-04, QC-L2-11, QC-BACK-01, QC-REF-03: as an array, and clean")
    void behavesAsAnArray(@ForAll("settings") Setting setting, @ForAll("actions") List<Action> actions)
            throws IOException {
        MemoryHostDirectory directory = new MemoryHostDirectory(setting.zeroing());
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(setting.switches()));
        byte[] model = new byte[setting.size()];
        makeBacking(directory, driver, setting, model);
        driver.create(directory, "disk", setting.options());
        VirtualDisk disk = driver.open(directory, "disk", Images.WRITE);
        for (Action raw : actions) {
            Action action = raw.inside(setting.size(), 1 << setting.clusterBits());
            action.applyTo(disk);
            action.applyTo(model, 1 << setting.clusterBits(), setting.discards());
            assertThat(Images.readAll(disk)).isEqualTo(model);
            if (action.kind() == Action.Kind.FLUSH) {
                Images.assertClean(directory, "disk");
            }
        }
        disk.close();
        Images.assertClean(directory, "disk");
        try (VirtualDisk again = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(Images.readAll(again)).isEqualTo(model);
        }
    }

    private static void makeBacking(
            MemoryHostDirectory directory, OptimizedDriver driver, Setting setting, byte[] model) throws IOException {
        if (setting.backingSize() == 0) {
            return;
        }
        driver.create(
                directory, "base", CreateOptions.ofSize(setting.backingSize()).withClusterBits(9));
        try (VirtualDisk base = driver.open(directory, "base", Images.WRITE)) {
            for (int at = 0; at + 900 < setting.backingSize(); at += 3000) {
                base.write(at, ByteBuffer.wrap(Images.filled(900, 0x11 + at / 3000)));
                base.writeZeroes(at + 300, 100, VirtualDisk.ZeroMode.MAY_UNMAP);
            }
            byte[] bytes = Images.readAll(base);
            System.arraycopy(bytes, 0, model, 0, Math.min(bytes.length, model.length));
        }
    }
}
