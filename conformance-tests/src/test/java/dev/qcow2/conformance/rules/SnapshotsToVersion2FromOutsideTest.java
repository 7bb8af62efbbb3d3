package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.ZeroClusterImage.NAME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.rules.ZeroClusterImage.Content;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.optimized.OptimizedOptions;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RecordingHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;

/** Images whose snapshots have zero clusters become version 2, which has none. */
class SnapshotsToVersion2FromOutsideTest {

    private static List<DiskDriver> drivers() {
        return List.of(new ReferenceDriver(), new OptimizedDriver(), new OptimizedDriver(OptimizedOptions.allOff()));
    }

    @Property(tries = 80, edgeCases = EdgeCasesMode.NONE)
    @Label(
            "QC-MNT-17 QC-MNT-31 QC-L2-08 QC-SNAP-01 QC-L2-03: all reads as before, counts and flags are right, and what was shared is")
    void random(@ForAll long seed) throws DiskException {
        for (DiskDriver driver : drivers()) {
            ZeroClusterImage image = ZeroClusterImage.of(new ReferenceDriver(), seed);
            Content before = ZeroClusterImage.content(driver, image.directory());
            Map<String, List<Long>> roots = image.roots();
            image.amend(driver, image.directory());
            String what = driver.name() + ", " + image;
            assertThat(image.version()).as(what).isEqualTo(2);
            image.requireClean(what);
            assertThat(image.roots()).as(what).isEqualTo(roots);
            for (DiskDriver reader : drivers()) {
                assertThat(ZeroClusterImage.content(reader, image.directory()))
                        .as(what)
                        .isEqualTo(before);
            }
        }
    }

    @Property(tries = 12, edgeCases = EdgeCasesMode.NONE)
    @Label(
            "QC-MNT-27 QC-REF-13 QC-REF-14 QC-L2-13: cut off anywhere it reads the same, has leaks at most, and is done by the next try")
    void cut(@ForAll long seed) throws DiskException {
        SplittableRandom random = new SplittableRandom(seed);
        for (DiskDriver driver : drivers()) {
            ZeroClusterImage image = ZeroClusterImage.of(new ReferenceDriver(), seed);
            Content content = ZeroClusterImage.content(driver, image.directory());
            byte[] before = image.bytes();
            WrappingHostDirectory<RecordingHostFile> recording =
                    new WrappingHostDirectory<>(image.directory(), RecordingHostFile::new);
            image.amend(driver, recording);
            List<HostEvent> events = new ArrayList<>();
            recording.files().forEach(file -> events.addAll(file.events()));
            for (int i = 0; i < 25; i++) {
                int cut = random.nextInt(events.size() + 1);
                image.replace(before);
                try (HostFile file = image.directory().open(NAME, Access.READ_WRITE)) {
                    replay(events.subList(0, cut), random, file);
                }
                String when = driver.name() + ", " + image + ", cut after " + cut + " of " + events.size();
                image.requireNoLoss(when);
                assertThat(ZeroClusterImage.content(driver, image.directory()))
                        .as(when)
                        .isEqualTo(content);
                image.amend(driver, image.directory());
                assertThat(image.version()).as(when).isEqualTo(2);
                image.requireNothingButLeaks(when + ", again");
                assertThat(ZeroClusterImage.content(driver, image.directory()))
                        .as(when + ", again")
                        .isEqualTo(content);
            }
        }
    }

    /** Half of what was not flushed is lost. */
    private static void replay(List<HostEvent> events, SplittableRandom random, HostFile file) throws DiskException {
        int flushed = 0;
        for (int i = 0; i < events.size(); i++) {
            flushed = events.get(i).kind() == HostEvent.Kind.FLUSH ? i : flushed;
        }
        for (int i = 0; i < events.size(); i++) {
            if (i < flushed || random.nextBoolean()) {
                events.get(i).applyTo(file);
            }
        }
    }
}
