package dev.qcow2.conformance.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Runs programs of the host. */
final class Tool {

    /**
     * What a program said.
     *
     * @param output standard output and error
     * @param seconds wall time of the whole process
     */
    record Result(String output, double seconds) {}

    private Tool() {}

    /** Says whether a program is installed. */
    static boolean isInstalled(String program) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }

    /** Runs a program to its end; an exit code other than 0 is an error. */
    static Result run(String... command) throws IOException {
        return run(List.of(command), "");
    }

    /** Runs a program with text on its standard input; an exit code other than 0 is an error. */
    static Result run(List<String> command, String input) throws IOException {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Thread feeder = new Thread(() -> feed(process, input));
        feeder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            int exit = process.waitFor();
            double seconds = (System.nanoTime() - start) / 1e9;
            feeder.join();
            if (exit != 0) {
                throw new IOException(String.join(" ", command) + " ended with " + exit + ": " + output.strip());
            }
            return new Result(output, seconds);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void feed(Process process, String input) {
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // A program that ends before it has read everything tells why by its exit code.
            if (process.isAlive()) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
