package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Images that QEMU made, spoilt at random places: both judges count the same. */
class RandomAgreementTest {

    /** Enough for {@code mvn verify}; a longer run is asked for with {@code -Daudit.seeds=1000}. */
    private static final int SEEDS = Integer.getInteger("audit.seeds", 15);

    @TempDir
    static Path directory = Path.of("");

    @BeforeEach
    void assumeQemu() {
        QemuTools.assumeInstalled();
    }

    @ParameterizedTest
    @EnumSource(QemuImages.class)
    @DisplayName("QC-REF-03 QC-L1-02 QC-L1-03 QC-L2-03 QC-L2-05: whatever is spoilt, we count what QEMU counts")
    void randomlySpoiltImages(QemuImages made) throws Exception {
        int broken = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            PatchedImage image = made.load(directory);
            String what = new RandomDamage(image, new SplittableRandom(seed)).spoil();
            AuditReport report = Agreement.of(directory, image.bytes(), made + ", seed " + seed + ": " + what);
            broken += report.clean() ? 0 : 1;
        }
        assertThat(broken).as("seeds that broke something").isGreaterThan(SEEDS / 5);
    }
}
