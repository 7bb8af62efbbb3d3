package dev.qcow2.conformance.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Any file may be opened, by both implementations: the answer is success or a typed refusal, soon and
 * without much memory; so is the auditor's.
 */
class HostileImagesTest {

    /** None of the images claims anything that is worth more: the largest has well under a MiB. */
    private static final long MOST_BYTES = 64L << 20;

    private static final List<DiskDriver> DRIVERS = Subjects.drivers();
    private static final Watch WATCH = new Watch(20);
    private static List<HostileBase> bases = List.of();

    @BeforeAll
    static void makeBases() throws DiskException {
        bases = HostileBase.all();
    }

    @AfterAll
    static void report() {
        System.out.printf(
                "hostile images: largest allocation %,d bytes, slowest %d ms%n",
                WATCH.largestAllocation(), WATCH.longestMillis());
        WATCH.close();
    }

    @Test
    @DisplayName("The bases are valid: every request succeeds on each of them")
    void basesAreValid() {
        for (HostileBase base : bases) {
            HostileImage image = new HostileImage(base.name(), base.directory(), HostileBase.IMAGE);
            for (DiskDriver driver : DRIVERS) {
                assertThat(HostileRequests.send(driver, image.copy(), Access.READ_WRITE))
                        .as(driver.name() + ", " + base.name())
                        .allMatch(answer -> answer.endsWith("done")
                                // A count of one bit can't be shared.
                                || (base.name().startsWith("one-bit") && answer.matches("(apply|delete|snapshot):.*")));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    @DisplayName("QC-HDR-01, QC-LIM-07, QC-L2-14: images that end too early")
    void truncated(int base) throws DiskException {
        check(HostileImages.truncated(bases.get(base)), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    @DisplayName("QC-HDR-01 to QC-HDR-30, QC-LIM-01 to QC-LIM-08: each header field at its extremes")
    void headerFields(int base) throws DiskException {
        check(HostileImages.headerFields(bases.get(base)), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    @DisplayName("QC-HDR-02 to QC-HDR-30: several header fields at extremes at once")
    void headerCombinations(int base) throws DiskException {
        check(HostileImages.headerCombinations(bases.get(base), base, 400), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    @DisplayName("QC-L1-01, QC-L1-02, QC-L2-02, QC-L2-04, QC-L2-05, QC-REF-04, QC-REF-05, QC-REF-16: spoilt entries")
    void entries(int base) throws DiskException {
        check(HostileImages.entries(bases.get(base)), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 4, 5})
    @DisplayName("QC-SNAP-04, QC-SNAP-05, QC-SNAP-07, QC-LIM-05: spoilt snapshot tables")
    void snapshotFields(int base) throws DiskException {
        // The reference looks at the L1 table of a snapshot when it is used, the optimized one when opening.
        check(HostileImages.snapshotFields(bases.get(base)), false);
    }

    @Test
    @DisplayName("QC-HDR-01: random bytes, and random bytes behind a valid magic")
    void randomBytes() throws DiskException {
        check(HostileImages.random(1, 300), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    @DisplayName("QC-GUEST-07, QC-L2-14: valid images changed at random places")
    void mutated(int base) throws DiskException {
        List<HostileImage> images = new ArrayList<>();
        Random random = new Random(base);
        for (int i = 0; i < 400; i++) {
            images.add(HostileImages.mutated(bases.get(base), random));
        }
        check(images, true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 5})
    @DisplayName("QC-EXT-01, QC-EXT-02, QC-EXT-03, QC-EXT-05: header extensions of absurd lengths")
    void extensions(int base) throws DiskException {
        check(HostileExtensions.lengths(bases.get(base)), true);
    }

    @Test
    @DisplayName("QC-EXT-07, QC-HDR-15: feature name tables of odd lengths and with odd names")
    void featureNames() throws DiskException {
        check(HostileExtensions.featureNames(bases.get(0)), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @DisplayName("QC-HDR-04, QC-HDR-05, QC-EXT-06, QC-EXT-08, QC-BACK-05: odd backing names and formats")
    void backingNames(int base) throws DiskException {
        check(HostileExtensions.backingNames(bases.get(base)), true);
    }

    /** The auditor reads hostile images as well: a verdict or a typed refusal, and the file is never written. */
    private static void audit(HostileImage image, Map<String, String> failures) {
        Watch.Outcome<String> outcome = WATCH.run(() -> {
            try (HostFile file = image.directory().open(image.fileName(), Access.READ_ONLY)) {
                return new Auditor().audit(file).toText();
            } catch (DiskException e) {
                return e.toString();
            }
        });
        if (outcome.result() == null) {
            failures.put(image.name() + ", auditor", describe(outcome.failure()));
        } else if (outcome.allocatedBytes() > MOST_BYTES) {
            failures.put(image.name() + ", auditor", "took " + outcome.allocatedBytes() + " bytes of memory");
        }
    }

    /** Sends all requests to all drivers, and compares how they take the header. */
    private static void check(List<HostileImage> images, boolean mustAgree) throws DiskException {
        assertThat(images).isNotEmpty();
        Map<String, String> failures = new TreeMap<>();
        for (HostileImage image : images) {
            audit(image, failures);
            for (Access access : Access.values()) {
                List<String> verdicts = new ArrayList<>();
                for (DiskDriver driver : DRIVERS) {
                    verdicts.add(verdict(driver, image.copy(), access, failures));
                }
                if (mustAgree
                        && verdicts.stream()
                                        .map(v -> v.startsWith("open: done"))
                                        .distinct()
                                        .count()
                                > 1) {
                    failures.put(image.name() + ", " + access, "they disagree: " + verdicts);
                }
            }
        }
        failures.forEach((image, failure) -> System.out.println(image + ": " + failure));
        assertThat(failures).isEmpty();
    }

    private static String verdict(DiskDriver driver, HostileImage image, Access access, Map<String, String> failures)
            throws DiskException {
        byte[] before = image.directory().content(image.fileName()).toByteArray();
        Watch.Outcome<List<String>> outcome = WATCH.run(() -> HostileRequests.send(driver, image, access));
        String title = image.name() + ", " + access + ", " + driver.name();
        if (outcome.result() == null) {
            failures.put(title, describe(outcome.failure()));
            return "failed";
        }
        if (outcome.allocatedBytes() > MOST_BYTES) {
            failures.put(title, "took " + outcome.allocatedBytes() + " bytes of memory");
        }
        String first = outcome.result().get(0);
        boolean refused = !first.equals("open: done");
        // An accepted image may have grown beyond any array: its bytes are asked for only if they must be the same.
        if ((access == Access.READ_ONLY || refused)
                && !Arrays.equals(
                        before, image.directory().content(image.fileName()).toByteArray())) {
            failures.put(title, "the file has changed: " + first);
        }
        // The snapshot table is not the header: one implementation reads it when opening, the other when asked.
        return outcome.result().stream()
                .filter(answer -> answer.startsWith("list snapshots: ") && !answer.endsWith("done"))
                .findFirst()
                .orElse(first);
    }

    private static String describe(@org.jspecify.annotations.Nullable Throwable failure) {
        if (failure == null) {
            return "nothing came back";
        }
        StackTraceElement[] trace = failure.getStackTrace();
        StringBuilder text = new StringBuilder(failure.toString());
        for (int i = 0; i < Math.min(4, trace.length); i++) {
            text.append(" < ").append(trace[i]);
        }
        return text.toString();
    }
}
