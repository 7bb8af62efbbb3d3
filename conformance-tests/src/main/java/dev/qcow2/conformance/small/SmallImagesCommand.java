package dev.qcow2.conformance.small;

import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code qcow2 small-images}: all images of a small bound, and who agrees on them. */
@Command(
        name = "small-images",
        mixinStandardHelpOptions = true,
        description = "Makes all images of two guest clusters, two data clusters and at most one snapshot, and all that"
                + " break exactly one rule; asks the auditor, both implementations and qemu-img check.",
        footer = {
            "",
            "Exit code: 0 all agree, 1 somebody does not, 2 usage or environment.",
            "Examples:",
            "  qcow2 small-images --no-qemu   all images, judged by the auditor and both implementations"
        })
public final class SmallImagesCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--no-qemu", description = "Leaves QEMU out; then it takes a minute instead of many.")
    private boolean withoutQemu;

    @Option(
            names = "--qemu-every",
            paramLabel = "N",
            description = "QEMU gets one image of N; default ${DEFAULT-VALUE}.")
    private int qemuEvery = 1;

    @Option(names = "--workers", description = "Threads; as many as processors if not given.")
    private int workers = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--rule",
            paramLabel = "NAME",
            description = "Only images that break this rule: ${COMPLETION-CANDIDATES}.")
    private @Nullable BrokenRule rule;

    private final boolean terminal;

    /**
     * Makes the command.
     *
     * @param terminal whether progress goes to a terminal, which gets a moving bar
     */
    public SmallImagesCommand(boolean terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (workers < 1 || qemuEvery < 1) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(), "--workers and --qemu-every must be at least 1");
        }
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        List<SmallCase> cases = new ArrayList<>();
        if (rule == null) {
            cases.addAll(SmallCase.sound());
        }
        for (BrokenRule broken : BrokenRule.values()) {
            if (rule == null || rule == broken) {
                cases.addAll(SmallCase.broken(broken));
            }
        }
        Optional<QemuTools> qemu = withoutQemu ? Optional.empty() : QemuTools.find();
        if (qemu.isEmpty() && !withoutQemu) {
            out.println("QEMU is not installed: nobody asks it. Install qemu-utils to have it.");
        }
        SmallTally tally;
        try (ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("small-images")
                .setUnit(" images", 1)
                .setInitialMax(cases.size())
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(terminal ? 200 : 10_000)
                .setMaxRenderedLength(100)
                .build()) {
            tally = new SmallRun(
                            List.of(new ReferenceDriver(), new OptimizedDriver()), qemu, qemuEvery, workers, bar::step)
                    .run(cases);
        }
        out.print(tally.table().toText());
        out.println();
        tally.disagreements().forEach(out::println);
        out.println(tally.images() + " images, disagreements: "
                + (tally.disagreed() == 0 ? "none" : Long.toString(tally.disagreed())));
        out.flush();
        return tally.disagreed() == 0 ? 0 : 1;
    }
}
