package dev.qcow2.conformance.rules;

import static dev.qcow2.conformance.rules.ZeroClusterImage.NAME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.conformance.rules.ZeroClusterImage.Content;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Images whose snapshots have zero clusters become version 2 by us and are read by QEMU, and the other way round. */
class VersionTwoByQemuTest {

    private static QemuTools qemu() {
        Optional<QemuTools> found = QemuTools.find();
        assumeTrue(found.isPresent(), "qemu-img or qemu-io is not installed");
        return found.orElseThrow();
    }

    static Stream<Arguments> images() {
        return LongStream.range(0, 10).boxed().flatMap(seed -> RuleImage.drivers()
                .map(driver -> Arguments.of(driver, seed)));
    }

    @ParameterizedTest
    @MethodSource("images")
    @DisplayName(
            "QC-MNT-17: QEMU finds nothing wrong with what an amend of ours leaves, and reads each snapshot as before")
    void ours(DiskDriver driver, long seed, @TempDir Path path) throws Exception {
        QemuTools qemu = qemu();
        ZeroClusterImage image = ZeroClusterImage.plain(new ReferenceDriver(), seed);
        Content content = ZeroClusterImage.content(driver, image.directory());
        image.amend(driver, image.directory());
        assertThat(image.version()).isEqualTo(2);
        assertThat(qemu.check(QemuImage.of(image.exportTo(path)))).isEmpty();
        assertThat(qemuReads(qemu, path)).isEqualTo(image.disk(content.disk()));
        for (Map.Entry<String, ByteBuffer> snapshot : content.snapshots().entrySet()) {
            QemuImage copy = QemuImage.of(image.exportTo(path));
            assertThat(qemu.perform(copy, new SnapshotApply(snapshot.getKey()))).isEmpty();
            assertThat(qemuReads(qemu, path)).as(snapshot.getKey()).isEqualTo(image.disk(snapshot.getValue()));
            assertThat(qemu.check(copy)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("images")
    @DisplayName("QC-MNT-17: we read what an amend of QEMU's leaves, as it was before")
    void qemus(DiskDriver driver, long seed, @TempDir Path path) throws Exception {
        QemuTools qemu = qemu();
        ZeroClusterImage image = ZeroClusterImage.forQemu(new ReferenceDriver(), seed);
        Content content = ZeroClusterImage.content(driver, image.directory());
        AmendOptions changes = AmendOptions.NOTHING.withVersion(2).withLazyRefcounts(false);
        assertThat(qemu.perform(QemuImage.of(image.exportTo(path)), new Amend(changes.withRefcountOrder(4))))
                .isEmpty();
        image.importFrom(path);
        assertThat(image.version()).isEqualTo(2);
        image.requireClean(image.toString());
        assertThat(ZeroClusterImage.content(driver, image.directory())).isEqualTo(content);
    }

    private static ByteBuffer qemuReads(QemuTools qemu, Path path) throws IOException {
        Path raw = path.resolve("raw");
        qemu.convertToRaw(QemuImage.of(path.resolve(NAME)), raw);
        return ByteBuffer.wrap(Files.readAllBytes(raw));
    }
}
