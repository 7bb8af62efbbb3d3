package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.HostException;
import dev.qcow2.spec.disk.NoSpaceException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The host fails once, at any of its calls: the caller is told, and nothing that was flushed is lost. */
class FailingHostTest {

    private static final int SIZE = 60_000;

    /** Fails one change of the file, after having done a part of it. */
    static final class FailingFile extends ForwardingHostFile {
        private final boolean flushesToo;
        private int left;
        boolean failed;

        FailingFile(HostFile target, int left, boolean flushesToo) {
            super(target);
            this.left = left;
            this.flushesToo = flushesToo;
        }

        private boolean failsNow() {
            return left-- == 0;
        }

        private NoSpaceException failure(String what) {
            failed = true;
            return new NoSpaceException(name(), what);
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            if (failsNow()) {
                ByteBuffer part = from.duplicate();
                part.limit(part.position() + part.remaining() / 2);
                super.write(hostOffset, part);
                throw failure("write at " + hostOffset);
            }
            super.write(hostOffset, from);
        }

        @Override
        public boolean zero(long hostOffset, long length) throws DiskException {
            if (failsNow()) {
                throw failure("zero at " + hostOffset);
            }
            return super.zero(hostOffset, length);
        }

        @Override
        public void flush() throws DiskException {
            if (flushesToo && failsNow()) {
                throw failure("flush");
            }
            super.flush();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2047, false",
        "2039, false",
        "2046, false",
        "2043, false",
        "0, false",
        "2047, true",
        "2046, true",
        "1023, true",
        "0, true"
    })
    @DisplayName("QC-GUEST-06, QC-GUEST-10, QC-GUEST-12: a failed call of the host costs its own request only")
    void failsOnce(int switches, boolean extended) throws IOException {
        boolean reached = true;
        for (int call = 0; reached; call++) {
            reached = run(OptimizedOptions.of(switches), extended, call, false);
        }
    }

    @ParameterizedTest
    @CsvSource({"2047, false", "0, false", "2047, true"})
    @DisplayName("QC-GUEST-06: after a failed flush the disk refuses changes, and only leaks are left behind")
    void flushFails(int switches, boolean extended) throws IOException {
        boolean reached = true;
        for (int call = 0; reached; call++) {
            reached = run(OptimizedOptions.of(switches), extended, call, true);
        }
    }

    private static boolean run(OptimizedOptions options, boolean extended, int call, boolean flushesToo)
            throws IOException {
        int clusterBits = extended ? 14 : 9;
        MemoryHostDirectory directory = new MemoryHostDirectory();
        OptimizedDriver driver = new OptimizedDriver(options);
        driver.create(
                directory,
                "disk",
                CreateOptions.ofSize(SIZE)
                        .withClusterBits(clusterBits)
                        .withRefcountOrder(6)
                        .withFeatures(extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN));
        List<FailingFile> files = new ArrayList<>();
        VirtualDisk disk = driver.open(
                Images.wrapping(directory, "disk", file -> {
                    files.add(new FailingFile(file, call, flushesToo));
                    return files.get(0);
                }),
                "disk",
                Images.WRITE);
        Expected expected = new Expected(1 << clusterBits);
        for (Action action : actions(1 << clusterBits)) {
            try {
                action.applyTo(disk);
                expected.done(action);
            } catch (HostException e) {
                expected.failed(action);
            }
        }
        boolean unflushedLost = !closes(disk) || flushesToo;
        AuditReport report = Images.audit(directory, "disk");
        assertThat(report.sound())
                .as("failure at call %d%n%s", call, report.toText())
                .isTrue();
        try (VirtualDisk again = driver.open(directory, "disk", Images.WRITE)) {
            expected.check(Images.readAll(again), unflushedLost, call);
        }
        return files.get(0).failed;
    }

    private static boolean closes(VirtualDisk disk) {
        try {
            disk.close();
            return true;
        } catch (DiskException e) {
            assertThat(e).isInstanceOf(HostException.class);
            return false;
        }
    }

    private static List<Action> actions(int clusterSize) {
        SplittableRandom random = new SplittableRandom(5);
        List<Action> actions = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Action.Kind kind = Action.Kind.any(random);
            actions.add(new Action(kind, random.nextInt(SIZE), random.nextInt(4000), (byte) (i + 1))
                    .inside(SIZE, clusterSize));
        }
        return actions;
    }

    /** The bytes that the disk must hold, and where a failed request leaves it open. */
    private static final class Expected {
        private final int clusterSize;
        private final byte[] bytes = new byte[SIZE];
        private final List<byte[]> sinceFlush = new ArrayList<>(List.of(new byte[SIZE]));
        private final boolean[] open = new boolean[SIZE];
        private boolean anyFailed;

        Expected(int clusterSize) {
            this.clusterSize = clusterSize;
        }

        void done(Action action) {
            action.applyTo(bytes, clusterSize, true);
            if (action.kind() == Action.Kind.FLUSH) {
                sinceFlush.clear();
            }
            sinceFlush.add(bytes.clone());
            if (anyFailed) {
                touch(action);
            }
        }

        void failed(Action action) {
            anyFailed = true;
            touch(action);
        }

        private void touch(Action action) {
            for (int at = action.offset(); at < action.offset() + action.length(); at++) {
                open[at] = true;
            }
        }

        /** What was never flushed may be lost in part; then a byte is as it was at some moment since. */
        void check(byte[] found, boolean unflushedLost, int call) {
            for (int at = 0; at < SIZE; at++) {
                int here = at;
                boolean right = found[at] == bytes[at]
                        || open[at]
                        || (unflushedLost && sinceFlush.stream().anyMatch(state -> state[here] == found[here]));
                assertThat(right)
                        .as("failure at call %d: byte %d is %d, was to be %d", call, at, found[at], bytes[at])
                        .isTrue();
            }
        }
    }
}
