package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that a signal ends the server in good order, and that its files don't outlive it.
 *
 * <p>When Java is asked to end, by a signal or otherwise, the server stops; when it has stopped the program ends with 0 or 1 and not with
 * the number of the signal.
 */
final class GoodEnd implements AutoCloseable {

    private final NbdServer server;
    private final ServedSocket socket;
    private final @Nullable Path pidFile;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::endProgram, "nbd-end");
    private volatile boolean success;

    private GoodEnd(NbdServer server, ServedSocket socket, @Nullable Path pidFile) {
        this.server = server;
        this.socket = socket;
        this.pidFile = pidFile;
    }

    /**
     * From now on a signal stops the server.
     *
     * @param server is stopped
     * @param socket is closed before the program ends
     * @param pidFile is removed before the program ends
     */
    static GoodEnd onSignal(NbdServer server, ServedSocket socket, @Nullable Path pidFile) {
        GoodEnd end = new GoodEnd(server, socket, pidFile);
        Runtime.getRuntime().addShutdownHook(end.hook);
        return end;
    }

    /** Tells people and scripts that clients can come. */
    void announce(PrintWriter out, Export export, String kind) throws IOException {
        if (pidFile != null) {
            Files.writeString(pidFile, ProcessHandle.current().pid() + "\n");
        }
        out.println("listening on " + ListenAddress.uri(socket.channel().getLocalAddress(), export.name())
                + ": export \"" + export.name() + "\", " + export.sizeBytes() + " bytes, "
                + (export.is(Export.Trait.READ_ONLY) ? "read-only" : "read-write") + ", " + kind);
        out.flush();
    }

    /** The disk is flushed and closed. */
    void succeeded() {
        success = true;
    }

    private void endProgram() {
        server.stop();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // A program that a signal ends would otherwise say the signal's number, whatever has become of the disk.
        Runtime.getRuntime().halt(success ? 0 : ServeCommand.FAILED);
    }

    @Override
    public void close() throws IOException {
        try {
            if (pidFile != null) {
                Files.deleteIfExists(pidFile);
            }
            socket.close();
        } finally {
            ended.countDown();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The hook runs, and ends the program.
                success &= true;
            }
        }
    }
}
