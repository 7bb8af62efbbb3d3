package dev.qcow2.conformance.program;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs programs of the host, and never for longer than the caller has patience. */
public final class HostProgram {

    private static final int MOST_QUOTED = 300;

    /**
     * What a program said.
     *
     * @param command the program and its arguments
     * @param exitCode 0 by convention if all went well
     * @param output standard output and error
     * @param seconds wall time of the whole process
     */
    public record Answer(List<String> command, int exitCode, String output, double seconds) {

        /** Copies the list. */
        public Answer {
            command = List.copyOf(command);
        }

        /**
         * Returns the beginning of what the program said, for messages.
         *
         * @return some hundred characters at most
         */
        public String beginning() {
            String text = output.strip();
            return text.length() > MOST_QUOTED ? text.substring(0, MOST_QUOTED) + "..." : text;
        }

        /**
         * Insists on success.
         *
         * @return this answer
         * @throws IOException if the exit code is not 0
         */
        public Answer orThrow() throws IOException {
            if (exitCode != 0) {
                throw new IOException(String.join(" ", command) + " ended with " + exitCode + ": " + beginning());
            }
            return this;
        }
    }

    private HostProgram() {}

    /**
     * Says whether a program is installed.
     *
     * @param program its name, to be found where the host looks for programs
     * @return true if it can be run
     */
    public static boolean isInstalled(String program) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Runs a program to its end.
     *
     * @param command the program and its arguments
     * @param input text for its standard input
     * @param patience after which the process is ended
     * @return what it said, whatever its exit code
     * @throws IOException if it can't be started, does not end in time, or the thread is interrupted
     */
    public static Answer run(List<String> command, String input, Duration patience) throws IOException {
        // Files instead of pipes: neither side can wait for the other one.
        Path said = Files.createTempFile("program", ".out");
        Path heard = Files.createTempFile("program", ".in");
        try {
            Files.writeString(heard, input);
            long start = System.nanoTime();
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .redirectInput(heard.toFile())
                    .start();
            await(process, command, patience);
            double seconds = (System.nanoTime() - start) / 1e9;
            String output = new String(Files.readAllBytes(said), StandardCharsets.UTF_8);
            return new Answer(command, process.exitValue(), output, seconds);
        } finally {
            Files.deleteIfExists(said);
            Files.deleteIfExists(heard);
        }
    }

    private static void await(Process process, List<String> command, Duration patience) throws IOException {
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("no answer within " + patience.toSeconds() + " s from " + command);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + command, e);
        } finally {
            process.destroyForcibly();
        }
    }
}
