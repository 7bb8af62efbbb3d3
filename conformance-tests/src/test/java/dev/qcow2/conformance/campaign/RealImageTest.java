package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Campaigns that start from images that QEMU made; the script bin/real-images does the same with large ones. */
class RealImageTest {

    private static final List<DiskDriver> DRIVERS = List.of(new ReferenceDriver(), new OptimizedDriver());

    private final Path directory;

    RealImageTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @BeforeEach
    void needPrograms() {
        assumeTrue(QemuTools.find().isPresent(), "qemu-img or qemu-io is not installed");
    }

    @Test
    @DisplayName("QC-GUEST-01 QC-BACK-03 sequences on a real ext4 file system, and on an overlay on it")
    void fileSystem() throws Exception {
        assumeTrue(works("mkfs.ext4", "-V"), "mkfs.ext4 is not installed");
        Path content = Files.createDirectory(directory.resolve("content"));
        for (int i = 1; i <= 40; i++) {
            Files.write(content.resolve("file" + i), Fill.bytes(i, i * 10_000));
        }
        command("truncate", "-s", "64M", "fs.raw");
        command("mkfs.ext4", "-q", "-F", "-d", "content", "fs.raw");
        command("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "fs.raw", "fs.qcow2");
        command("qemu-img", "create", "-q", "-f", "qcow2", "-b", "fs.qcow2", "-F", "qcow2", "overlay.qcow2");
        command("qemu-io", "-f", "qcow2", "-c", "write -P 1 1M 64k", "-c", "write -z 3M 1M", "overlay.qcow2");
        assertSame("fs.qcow2", 5);
        assertSame("overlay.qcow2", 5);
    }

    @Test
    @DisplayName("QC-L2-07 sequences on an image of zero clusters only")
    void zeroClusters() throws Exception {
        command("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "zeros.qcow2", "8M");
        command("qemu-io", "-f", "qcow2", "-c", "write -z -u 0 8M", "zeros.qcow2");
        assertSame("zeros.qcow2", 20);
    }

    @Test
    @DisplayName("QC-HDR-13 sequences on a version 2 image with a size that is no multiple of the cluster")
    void version2() throws Exception {
        command("qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10,cluster_size=512", "old.qcow2", "70k");
        command("qemu-io", "-f", "qcow2", "-c", "write -P 9 20k 30k", "old.qcow2");
        assertSame("old.qcow2", 20);
    }

    private void assertSame(String image, long sequences) throws Exception {
        Path path = directory.resolve(image);
        byte[] before = Files.readAllBytes(path);
        CampaignOptions options = CampaignOptions.ofSeed(1)
                .withImage(path)
                .withSequences(sequences)
                .withQemuEvery((int) sequences);
        CampaignResult result = Campaign.run(options, DRIVERS, ProgressListener.SILENT);
        assertThat(result.difference()).isEmpty();
        assertThat(result.sequences()).isEqualTo(sequences);
        assertThat(result.qemuSequences()).isEqualTo(1);
        assertThat(result.notes()).anyMatch(note -> note.contains("qemu-img convert"));
        assertThat(Files.readAllBytes(path)).as("the image is never touched").isEqualTo(before);
    }

    private void command(String... words) throws Exception {
        Path log = directory.resolve("log.txt");
        Process process = new ProcessBuilder(words)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertThat(process.waitFor()).as(Files.readString(log)).isZero();
    }

    private static boolean works(String... words) throws InterruptedException {
        try {
            return new ProcessBuilder(words)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
