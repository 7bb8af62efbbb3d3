package dev.qcow2.conformance.concurrent;

import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.MemoryHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Carries a scenario out on one implementation and judges it: the disk is explained by some order of
 * the requests, reads saw nothing foreign, the image audits clean after a flush, another
 * implementation reads the same bytes, and whatever was on the host at any moment has at most leaks.
 */
public final class ConcurrentRun {

    private static final String IMAGE = "image.qcow2";
    private static final String BASE = "base.qcow2";
    private static final int PATIENCE_SECONDS = 30;
    private static final String TOO_LATE =
            "no answer within " + PATIENCE_SECONDS + " seconds: requests wait for each other";

    private final ConcurrentScenario scenario;
    private final DiskDriver subject;
    private final DiskDriver witness;
    private final MemoryHostDirectory files;

    private ConcurrentRun(ConcurrentScenario scenario, DiskDriver subject, DiskDriver witness) {
        this.scenario = scenario;
        this.subject = subject;
        this.witness = witness;
        this.files = new MemoryHostDirectory(scenario.efficientZeroing());
    }

    /**
     * Runs a scenario once.
     *
     * @param scenario who does what
     * @param subject the implementation under test
     * @param witness an implementation that reads the image afterwards
     * @return empty if all is well, else what is wrong
     * @throws InterruptedException if the caller is to stop
     */
    public static Optional<String> judge(ConcurrentScenario scenario, DiskDriver subject, DiskDriver witness)
            throws InterruptedException {
        FutureTask<Optional<String>> task = new FutureTask<>(() -> new ConcurrentRun(scenario, subject, witness).run());
        // To close a disk whose requests wait for each other may wait as well, and must not keep the program alive.
        Thread thread = daemon(task);
        thread.start();
        try {
            return task.get(2 * PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return Optional.of(TOO_LATE);
        } catch (ExecutionException e) {
            return Optional.of(complaint(e.getCause()));
        } finally {
            task.cancel(true);
        }
    }

    private static String complaint(@Nullable Throwable failure) {
        if (failure instanceof TimeoutException) {
            return TOO_LATE;
        }
        return failure instanceof ExecutionException ? "a request failed: " + failure.getCause() : "failed: " + failure;
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "concurrent");
        thread.setDaemon(true);
        return thread;
    }

    private Optional<String> run() throws IOException, InterruptedException, ExecutionException, TimeoutException {
        create();
        Optional<String> verdict;
        byte[] after;
        try (VirtualDisk disk = subject.open(
                new WrappingHostDirectory<>(files, JitterHostFile::new),
                IMAGE,
                OpenOptions.readWrite().followingBacking())) {
            for (Operation operation : scenario.before()) {
                carryOut(disk, operation);
            }
            byte[] before = readAll(disk);
            List<Effect> effects = new ArrayList<>();
            Optional<String> during = together(disk, before, effects);
            after = readAll(disk);
            verdict = during.or(() -> Explanation.missing(before, after, effects));
            disk.flush();
            verdict = verdict.or(() -> audit(files, 0));
        }
        return verdict.or(() -> audit(files, 0)).or(() -> reread(after));
    }

    private void create() throws DiskException {
        CreateOptions options = scenario.options();
        if (!scenario.backing()) {
            subject.create(files, IMAGE, options);
            return;
        }
        subject.create(files, BASE, options);
        try (VirtualDisk base = subject.open(files, BASE, OpenOptions.readWrite())) {
            int cluster = 1 << options.clusterBits();
            for (long at = 0; at < base.size(); at += 2L * cluster) {
                byte[] data = new byte[(int) Math.min(cluster, base.size() - at)];
                Arrays.fill(data, (byte) 0x5a);
                base.write(at, ByteBuffer.wrap(data));
            }
        }
        subject.create(files, IMAGE, options.withBacking(BASE, Optional.of(BackingFormat.QCOW2)));
    }

    private Optional<String> together(VirtualDisk disk, byte[] before, List<Effect> effects)
            throws InterruptedException, ExecutionException, TimeoutException {
        int count = scenario.threads().size();
        ExecutorService pool = Executors.newFixedThreadPool(count, ConcurrentRun::daemon);
        try {
            CyclicBarrier start = new CyclicBarrier(count);
            List<Future<Report>> running = new ArrayList<>();
            for (List<Operation> operations : scenario.threads()) {
                running.add(pool.submit(sender(disk, operations, start)));
            }
            List<ReadBack> reads = new ArrayList<>();
            List<FlushedImage> flushed = new ArrayList<>();
            Optional<String> complaint = Optional.empty();
            for (Future<Report> future : running) {
                Report report = future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                effects.addAll(report.effects());
                reads.addAll(report.reads());
                flushed.addAll(report.flushed());
                complaint = complaint.or(report::complaint);
            }
            for (FlushedImage image : flushed) {
                complaint = complaint.or(() -> image.judge(before, effects, witness, IMAGE));
            }
            return complaint.or(() -> ReadBack.foreign(before, effects, reads));
        } finally {
            pool.shutdownNow();
        }
    }

    /** What one thread has to say. */
    private record Report(
            List<Effect> effects, List<ReadBack> reads, List<FlushedImage> flushed, Optional<String> complaint) {}

    private Callable<Report> sender(VirtualDisk disk, List<Operation> operations, CyclicBarrier start) {
        return () -> {
            List<Effect> effects = new ArrayList<>();
            List<ReadBack> reads = new ArrayList<>();
            List<FlushedImage> flushed = new ArrayList<>();
            Optional<String> complaint = Optional.empty();
            start.await();
            for (Operation operation : operations) {
                long started = System.nanoTime();
                Optional<byte[]> seen = carryOut(disk, operation);
                long finished = System.nanoTime();
                effect(operation, started, finished).ifPresent(effects::add);
                if (operation instanceof Operation.Read read && seen.isPresent()) {
                    reads.add(new ReadBack((int) read.offset(), seen.get(), finished));
                }
                if (operation instanceof Operation.Flush) {
                    // A power cut at this very moment that loses nothing: leaks are fine, corruption is not.
                    FlushedImage image = new FlushedImage(files.copy(), started, System.nanoTime());
                    complaint = complaint.or(() -> audit(image.files(), Long.MAX_VALUE));
                    flushed.add(image);
                }
            }
            return new Report(effects, reads, flushed, complaint);
        };
    }

    private Optional<byte[]> carryOut(VirtualDisk disk, Operation operation) throws DiskException {
        if (operation instanceof Operation.Write write) {
            disk.write(write.offset(), ByteBuffer.wrap(Fill.bytes(write.fill(), (int) write.length())));
        } else if (operation instanceof Operation.WriteZeroes zeroes) {
            disk.writeZeroes(zeroes.offset(), zeroes.length(), zeroes.mode());
        } else if (operation instanceof Operation.Discard discard) {
            disk.discard(discard.offset(), discard.length());
        } else if (operation instanceof Operation.Flush) {
            disk.flush();
        } else if (operation instanceof Operation.Read read) {
            ByteBuffer buffer = ByteBuffer.allocate((int) read.length());
            disk.read(read.offset(), buffer);
            return Optional.of(buffer.array());
        } else {
            throw new IllegalArgumentException("not for concurrent scenarios: " + operation);
        }
        return Optional.empty();
    }

    private Optional<Effect> effect(Operation operation, long started, long finished) {
        String text = operation.toString();
        if (operation instanceof Operation.Write write) {
            byte[] bytes = Fill.bytes(write.fill(), (int) write.length());
            return Optional.of(new Effect(text, (int) write.offset(), bytes, started, finished));
        }
        if (operation instanceof Operation.WriteZeroes zeroes) {
            byte[] bytes = new byte[(int) zeroes.length()];
            return Optional.of(new Effect(text, (int) zeroes.offset(), bytes, started, finished));
        }
        if (operation instanceof Operation.Discard discard) {
            return discardEffect(discard, text, started, finished);
        }
        return Optional.empty();
    }

    /** The contract of discards: whole clusters read as zero; nothing happens in version 2 over a backing file. */
    private Optional<Effect> discardEffect(Operation.Discard discard, String text, long started, long finished) {
        if (scenario.options().version() == 2 && scenario.backing()) {
            return Optional.empty();
        }
        long cluster = 1L << scenario.options().clusterBits();
        long end = discard.offset() + discard.length();
        long first = (discard.offset() + cluster - 1) / cluster * cluster;
        long last = end == scenario.options().size() ? end : end / cluster * cluster;
        return first >= last
                ? Optional.empty()
                : Optional.of(new Effect(text, (int) first, new byte[(int) (last - first)], started, finished));
    }

    private static Optional<String> audit(MemoryHostDirectory where, long leaksAllowed) {
        try {
            MemoryFileContent content = where.content(IMAGE);
            try (HostFile file = new MemoryHostFile(IMAGE, content, Access.READ_ONLY, true)) {
                AuditReport report = new Auditor().audit(file);
                return report.corruptions() == 0 && report.leaks() <= leaksAllowed
                        ? Optional.empty()
                        : Optional.of("the image does not audit clean: " + report.findings());
            }
        } catch (DiskException e) {
            return Optional.of("the image can't be audited: " + e.getMessage());
        }
    }

    private Optional<String> reread(byte[] expected) {
        try (VirtualDisk disk =
                witness.open(files, IMAGE, OpenOptions.readOnly().followingBacking())) {
            int mismatch = Arrays.mismatch(expected, readAll(disk));
            return mismatch < 0
                    ? Optional.empty()
                    : Optional.of(witness.name() + " reads other bytes from byte " + mismatch + " on");
        } catch (DiskException e) {
            return Optional.of(witness.name() + " can't read the image: " + e.getMessage());
        }
    }

    private static byte[] readAll(VirtualDisk disk) throws DiskException {
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(disk.size()));
        disk.read(0, all);
        return all.array();
    }
}
