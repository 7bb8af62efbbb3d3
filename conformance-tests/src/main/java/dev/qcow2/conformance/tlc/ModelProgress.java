package dev.qcow2.conformance.tlc;

import dev.qcow2.conformance.tlc.ModelChecks.Task;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar that counts states, and says which models are at work. */
final class ModelProgress implements ModelChecks.Listener, AutoCloseable {

    private final ProgressBar bar;
    private final Map<Task, Long> counted = new HashMap<>();
    private final Set<String> running = new LinkedHashSet<>();
    private final int tasks;
    private int ended;

    private ModelProgress(ProgressBar bar, int tasks) {
        this.bar = bar;
        this.tasks = tasks;
    }

    static ModelProgress show(List<Task> tasks, boolean terminal) {
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("model")
                .setUnit("k states", TimeUnit.SECONDS.toMillis(1))
                .setInitialMax(tasks.stream().mapToLong(Task::weight).sum())
                .setStyle(ProgressBarStyle.ASCII)
                // A terminal gets a moving bar; a log gets a line now and then.
                .setUpdateIntervalMillis(terminal ? 200 : 10_000)
                .setMaxRenderedLength(120)
                .build();
        return new ModelProgress(bar, tasks.size());
    }

    @Override
    public synchronized void begins(Task task) {
        running.add(task.name());
        tell();
    }

    @Override
    public synchronized void states(Task task, long found) {
        step(task, Math.min(found, task.weight()));
    }

    @Override
    public synchronized void ends(Task task) {
        step(task, task.weight());
        running.remove(task.name());
        ended++;
        tell();
    }

    private void step(Task task, long found) {
        Long before = counted.put(task, found);
        bar.stepBy(Math.max(0, found - (before == null ? 0 : before)));
    }

    private void tell() {
        // The names of all would leave no room for the bar.
        String one = running.stream().findFirst().orElse("");
        bar.setExtraMessage(" " + ended + "/" + tasks + " " + (one.length() > 28 ? one.substring(0, 28) : one));
    }

    @Override
    public void close() {
        bar.close();
    }
}
