package dev.qcow2.conformance.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskClosedException;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.NoSuchSnapshotException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.ReadOnlyException;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that must be refused, and change nothing. */
class BadRequestsTest {

    private static final long SIZE = 100_003;
    private static final String IMAGE = "image";

    /** A request on an open disk. */
    private interface Request {
        void send(VirtualDisk disk) throws DiskException;
    }

    static List<DiskDriver> drivers() {
        return Subjects.drivers();
    }

    private static MemoryHostDirectory image(DiskDriver driver, int refcountOrder) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        CreateOptions options = CreateOptions.ofSize(SIZE).withClusterBits(9).withRefcountOrder(refcountOrder);
        driver.create(directory, IMAGE, options);
        try (VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite())) {
            disk.write(1000, ByteBuffer.wrap("something to lose".repeat(200).getBytes(StandardCharsets.UTF_8)));
            disk.write(SIZE - 10, ByteBuffer.allocate(10).put(0, (byte) 7));
            if (refcountOrder > 0) {
                disk.createSnapshot("kept");
            }
        }
        return directory;
    }

    private static Map<String, Request> changes(long offset, int length) {
        Map<String, Request> requests = new LinkedHashMap<>();
        requests.put("write", disk -> disk.write(offset, ByteBuffer.allocate(length)));
        requests.put("zero", disk -> disk.writeZeroes(offset, length, ZeroMode.MAY_UNMAP));
        requests.put("keep", disk -> disk.writeZeroes(offset, length, ZeroMode.KEEP_ALLOCATION));
        requests.put("discard", disk -> disk.discard(offset, length));
        return requests;
    }

    private static Map<String, Request> questions(long offset, int length) {
        Map<String, Request> requests = new LinkedHashMap<>();
        requests.put("read", disk -> disk.read(offset, ByteBuffer.allocate(length)));
        requests.put("status", disk -> disk.status(offset, length));
        return requests;
    }

    private static Map<String, Request> snapshotChanges() {
        Map<String, Request> requests = new LinkedHashMap<>();
        requests.put("snapshot", disk -> disk.createSnapshot("new"));
        requests.put("apply", disk -> disk.applySnapshot("1"));
        requests.put("delete", disk -> disk.deleteSnapshot("1"));
        return requests;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-02: a request outside the disk is refused as a whole and changes nothing")
    void outOfBounds(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = image(driver, 4);
        byte[] before = directory.content(IMAGE).toByteArray();
        long[][] ranges = {
            {SIZE, 1},
            {SIZE - 1, 2},
            {SIZE + 1, 0},
            {-1, 1},
            {-1, 0},
            {-512, 1024},
            {0, (int) SIZE + 1},
            {Long.MAX_VALUE, 1},
            {Long.MAX_VALUE - 10, 1000},
            {Long.MIN_VALUE, 1},
            {1L << 62, 512}
        };
        try (VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite())) {
            for (long[] range : ranges) {
                Map<String, Request> all = changes(range[0], (int) range[1]);
                all.putAll(questions(range[0], (int) range[1]));
                all.forEach((name, request) -> assertThatThrownBy(() -> request.send(disk))
                        .as("%s at %d of %d", name, range[0], range[1])
                        .isInstanceOf(OutOfBoundsException.class));
            }
            for (long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
                assertThatThrownBy(() -> disk.writeZeroes(512, length, ZeroMode.MAY_UNMAP))
                        .isInstanceOf(OutOfBoundsException.class);
                assertThatThrownBy(() -> disk.discard(512, length)).isInstanceOf(OutOfBoundsException.class);
                assertThatThrownBy(() -> disk.status(512, length)).isInstanceOf(OutOfBoundsException.class);
            }
        }
        assertThat(directory.content(IMAGE).toByteArray()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-02: a request of length 0 inside the disk does nothing, at its very end as well")
    void emptyRequests(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = image(driver, 4);
        byte[] before = directory.content(IMAGE).toByteArray();
        try (VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite())) {
            for (long offset : new long[] {0, 1, 512, 1000, SIZE}) {
                Map<String, Request> all = changes(offset, 0);
                all.putAll(questions(offset, 0));
                for (Request request : all.values()) {
                    request.send(disk);
                }
                assertThat(disk.status(offset, 0)).isEmpty();
            }
        }
        assertThat(directory.content(IMAGE).toByteArray()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-07: a read-only disk refuses every change and its file is not written")
    void readOnly(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = image(driver, 4);
        byte[] before = directory.content(IMAGE).toByteArray();
        try (VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readOnly())) {
            Map<String, Request> all = changes(1000, 600);
            all.putAll(snapshotChanges());
            all.forEach((name, request) ->
                    assertThatThrownBy(() -> request.send(disk)).as(name).isInstanceOf(ReadOnlyException.class));
            disk.flush();
            assertThat(disk.snapshots()).hasSize(1);
        }
        assertThat(directory.content(IMAGE).toByteArray()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-08: a closed disk refuses every request, and can be closed again")
    void closed(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = image(driver, 4);
        byte[] before = directory.content(IMAGE).toByteArray();
        VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite());
        disk.close();
        disk.close();
        Map<String, Request> all = changes(1000, 600);
        all.putAll(questions(1000, 600));
        all.putAll(snapshotChanges());
        all.put("size", VirtualDisk::size);
        all.put("flush", VirtualDisk::flush);
        all.put("list", VirtualDisk::snapshots);
        all.forEach((name, request) ->
                assertThatThrownBy(() -> request.send(disk)).as(name).isInstanceOf(DiskClosedException.class));
        assertThat(directory.content(IMAGE).toByteArray()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-SNAP-08: a snapshot that is not there is a typed refusal")
    void noSuchSnapshot(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = image(driver, 4);
        byte[] before = directory.content(IMAGE).toByteArray();
        try (VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite())) {
            for (String id : new String[] {"", "2", "kept", "-1", "01", "1 ", "\0"}) {
                assertThatThrownBy(() -> disk.applySnapshot(id)).isInstanceOf(NoSuchSnapshotException.class);
                assertThatThrownBy(() -> disk.deleteSnapshot(id)).isInstanceOf(NoSuchSnapshotException.class);
            }
        }
        assertThat(directory.content(IMAGE).toByteArray()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-REF-11: a snapshot that a one-bit count can't hold is refused before anything changes")
    void fullCounts(DiskDriver driver) throws DiskException {
        MemoryHostDirectory directory = image(driver, 0);
        byte[] before = directory.content(IMAGE).toByteArray();
        try (VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite())) {
            assertThatThrownBy(() -> disk.createSnapshot("new"))
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("QC-REF-11");
            assertThat(disk.snapshots()).isEmpty();
        }
        assertThat(directory.content(IMAGE).toByteArray()).isEqualTo(before);
    }
}
