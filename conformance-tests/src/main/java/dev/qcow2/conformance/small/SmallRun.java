package dev.qcow2.conformance.small;

import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.disk.MaintenanceDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Shows images to all judges, several at a time. */
final class SmallRun {

    private static final int PORTION = 50;

    private final List<MaintenanceDriver> drivers;
    private final Optional<QemuTools> qemu;
    private final int qemuEvery;
    private final int workers;
    private final Runnable progress;

    /**
     * Makes a run.
     *
     * @param qemuEvery of how many images QEMU gets one
     * @param progress hears of each image
     */
    SmallRun(List<MaintenanceDriver> drivers, Optional<QemuTools> qemu, int qemuEvery, int workers, Runnable progress) {
        this.drivers = List.copyOf(drivers);
        this.qemu = qemu;
        this.qemuEvery = qemuEvery;
        this.workers = workers;
        this.progress = progress;
    }

    SmallTally run(List<SmallCase> cases) throws IOException, InterruptedException {
        List<String> judges = new ArrayList<>(List.of("auditor"));
        drivers.forEach(driver -> judges.add(driver.name()));
        qemu.ifPresent(tools -> judges.add("qemu-img"));
        SmallTally tally = new SmallTally(judges);
        Path folder = Files.createTempDirectory("qcow2-small-");
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        try {
            List<Future<?>> portions = new ArrayList<>();
            for (int first = 0; first < cases.size(); first += PORTION) {
                int from = first;
                int to = Math.min(first + PORTION, cases.size());
                portions.add(pool.submit(() -> {
                    for (int i = from; i < to; i++) {
                        judge(cases.get(i), i, tally, folder);
                    }
                    return null;
                }));
            }
            for (Future<?> portion : portions) {
                portion.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        } finally {
            pool.shutdownNow();
            Files.deleteIfExists(folder);
        }
        return tally;
    }

    private void judge(SmallCase small, int index, SmallTally tally, Path folder) throws IOException {
        tally.image(small);
        tally.verdict(small, "auditor", SmallJudge.auditor(small));
        for (MaintenanceDriver driver : drivers) {
            tally.verdict(small, driver.name(), SmallJudge.implementation(small, driver));
        }
        if (qemu.isPresent() && index % qemuEvery == 0) {
            tally.verdict(small, "qemu-img", SmallJudge.qemu(small, qemu.get(), folder));
        }
        progress.run();
    }
}
