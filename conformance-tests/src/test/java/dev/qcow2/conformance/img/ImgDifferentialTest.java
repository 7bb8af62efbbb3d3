package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.img.ImgCases.Difference;
import dev.qcow2.conformance.qemu.QemuTools;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code qcow2 img} and qemu-img do the same with the same words: exit codes, results, messages, and the bytes that they leave. */
class ImgDifferentialTest {

    @BeforeAll
    static void requireQemu() {
        assumeTrue(QemuTools.find().isPresent(), "qemu-img or qemu-io is not installed");
    }

    @DisplayName("A table of command lines, each run by qemu-img and by ours")
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"create", "info", "malformed", "change"})
    void sameAsQemu(String table, @TempDir Path root) throws Exception {
        ImgCases cases = new ImgCases(root, List.of("optimized", "reference"));
        assertThat(cases.run(ImgCases.table(table)))
                .extracting(ImgDifferentialTest::text)
                .isEmpty();
        assertThat(cases.commands()).as("commands of the table").isGreaterThan(40);
    }

    private static String text(Difference difference) {
        return difference.title() + ": " + difference.command() + "\nexpected " + difference.expected() + "\nfound    "
                + difference.found();
    }
}
