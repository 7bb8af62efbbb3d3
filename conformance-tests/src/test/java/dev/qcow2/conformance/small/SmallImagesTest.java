package dev.qcow2.conformance.small;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.command.Qcow2Command;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * All sound images of the bound, and a third of those with one broken rule: auditor and implementations on each, QEMU on a
 * sample. {@code qcow2 small-images} takes all of them.
 */
class SmallImagesTest {

    private static final int QEMU_EVERY = 150;
    private static final int BROKEN_EVERY = 3;

    private static List<SmallCase> chosen() {
        List<SmallCase> cases = new ArrayList<>(SmallCase.sound());
        for (BrokenRule rule : BrokenRule.values()) {
            List<SmallCase> broken = SmallCase.broken(rule);
            for (int i = 0; i < broken.size(); i += BROKEN_EVERY) {
                cases.add(broken.get(i));
            }
        }
        return cases;
    }

    @Test
    @DisplayName("no clause: the bound has so many images, all different, and each rule is broken in some")
    void bound() {
        List<SmallCase> sound = SmallCase.sound();
        assertThat(sound).hasSize(1338);
        assertThat(new HashSet<>(SmallImage.all())).hasSize(1338);
        for (BrokenRule rule : BrokenRule.values()) {
            assertThat(SmallCase.broken(rule)).as(rule.toString()).hasSizeGreaterThan(100);
        }
    }

    @Test
    @DisplayName(
            "QC-REF-03, QC-L1-02, QC-L1-03, QC-L2-03, QC-L2-05, QC-L2-08, QC-L2-14, QC-REF-05, QC-REF-16, QC-SNAP-05,"
                    + " QC-MNT-13: auditor and both implementations agree on every image with what it is by construction")
    void everybodyAgrees() throws Exception {
        SmallTally tally = new SmallRun(
                        List.of(new ReferenceDriver(), new OptimizedDriver()), Optional.empty(), 1, 2, () -> {})
                .run(chosen());
        System.out.print(tally.table().toText());
        assertThat(tally.disagreements()).isEmpty();
        assertThat(tally.images()).isEqualTo(chosen().size());
    }

    @Test
    @DisplayName("QC-REF-03: qemu-img check counts what the auditor counts, on a sample of all images")
    void qemuAgrees() throws Exception {
        Optional<QemuTools> qemu = QemuTools.find();
        Assumptions.assumeTrue(qemu.isPresent(), "QEMU is not installed (qemu-utils)");
        List<SmallCase> sample = new ArrayList<>();
        List<SmallCase> all = chosen();
        for (int i = 0; i < all.size(); i += QEMU_EVERY) {
            sample.add(all.get(i));
        }
        SmallTally tally = new SmallRun(List.of(), qemu, 1, 2, () -> {}).run(sample);
        assertThat(tally.disagreements()).isEmpty();
    }

    @Test
    @DisplayName("no clause: a judge that is wrong is told, with the image")
    void disagreementIsTold() throws Exception {
        SmallCase broken = SmallCase.broken(BrokenRule.COUNT_TOO_LOW).get(0);
        SmallCase mistaken = new SmallCase(broken.image(), Optional.empty(), "", broken.file());
        assertThat(SmallJudge.auditor(mistaken)).isPresent();
        assertThat(SmallJudge.implementation(mistaken, new ReferenceDriver())).isPresent();
        SmallTally tally =
                new SmallRun(List.of(new OptimizedDriver()), Optional.empty(), 1, 1, () -> {}).run(List.of(mistaken));
        assertThat(tally.disagreed()).isEqualTo(2);
        assertThat(tally.disagreements().get(0)).startsWith("auditor on version 2");
        assertThat(tally.table().toText()).contains("0 of 1");
    }

    @Test
    @DisplayName("no clause: the command prints the table of one rule")
    void command() {
        StringWriter out = new StringWriter();
        int code = Qcow2Command.run(
                new PrintWriter(out),
                new PrintWriter(new StringWriter()),
                "small-images",
                "--no-qemu",
                "--rule",
                "L2_COPIED");
        assertThat(code).as(out.toString()).isZero();
        assertThat(out.toString()).contains("COPIED is wrong in an L2 entry", "QC-L2-03", "disagreements: none");
    }
}
