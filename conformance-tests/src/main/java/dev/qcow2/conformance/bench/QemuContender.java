package dev.qcow2.conformance.bench;

import java.io.IOException;
import java.nio.file.Path;
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

    @Override
    public String name() {
        return "qemu";
    }

    /** Says whether the tools are installed. */
    static boolean isInstalled() {
        return Tool.isInstalled("qemu-img") && Tool.isInstalled("qemu-io");
    }

    @Override
    public boolean canRun(Workload workload) {
        return true;
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
            case AUDIT -> withoutStart(Tool.run("qemu-img", "check", "-f", "qcow2", image));
            case STATUS -> withoutStart(Tool.run("qemu-img", "map", "--output=json", "-f", "qcow2", image));
            case OPEN -> withoutStart(Tool.run("qemu-io", "-r", "-f", "qcow2", "-c", "quit", image));
        };
    }

    private static double bench(Workload workload, String image) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "bench", "-f", "qcow2", "-t", "writeback"));
        command.addAll(List.of("-c", Integer.toString(workload.requests())));
        command.addAll(List.of("-d", Integer.toString(workload.inFlight())));
        command.addAll(List.of("-s", Integer.toString(workload.requestSize())));
        command.addAll(List.of("-S", Long.toString(workload.step())));
        if (workload.kind() == Workload.Kind.WRITE) {
            command.addAll(List.of("-w", "--pattern=165"));
        }
        command.add(image);
        String output = Tool.run(command, "").output();
        Matcher matcher = COMPLETED.matcher(output);
        if (!matcher.find()) {
            throw new IOException("qemu-img bench did not say how long it took: " + output.strip());
        }
        return Double.parseDouble(matcher.group(1));
    }

    private static double discard(Workload workload, String image) throws IOException {
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < workload.requests(); i++) {
            commands.append("discard -q ").append(workload.offsetOf(i)).append(' ');
            commands.append(workload.requestSize()).append('\n');
        }
        return withoutStart(Tool.run(
                List.of("qemu-io", "-d", "unmap", "-t", "writeback", "-f", "qcow2", image), commands.toString()));
    }

    private static double withoutStart(Tool.Result worked) throws IOException {
        double start = Tool.run("qemu-img", "--version").seconds();
        // A process can be measured quicker than an idle one by chance; a rate needs a time above zero.
        return Math.max(worked.seconds() - start, 1e-4);
    }
}
