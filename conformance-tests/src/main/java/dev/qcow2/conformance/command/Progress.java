package dev.qcow2.conformance.command;

import dev.qcow2.conformance.campaign.CampaignOptions;
import dev.qcow2.conformance.campaign.ProgressListener;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on the standard error. */
final class Progress implements ProgressListener, AutoCloseable {

    private final ProgressBar bar;
    private final boolean byTime;
    private final long startedNanos = System.nanoTime();

    private Progress(ProgressBar bar, boolean byTime) {
        this.bar = bar;
        this.byTime = byTime;
    }

    /** Counts sequences, or seconds if those are what limits the campaign. */
    static Progress show(CampaignOptions options) {
        boolean byTime = options.sequences() == Long.MAX_VALUE;
        long most = byTime ? options.time().map(Duration::toSeconds).orElse(1L) : options.sequences();
        // A terminal gets a moving bar; a log gets a line now and then.
        boolean terminal = Boolean.getBoolean(Launcher.TERMINAL);
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("conform")
                .setUnit(byTime ? " s" : " sequences", 1)
                .setInitialMax(most)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(terminal ? 200 : 10_000)
                .setMaxRenderedLength(100)
                .build();
        return new Progress(bar, byTime);
    }

    @Override
    public void sequenceDone(long done, long total) {
        long seconds = Duration.ofNanos(System.nanoTime() - startedNanos).toSeconds();
        bar.stepTo(byTime ? Math.min(bar.getMax(), seconds) : done);
    }

    @Override
    public void shrinking(int operations) {
        bar.setExtraMessage(" shrinking: " + operations + " operations");
    }

    @Override
    public void close() {
        bar.close();
    }
}
