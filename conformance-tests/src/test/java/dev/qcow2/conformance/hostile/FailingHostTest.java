package dev.qcow2.conformance.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A host that fails in the middle of a request. */
class FailingHostTest {

    private static final int SIZE = 60_000;
    private static final int FROM = 20_100;
    private static final int TO = 27_000;

    static List<DiskDriver> drivers() {
        return Subjects.drivers();
    }

    /** Fails one change, counted from the moment it is armed; all others go through. */
    private static final class FailingFile extends ForwardingHostFile {
        private int left = Integer.MAX_VALUE;
        private int armed;
        private boolean failed;

        FailingFile(HostFile target) {
            super(target);
        }

        private void change() throws DiskException {
            left--;
            if (left == 0) {
                failed = true;
                // A full disk and a broken one, in turn.
                throw armed % 2 == 0
                        ? new NoSpaceException(name(), "a change")
                        : new HostIoException(name(), "a change", null);
            }
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            change();
            super.write(hostOffset, from);
        }

        @Override
        public boolean zero(long hostOffset, long length) throws DiskException {
            change();
            return super.zero(hostOffset, length);
        }

        @Override
        public void flush() throws DiskException {
            change();
            super.flush();
        }
    }

    /** A request that touches the range and nothing else. */
    private interface Request {
        void send(VirtualDisk disk) throws DiskException;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    @DisplayName("QC-GUEST-10, QC-GUEST-05: a change that fails in the middle changes no byte outside its range")
    void failuresStayInRange(DiskDriver driver) throws DiskException {
        List<Request> requests = List.of(
                disk -> disk.write(FROM, ByteBuffer.allocate(TO - FROM)),
                disk -> disk.writeZeroes(FROM, TO - FROM, ZeroMode.MAY_UNMAP),
                disk -> disk.writeZeroes(FROM, TO - FROM, ZeroMode.KEEP_ALLOCATION),
                disk -> disk.discard(FROM, TO - FROM));
        int failures = 0;
        for (Request request : requests) {
            for (int change = 1; change < 60; change++) {
                failures += failsInRange(driver, request, change) ? 1 : 0;
            }
        }
        assertThat(failures).isGreaterThan(20);
    }

    private static boolean failsInRange(DiskDriver driver, Request request, int change) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, "image", CreateOptions.ofSize(SIZE).withClusterBits(9));
        byte[] expected = new byte[SIZE];
        Arrays.fill(expected, (byte) 0x5e);
        WrappingHostDirectory<FailingFile> failing = new WrappingHostDirectory<>(directory, FailingFile::new);
        boolean failed = false;
        VirtualDisk disk = driver.open(failing, "image", OpenOptions.readWrite());
        disk.write(0, ByteBuffer.wrap(expected));
        disk.createSnapshot("kept");
        disk.flush();
        FailingFile file = failing.files().get(0);
        file.left = change;
        file.armed = change;
        try {
            request.send(disk);
            disk.flush();
        } catch (HostException e) {
            failed = true;
        }
        // Nobody swallows a failure; later requests of the same disk still see the right bytes.
        assertThat(failed).isEqualTo(file.failed);
        file.left = Integer.MAX_VALUE;
        requireOutside(disk, expected);
        try {
            disk.close();
        } catch (HostException e) {
            // After a failed flush nothing more is promised than that the file can be opened.
        }
        try (VirtualDisk again = driver.open(directory, "image", OpenOptions.readWrite())) {
            requireOutside(again, expected);
        }
        return failed;
    }

    private static void requireOutside(VirtualDisk disk, byte[] expected) throws DiskException {
        ByteBuffer all = ByteBuffer.allocate(SIZE);
        disk.read(0, all);
        assertThat(Arrays.equals(all.array(), 0, FROM, expected, 0, FROM)).isTrue();
        assertThat(Arrays.equals(all.array(), TO, SIZE, expected, TO, SIZE)).isTrue();
    }
}
