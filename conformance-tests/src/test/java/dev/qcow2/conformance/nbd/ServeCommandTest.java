package dev.qcow2.conformance.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.command.Qcow2Command;
import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command in a process of its own, with signals and clients from outside. */
@Timeout(180)
class ServeCommandTest {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int SIZE = 8 << 20;

    private Path folder = Path.of("");

    @BeforeEach
    void makeFolder() throws IOException {
        // Short, for the path of a socket has at most 108 bytes.
        folder = Files.createTempDirectory("nbd");
    }

    @AfterEach
    void removeFolder() throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private Path socket() {
        return folder.resolve("s");
    }

    private void makeImage(CreateOptions options) throws IOException {
        new dev.qcow2.reference.ReferenceDriver().create(new RealHostDirectory(folder), "disk.qcow2", options);
    }

    /** Starts the command and waits until it listens. */
    private Process start(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                // As the launcher does: later JDKs warn unless it is granted.
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Qcow2Command.class.getName(),
                "serve",
                "-k",
                socket().toString()));
        command.addAll(List.of(options));
        command.add(folder.resolve("disk.qcow2").toString());
        Process process = new ProcessBuilder(command)
                .redirectError(folder.resolve("err").toFile())
                .start();
        String line =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
        assertThat(line).as(Files.readString(folder.resolve("err"))).startsWith("listening on nbd+unix:///");
        return process;
    }

    private static int end(Process process) throws InterruptedException {
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private String audit() throws IOException {
        try (HostFile file = new RealHostDirectory(folder).open("disk.qcow2", Access.READ_ONLY)) {
            return new Auditor().audit(file).toText();
        }
    }

    private String run(String... options) {
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text);
        int exitCode = Qcow2Command.run(out, out, options);
        return exitCode + ": " + text;
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName(
            "SIGTERM: what was written is there, the image is not dirty, socket and pid file are gone, and the exit code is 0")
    void endsOnSignal(String implementation) throws Exception {
        FormatFeatures features = FormatFeatures.PLAIN.withLazyRefcounts();
        makeImage(CreateOptions.ofSize(SIZE).withFeatures(features));
        Path pidFile = folder.resolve("pid");
        Process server = start("-t", "-x", "vm", "--impl", implementation, "--pid-file", pidFile.toString());
        assertThat(Files.readString(pidFile).strip()).isEqualTo(Long.toString(server.pid()));
        byte[] data = new byte[70_000];
        new java.util.Random(1).nextBytes(data);
        try (NbdClient client = NbdClient.ready(socket(), "vm")) {
            assertThat(client.size()).isEqualTo(SIZE);
            assertThat(client.write(1234, data)).isZero();
            server.destroy();
            assertThat(end(server)).isZero();
        }
        assertThat(socket()).doesNotExist();
        assertThat(pidFile).doesNotExist();
        assertThat(Files.readString(folder.resolve("err"))).isEmpty();
        assertThat(audit()).doesNotContain("dirty");
        Process again = start("-r", "--impl", implementation);
        try (NbdClient client = NbdClient.ready(socket(), "")) {
            assertThat(client.read(1234, data.length)).isEqualTo(data);
        }
        assertThat(end(again)).isZero();
        assertThat(socket()).doesNotExist();
    }

    @Test
    @DisplayName("An image that is open for writing is refused, by us and by QEMU; and so is a socket that exists")
    void taken() throws Exception {
        makeImage(CreateOptions.ofSize(SIZE));
        Process server = start("-t");
        String image = folder.resolve("disk.qcow2").toString();
        assertThat(run("serve", "-k", folder.resolve("t").toString(), image))
                .startsWith("1: ")
                .contains("lock")
                .contains("Is another process using the image [" + image + "]?");
        assertThat(folder.resolve("t")).doesNotExist();
        assertThat(run("serve", "-r", "-U", "-k", socket().toString(), image))
                .startsWith("1: ")
                .contains("Address already in use");
        assertThat(socket()).exists();
        if (HostProgram.isInstalled("qemu-io")) {
            HostProgram.Answer answer =
                    HostProgram.run(List.of("qemu-io", "-f", "qcow2", "-c", "write 0 512", image), "", PATIENCE);
            assertThat(answer.output()).contains("Failed to get \"write\" lock");
        }
        server.destroy();
        assertThat(end(server)).isZero();
    }

    @Test
    @DisplayName("Options that make no sense are said by name, with exit code 1")
    void wrongOptions() throws Exception {
        makeImage(CreateOptions.ofSize(SIZE));
        String image = folder.resolve("disk.qcow2").toString();
        String[][] wrong = {
            {"serve"},
            {"serve", "--shared", "-1", image},
            {"serve", "-p", "70000", image},
            {"serve", "-p", "1", "-k", "s", image},
            {"serve", "--cache", "warm", image},
            {"serve", "--discard", "maybe", image},
            {"serve", "-U", image},
            {"serve", "--impl", "fastest", "-k", socket().toString(), image},
            {"serve", "-f", "vmdk", "-k", socket().toString(), image},
            {"serve", "-k", socket().toString(), image + ".not"},
        };
        for (String[] options : wrong) {
            assertThat(run(options)).as(List.of(options).toString()).startsWith("1: ");
        }
        assertThat(socket()).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("QEMU as a client: writes, zeroes, discards and reads; its copy of the disk is what the image holds")
    void qemuAsClient(String implementation) throws Exception {
        assumeTrue(
                HostProgram.isInstalled("qemu-io") && HostProgram.isInstalled("qemu-img"),
                "qemu-io and qemu-img are not installed: the outside clients are missing");
        makeImage(CreateOptions.ofSize(SIZE));
        Process server = start("-t", "-e", "0", "--impl", implementation);
        String uri = "nbd+unix:///?socket=" + socket();
        List<String> session = List.of(
                "qemu-io -f raw " + uri,
                "write -P 1 100 200000",
                "write -P 2 -f 4M 1M",
                "write -z 64k 64k",
                "write -z -u 4608k 100k",
                "discard 5M 64k",
                "aio_write -P 3 6M 64k",
                "aio_write -P 4 6208k 64k",
                "aio_flush",
                "read -P 1 100 65436",
                "read -P 0 64k 64k",
                "read -P 2 4M 512k",
                "read -P 3 6M 64k",
                "flush");
        List<String> command = new ArrayList<>(List.of(session.get(0).split(" ")));
        session.stream().skip(1).forEach(step -> command.addAll(List.of("-c", step)));
        HostProgram.Answer answer = HostProgram.run(command, "", PATIENCE).orThrow();
        assertThat(answer.output()).doesNotContain("failed").doesNotContain("error");
        Path copy = folder.resolve("copy");
        HostProgram.run(List.of("qemu-img", "convert", "-O", "raw", "-m", "16", uri, copy.toString()), "", PATIENCE)
                .orThrow();
        HostProgram.run(
                        List.of(("qemu-img bench -w -f raw -c 500 -d 16 -s 4096 -S 12288 " + uri).split(" ")),
                        "",
                        PATIENCE)
                .orThrow();
        server.destroy();
        assertThat(end(server)).isZero();
        assertThat(Files.size(copy)).isEqualTo(SIZE);
        byte[] bytes = Files.readAllBytes(copy);
        assertThat(bytes[100]).isEqualTo((byte) 1);
        assertThat(bytes[65_536]).isZero();
        assertThat(bytes[131_072]).isEqualTo((byte) 1);
        assertThat(bytes[(4 << 20) + 1]).isEqualTo((byte) 2);
        assertThat(bytes[6208 << 10]).isEqualTo((byte) 4);
        HostProgram.run(
                        List.of(
                                "qemu-img",
                                "check",
                                folder.resolve("disk.qcow2").toString()),
                        "",
                        PATIENCE)
                .orThrow();
    }
}
