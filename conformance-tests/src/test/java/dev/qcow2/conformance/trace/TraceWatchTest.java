package dev.qcow2.conformance.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.trace.HostObserver;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a watch hears of steps that no model speaks of. */
class TraceWatchTest {

    private static List<Operation> steps() throws Exception {
        return ScriptText.parse("""
            qcow2-script 1
            layer qcow2 98304 version 3 cluster 32768 refcount 16 lazy-refcounts
            operations
            qemu discard 65536 512
            write 0 1 1
            reopen
            write 32768 1 2
            """).operations();
    }

    @Test
    @DisplayName(
            "QC-HDR-16 QC-REF-13: a step that nobody told of may leave the image dirty, and that is no fault of the next one")
    void dirtyAfterAnUntoldStep() throws Exception {
        TraceWatch watch = new TraceWatch(false);
        OptimizedDriver driver = new OptimizedDriver();
        MemoryHostDirectory plain = new MemoryHostDirectory();
        driver.create(
                plain,
                "disk",
                CreateOptions.ofSize(98304).withClusterBits(15).withFeatures(FormatFeatures.PLAIN.withLazyRefcounts()));
        try (HostFile file = plain.open("disk", Access.READ_ONLY)) {
            watch.start(file);
        }
        HostDirectory watched = new WrappingHostDirectory<>(plain, file -> new HostObserver(file, watch.sink()));
        try (VirtualDisk disk = driver.open(watched, "disk", OpenOptions.readWrite())) {
            step(watch, plain, disk, 0, 65536);
            step(watch, plain, disk, 1, 0);
        }
        // Closed, the image is clean, and what comes then is judged again.
        try (VirtualDisk disk = driver.open(watched, "disk", OpenOptions.readWrite())) {
            watch.before(steps().get(2), disk);
            check(watch, plain);
            step(watch, plain, disk, 3, 32768);
        }
    }

    private static void step(TraceWatch watch, MemoryHostDirectory plain, VirtualDisk disk, int index, long offset)
            throws Exception {
        watch.before(steps().get(index), disk);
        disk.write(offset, ByteBuffer.wrap(new byte[] {1}));
        disk.flush();
        check(watch, plain);
    }

    private static void check(TraceWatch watch, MemoryHostDirectory plain) throws Exception {
        try (HostFile file = plain.open("disk", Access.READ_ONLY)) {
            assertThat(watch.after(file)).isEmpty();
        }
    }
}
