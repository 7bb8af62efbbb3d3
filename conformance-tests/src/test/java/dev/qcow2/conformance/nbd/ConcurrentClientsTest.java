package dev.qcow2.conformance.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.conformance.nbd.NbdClient.Chunk;
import dev.qcow2.conformance.nbd.NbdServer.Life;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/**
 * Several clients, each with several requests under way. Each has a part of the disk to itself, whose borders lie inside clusters, so that
 * clusters and tables are shared and the bytes are not: what each must read is known.
 */
class ConcurrentClientsTest {

    private static final String IMAGE = "disk";
    private static final int CLIENTS = 4;
    private static final int PART = 150_001;
    private static final int ROUNDS = 12;
    private static final int IN_FLIGHT = 16;
    private static final int SIZE = CLIENTS * PART + 77;

    @Property(tries = 12, shrinking = ShrinkingMode.OFF)
    @Label("Whatever several clients do at the same time, each reads what it wrote, and the image stays sound")
    void eachReadsItsOwn(@ForAll long seed, @ForAll boolean fast) throws Exception {
        DiskDriver driver = fast ? new OptimizedDriver() : new ReferenceDriver();
        DiskDriver witness = fast ? new ReferenceDriver() : new OptimizedDriver();
        MemoryHostDirectory directory = new MemoryHostDirectory();
        driver.create(directory, IMAGE, CreateOptions.ofSize(SIZE));
        byte[] model = new byte[SIZE];
        VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite());
        try (RunningServer server =
                new RunningServer(disk, new Life(CLIENTS, true), Trait.SEVERAL_CLIENTS, Trait.FAST_ZEROES)) {
            ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                SplittableRandom random = new SplittableRandom(seed + i);
                int from = i * PART;
                Callable<Void> task = () -> {
                    new Worker(server, random, model, from).run();
                    return null;
                };
                ends.add(clients.submit(task));
            }
            clients.shutdown();
            for (Future<?> end : ends) {
                end.get();
            }
            assertThat(server.log()).isEmpty();
        }
        try (VirtualDisk again = witness.open(directory, IMAGE, OpenOptions.readOnly())) {
            byte[] seen = new byte[SIZE];
            Arrays.fill(seen, (byte) 0xAA);
            again.read(0, ByteBuffer.wrap(seen));
            assertThat(Arrays.mismatch(seen, model)).isEqualTo(-1);
        }
        try (HostFile file = directory.open(IMAGE, Access.READ_ONLY)) {
            AuditReport report = new Auditor().audit(file);
            assertThat(report.clean()).as(report.toText()).isTrue();
        }
    }

    /** One client with its part of the disk, which nobody else touches. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Worker(RunningServer server, SplittableRandom random, byte[] model, int from) {

        /** A read and what it must bring. */
        @SuppressWarnings("ArrayRecordComponent") // never compared
        private record Expected(int offset, byte[] bytes, byte[] seen) {}

        void run() throws IOException {
            try (NbdClient client = server.client()) {
                for (int round = 0; round < ROUNDS; round++) {
                    change(client);
                    compare(client);
                }
            }
        }

        /** Sends requests that don't overlap, then takes the answers, in whatever order they come. */
        private void change(NbdClient client) throws IOException {
            int slice = PART / IN_FLIGHT;
            for (int i = 0; i < IN_FLIGHT; i++) {
                int first = from + i * slice + random.nextInt(slice / 2);
                int length = 1 + random.nextInt(from + (i + 1) * slice - first);
                int fua = random.nextInt(8) == 0 ? NbdClient.FUA : 0;
                switch (random.nextInt(6)) {
                    case 0 -> {
                        int flags = fua
                                | (random.nextBoolean() ? NbdClient.NO_HOLE : 0)
                                | (random.nextBoolean() ? NbdClient.FAST_ZERO : 0);
                        client.request(NbdClient.WRITE_ZEROES, flags, first, length);
                        Arrays.fill(model, first, first + length, (byte) 0);
                    }
                    case 1 -> client.request(NbdClient.FLUSH, 0, 0, 0);
                    case 2 -> client.request(NbdClient.BLOCK_STATUS, NbdClient.REQ_ONE, first, length);
                    case 3 -> client.request(NbdClient.CACHE, 0, first, length);
                    default -> {
                        byte[] data = new byte[length];
                        random.nextBytes(data);
                        client.request(NbdClient.WRITE, fua, first, length, data);
                        System.arraycopy(data, 0, model, first, length);
                    }
                }
            }
            for (int i = 0; i < IN_FLIGHT; i++) {
                for (Chunk chunk : client.chunks()) {
                    assertThat(chunk.error()).as(chunk.text()).isZero();
                }
            }
        }

        /** Reads at once, with answers that may come in pieces between each other. */
        private void compare(NbdClient client) throws IOException {
            Map<Long, Expected> reads = new HashMap<>();
            for (int i = 0; i < IN_FLIGHT; i++) {
                int first = from + random.nextInt(PART);
                int length = 1 + random.nextInt(from + PART - first);
                long cookie = client.request(NbdClient.READ, 0, first, length);
                byte[] seen = new byte[length];
                Arrays.fill(seen, (byte) 0xAA);
                reads.put(cookie, new Expected(first, Arrays.copyOfRange(model, first, first + length), seen));
            }
            for (int left = IN_FLIGHT; left > 0; ) {
                Chunk chunk = client.chunk();
                Expected read = Objects.requireNonNull(reads.get(chunk.cookie()));
                NbdClient.lay(chunk, read.offset(), read.seen());
                if (chunk.last()) {
                    left--;
                    assertThat(Arrays.mismatch(read.seen(), read.bytes()))
                            .as("read of %d bytes at %d", read.bytes().length, read.offset())
                            .isEqualTo(-1);
                }
            }
        }
    }
}
