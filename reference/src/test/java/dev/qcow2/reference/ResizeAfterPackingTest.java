package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a writer remembers of free places does not survive a resize. */
class ResizeAfterPackingTest {

    private static final int CLUSTER = 1 << 16;

    @Test
    @DisplayName("QC-CMP-10 QC-MNT-02 after a resize has freed the last packed cluster, nothing is packed into it")
    void packs() throws Exception {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        ReferenceDriver driver = new ReferenceDriver();
        driver.create(directory, "image", CreateOptions.ofSize(4 * CLUSTER));
        ByteBuffer ones = ByteBuffer.allocate(CLUSTER);
        while (ones.hasRemaining()) {
            ones.put((byte) 1);
        }
        ByteBuffer read = ByteBuffer.allocate(CLUSTER);
        try (VirtualDisk disk = driver.open(directory, "image", OpenOptions.readWrite())) {
            disk.writeCompressed(3 * CLUSTER, ones.flip());
            disk.resize(2 * CLUSTER, Preallocation.OFF);
            disk.write(0, ByteBuffer.allocate(CLUSTER).put(0, (byte) 2));
            disk.writeCompressed(CLUSTER, ones.rewind());
            disk.read(CLUSTER, read);
        }
        assertThat(read.flip()).isEqualTo(ones.rewind());
        try (HostFile file = directory.open("image", Access.READ_ONLY)) {
            assertThat(new Auditor().audit(file).clean()).isTrue();
        }
    }
}
