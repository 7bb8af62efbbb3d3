package dev.qcow2.conformance.nbd;

import dev.qcow2.conformance.nbd.Export.Trait;
import dev.qcow2.conformance.nbd.NbdServer.Life;
import dev.qcow2.spec.disk.VirtualDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A server in this process, on a socket of its own. */
final class RunningServer implements AutoCloseable {

    static final String NAME = "export";

    private static final long PATIENCE_SECONDS = 60;

    private final Path folder;
    private final ServedSocket socket;
    private final NbdServer server;
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    RunningServer(VirtualDisk disk, Life life, Trait... traits) throws IOException {
        Set<Trait> all = EnumSet.noneOf(Trait.class);
        all.addAll(List.of(traits));
        // Short, for the path of a socket has at most 108 bytes.
        folder = Files.createTempDirectory("nbd");
        socket = ServedSocket.open(ListenAddress.unix(folder.resolve("s")));
        Export export = new Export(NAME, "for tests", disk, disk.size(), all);
        server = new NbdServer(socket.channel(), export, life, log::add);
        Thread thread = new Thread(this::run, "server");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            server.run();
            ended.complete(null);
        } catch (IOException | RuntimeException e) {
            ended.completeExceptionally(e);
        }
    }

    Path path() {
        return folder.resolve("s");
    }

    NbdClient client() throws IOException {
        return NbdClient.ready(path(), NAME);
    }

    List<String> log() {
        return log;
    }

    void stop() {
        server.stop();
    }

    /** Waits for the end of the server, which must not be a failure. */
    void awaitEnd() {
        try {
            ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("the server does not end; it said " + log, e);
        } catch (Exception e) {
            throw new AssertionError("the server failed", e);
        }
    }

    boolean hasEnded() {
        return ended.isDone();
    }

    @Override
    public void close() throws IOException {
        stop();
        awaitEnd();
        socket.close();
        Files.delete(folder);
    }
}
