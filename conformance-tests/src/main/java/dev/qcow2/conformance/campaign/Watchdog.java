package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.spec.disk.DiskDriver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs a sequence in a thread of its own, and gives it up when it takes too long. */
final class Watchdog {

    private final Panel panel;
    private final Duration patience;

    Watchdog(Panel panel, Duration patience) {
        this.panel = panel;
        this.patience = patience;
    }

    /** Returns what is wrong, a hang included, or empty. */
    Optional<Difference> run(Script script, List<DiskDriver> drivers) throws InterruptedException {
        FutureTask<Optional<Difference>> task =
                new FutureTask<>(() -> new SequenceRunner(script, drivers, panel).run());
        Thread thread = new Thread(task, "sequence");
        // A thread that hangs must not keep the program alive.
        thread.setDaemon(true);
        thread.start();
        try {
            return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // Where it hangs can be seen only until it is interrupted.
            String message = "no end after " + patience.toSeconds() + " s, in " + where(thread);
            task.cancel(true);
            return Optional.of(new Difference(Kind.HANG, "an implementation", 0, message, script, script));
        } catch (ExecutionException e) {
            throw new IllegalStateException("the runner itself failed", e.getCause());
        }
    }

    private static String where(Thread thread) {
        StackTraceElement[] trace = thread.getStackTrace();
        for (StackTraceElement frame : trace) {
            if (frame.getClassName().startsWith("dev.qcow2.")) {
                return frame.toString();
            }
        }
        return trace.length == 0 ? "a thread that has ended" : trace[0].toString();
    }
}
