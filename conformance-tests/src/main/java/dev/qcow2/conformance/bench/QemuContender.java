package dev.qcow2.conformance.bench;

import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.conformance.program.HostProgram.Answer;
import dev.qcow2.spec.host.RealHostDirectory.Caching;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * QEMU's own tools on the same image: qemu-img bench for reads and writes, qemu-io for discards,
 * qemu-img check and map for audit and block status. Where a tool does not say how long its requests
 * took, the time of a process that does nothing is taken off that of the process that works.
 */
final class QemuContender implements Contender {

    private static final Pattern COMPLETED = Pattern.compile("Run completed in ([0-9.]+) seconds");

    private static final Duration PATIENCE = Duration.ofHours(1);

    /** QEMU's name of what passes through the page cache or past it. */
    private final String cacheMode;

    QemuContender(Caching caching) {
        this.cacheMode = switch (caching) {
            case PAGE_CACHE -> "writeback";
            case DIRECT -> "none";
        };
    }

    @Override
    public String name() {
        return "qemu";
    }

    /** Says whether the tools are installed. */
    static boolean isInstalled() {
        return HostProgram.isInstalled("qemu-img") && HostProgram.isInstalled("qemu-io");
    }

    @Override
    public boolean canRun(Workload workload) {
        return workload.kind() != Workload.Kind.HEAP;
    }

    @Override
    public double run(Workload workload, Path directory) throws IOException {
        String image = directory.resolve(Preparation.IMAGE).toString();
        return switch (workload.kind()) {
            case WRITE, READ -> bench(workload, image);
            case READ_COLD -> {
                PageCache.drop(Path.of(image));
                yield bench(workload, image);
            }
            case DISCARD -> discard(workload, image);
            case AUDIT -> withoutStart(tool("qemu-img", "check", "-T", cacheMode, "-f", "qcow2", image));
            case STATUS -> withoutStart(tool("qemu-img", "map", "--output=json", "-f", "qcow2", image));
            case OPEN -> withoutStart(tool("qemu-io", "-r", "-t", cacheMode, "-f", "qcow2", "-c", "quit", image));
            case HEAP -> throw new IllegalArgumentException("only Java has a heap");
        };
    }

    private double bench(Workload workload, String image) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "bench", "-f", "qcow2", "-t", cacheMode));
        command.addAll(List.of("-c", Integer.toString(workload.requests())));
        command.addAll(List.of("-d", Integer.toString(workload.inFlight())));
        command.addAll(List.of("-s", Integer.toString(workload.requestSize())));
        command.addAll(List.of("-S", Long.toString(workload.step())));
        if (workload.kind() == Workload.Kind.WRITE) {
            command.addAll(List.of("-w", "--pattern=165"));
        }
        command.add(image);
        String output = HostProgram.run(command, "", PATIENCE).orThrow().output();
        Matcher matcher = COMPLETED.matcher(output);
        if (!matcher.find()) {
            throw new IOException("qemu-img bench did not say how long it took: " + output.strip());
        }
        return Double.parseDouble(matcher.group(1));
    }

    private double discard(Workload workload, String image) throws IOException {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < workload.requests(); i++) {
            commands.append("discard -q ").append(workload.offsetOf(i)).append(' ');
            commands.append(workload.requestSize()).append('\n');
        }
        List<String> command = List.of("qemu-io", "-d", "unmap", "-t", cacheMode, "-f", "qcow2", image);
        return withoutStart(
                HostProgram.run(command, commands.toString(), PATIENCE).orThrow());
    }

    private static Answer tool(String... command) throws IOException {
        return HostProgram.run(List.of(command), "", PATIENCE).orThrow();
    }

    private static double withoutStart(Answer worked) throws IOException {
        double start = tool(worked.command().get(0), "--version").seconds();
        // A process can be measured quicker than an idle one by chance; a rate needs a time above zero.
        return Math.max(worked.seconds() - start, 1e-4);
    }
}
