package dev.qcow2.conformance.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Skipped tests are told with their reason. */
class SkippedTestsTest {

    @Test
    void countsByReason(@TempDir Path top) throws IOException {
        Path folder = Files.createDirectories(top.resolve("module/target/surefire-reports"));
        Files.writeString(
                folder.resolve("TEST-a.xml"),
                "<testsuite tests='3'><testcase/>"
                        + "<testcase><skipped message='Assumption failed: qemu-img is missing'/></testcase>"
                        + "<testcase><skipped>org.opentest4j.TestAbortedException: Assumption failed: qemu-img is missing\n"
                        + "  at some.Class</skipped></testcase></testsuite>");
        assertThat(SkippedTests.summary(top).lines())
                .containsExactly("2 tests were skipped", "     2  qemu-img is missing");
    }
}
