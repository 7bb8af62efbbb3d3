package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import java.nio.file.Path;
import java.util.List;
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

    private static final List<ByteField> HEADER_FIELDS = List.of(
            HeaderLayout.L1_SIZE,
            HeaderLayout.L1_TABLE_OFFSET,
            HeaderLayout.REFCOUNT_TABLE_OFFSET,
            HeaderLayout.REFCOUNT_TABLE_CLUSTERS,
            HeaderLayout.NB_SNAPSHOTS,
            HeaderLayout.SNAPSHOTS_OFFSET);
    private static final BitField COPIED = MappingLayout.L2_COPIED;

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
            String what = spoil(image, new SplittableRandom(seed));
            AuditReport report = Agreement.of(directory, image.bytes(), made + ", seed " + seed + ": " + what);
            broken += report.clean() ? 0 : 1;
        }
        assertThat(broken).as("seeds that broke something").isGreaterThan(SEEDS / 3);
    }

    private static String spoil(PatchedImage image, SplittableRandom random) {
        StringBuilder what = new StringBuilder();
        for (int times = 1 + random.nextInt(3); times > 0; times--) {
            what.append(spoilOnce(image, random)).append("; ");
        }
        return what.toString();
    }

    private static String spoilOnce(PatchedImage image, SplittableRandom random) {
        int l1Size = (int) image.header(HeaderLayout.L1_SIZE);
        return switch (random.nextInt(6)) {
            case 0 -> spoilCount(image, random);
            case 1 -> spoilEntry(image, image.refcountTableAt(random.nextInt(3)), random);
            case 2 -> spoilHeader(image, random);
            case 3 -> l1Size == 0 ? "nothing" : spoilEntry(image, image.l1At(random.nextInt(l1Size)), random);
            default -> l1Size == 0 ? "nothing" : spoilL2(image, random.nextInt(l1Size), random);
        };
    }

    private static String spoilCount(PatchedImage image, SplittableRandom random) {
        long cluster = random.nextLong(image.size() / image.clusterSize());
        long count = random.nextInt(4);
        image.count(cluster, count);
        return "count of cluster " + cluster + " = " + count;
    }

    private static String spoilHeader(PatchedImage image, SplittableRandom random) {
        ByteField field = HEADER_FIELDS.get(random.nextInt(HEADER_FIELDS.size()));
        long value = field.width() == 4 ? random.nextInt(4) : clusterOffset(image, random);
        image.header(field, value);
        return field.name() + " = " + value;
    }

    private static String spoilL2(PatchedImage image, int l1Index, SplittableRandom random) {
        int entries = (int) image.clusterSize() / (image.extended() ? 16 : 8);
        long at = image.l2At(l1Index, random.nextInt(random.nextBoolean() ? 10 : entries));
        if (image.clusterOf(image.l1At(l1Index)) == 0 || at + 16 > image.size()) {
            return "nothing";
        }
        boolean bitmap = image.extended() && random.nextInt(3) == 0;
        return spoilEntry(image, bitmap ? at + 8 : at, random);
    }

    private static String spoilEntry(PatchedImage image, long at, SplittableRandom random) {
        long old = image.entry(at);
        long value =
                switch (random.nextInt(8)) {
                    case 0 -> old ^ COPIED.mask();
                    case 1 -> old ^ MappingLayout.L2_COMPRESSED.mask();
                    case 2 -> old ^ (1L << random.nextInt(64));
                    case 3 -> COPIED.inPlace(old) | clusterOffset(image, random);
                    case 4 -> clusterOffset(image, random) + 4 * image.clusterSize();
                    case 5 -> 0;
                    case 6 -> old ^ MappingLayout.L2_ZERO.mask();
                    default -> old + 512L * random.nextInt(4);
                };
        image.entry(at, value);
        return String.format("entry at 0x%x: %016x = %016x", at, old, value);
    }

    private static long clusterOffset(PatchedImage image, SplittableRandom random) {
        return random.nextLong(image.size() / image.clusterSize()) << image.clusterBits();
    }
}
