package dev.qcow2.conformance.nbd;

import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Serves one disk to clients, and ends in good order: nobody is accepted any more, requests that have come are performed and answered, the
 * disk is flushed and closed.
 */
final class NbdServer {

    /**
     * How long a server lives, and for how many.
     *
     * @param clients at the same time; more wait until one leaves
     * @param persistent whether it goes on when the last client has left
     */
    record Life(int clients, boolean persistent) {}

    private static final long TICK_MILLIS = 1000;
    private static final long ACCEPT_PAUSE_MILLIS = 100;
    private static final long IDLE_SECONDS = 10;

    private final ServerSocketChannel listener;
    private final Export export;
    private final Life life;
    private final Consumer<String> log;
    private final Set<Connection> connections = new HashSet<>();
    private boolean stopping;

    /**
     * Makes a server.
     *
     * @param listener is closed when the server ends
     * @param export is closed when the server ends
     * @param life how long and for how many
     * @param log takes what people should know of clients
     */
    NbdServer(ServerSocketChannel listener, Export export, Life life, Consumer<String> log) {
        this.listener = listener;
        this.export = export;
        this.life = life;
        this.log = log;
    }

    /**
     * Serves until {@link #stop} is called or, if it is not persistent, the last client has left.
     *
     * @throws DiskException if what was written could not be made safe at the end
     */
    @SuppressWarnings("try") // the disk is only closed here
    void run() throws DiskException {
        int threads = Limits.WORKERS + life.clients();
        // A client that takes no answers holds one thread; as many are left as there would be without it.
        ThreadPoolExecutor workers = new ThreadPoolExecutor(
                threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), NbdServer::thread);
        workers.allowCoreThreadTimeOut(true);
        Thread watch = thread(this::watch);
        watch.start();
        try (VirtualDiskCloser closer = export.disk()::close) {
            accept(new Transmission.Surroundings(export, Memory.standard(), workers, log));
            endConnections();
            workers.shutdown();
        }
    }

    /** Closes the disk whatever happens before. */
    @FunctionalInterface
    private interface VirtualDiskCloser extends AutoCloseable {
        @Override
        void close() throws DiskException;
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "nbd");
        thread.setDaemon(true);
        return thread;
    }

    private void accept(Transmission.Surroundings surroundings) {
        while (waitForRoom()) {
            try {
                SocketChannel channel = listener.accept();
                if (channel.getLocalAddress() instanceof InetSocketAddress) {
                    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                }
                start(new Connection(channel, surroundings));
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                // For instance too many open files: it may pass.
                log.accept("accepting a client failed: " + e.getMessage());
                pause();
            }
        }
    }

    private synchronized boolean waitForRoom() {
        while (!stopping && connections.size() >= life.clients()) {
            awaitChange(TICK_MILLIS);
        }
        return !stopping;
    }

    private synchronized void pause() {
        awaitChange(ACCEPT_PAUSE_MILLIS);
    }

    /** The monitor is held; whoever calls looks again at what it waits for. */
    @SuppressWarnings("WaitNotInLoop")
    private void awaitChange(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stop();
        }
    }

    private void start(Connection connection) {
        synchronized (this) {
            if (stopping) {
                connection.close();
                return;
            }
            connections.add(connection);
        }
        thread(() -> serve(connection)).start();
    }

    private void serve(Connection connection) {
        boolean usedDisk = false;
        try {
            usedDisk = connection.serve();
        } catch (RuntimeException | Error e) {
            log.accept("error while serving a client: " + e);
            connection.close();
        } finally {
            left(connection, usedDisk);
        }
    }

    private synchronized void left(Connection connection, boolean usedDisk) {
        connections.remove(connection);
        notifyAll();
        // Who only asked what the export is like was no user of it.
        if (usedDisk && connections.isEmpty() && !life.persistent()) {
            stop();
        }
    }

    /** Asks the server to end; returns at once. May be called by any thread, and more than once. */
    void stop() {
        synchronized (this) {
            stopping = true;
            notifyAll();
        }
        try {
            listener.close();
        } catch (IOException e) {
            log.accept("closing the socket: " + e.getMessage());
        }
    }

    private void endConnections() {
        stop();
        // What the clients have sent is performed and answered; those who take no answers are left behind.
        open().forEach(Connection::endInput);
        waitForConnections(Limits.GRACE_TIME.toNanos());
        open().forEach(Connection::close);
        waitForConnections(Limits.GRACE_TIME.toNanos());
    }

    private synchronized List<Connection> open() {
        return List.copyOf(connections);
    }

    private synchronized void waitForConnections(long nanos) {
        long end = System.nanoTime() + nanos;
        while (!connections.isEmpty() && System.nanoTime() < end) {
            awaitChange(ACCEPT_PAUSE_MILLIS);
        }
    }

    private void watch() {
        while (true) {
            synchronized (this) {
                if (stopping) {
                    return;
                }
                awaitChange(TICK_MILLIS);
            }
            for (Connection connection : open()) {
                if (connection.overdue()) {
                    log.accept("client dropped: it keeps the server waiting");
                    connection.close();
                }
            }
        }
    }
}
