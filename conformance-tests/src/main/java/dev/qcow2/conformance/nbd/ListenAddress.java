package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a server listens.
 *
 * @param address of a Unix socket or a TCP port
 */
record ListenAddress(SocketAddress address) {

    private static final int BACKLOG = 64;

    static ListenAddress unix(Path path) {
        return new ListenAddress(UnixDomainSocketAddress.of(path));
    }

    static ListenAddress tcp(String host, int port) throws UnknownHostException {
        return new ListenAddress(new InetSocketAddress(InetAddress.getByName(host), port));
    }

    /**
     * Starts to listen.
     *
     * @return open; whoever has it removes the socket file when it is closed, see {@link #remove}
     * @throws IOException if the place is taken, or the host refuses; says which place
     */
    ServerSocketChannel listen() throws IOException {
        ServerSocketChannel channel = address instanceof UnixDomainSocketAddress
                ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                : ServerSocketChannel.open();
        try {
            channel.bind(address, BACKLOG);
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw new IOException("Failed to listen on " + where(address) + ": " + e.getMessage() + advice(), e);
        }
    }

    private String advice() {
        return address instanceof UnixDomainSocketAddress unix && Files.exists(unix.getPath())
                ? " (the file exists; remove it if no server uses it)"
                : "";
    }

    /** Removes the socket file. */
    void remove() throws IOException {
        if (address instanceof UnixDomainSocketAddress unix) {
            Files.deleteIfExists(unix.getPath());
        }
    }

    private static String where(SocketAddress address) {
        if (address instanceof InetSocketAddress internet) {
            String host = internet.getAddress().getHostAddress();
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + internet.getPort();
        }
        return address.toString();
    }

    /** The address by which NBD clients find an export. */
    static String uri(SocketAddress bound, String export) {
        String name = URLEncoder.encode(export, StandardCharsets.UTF_8).replace("+", "%20");
        return bound instanceof UnixDomainSocketAddress
                ? "nbd+unix:///" + name + "?socket=" + bound
                : "nbd://" + where(bound) + "/" + name;
    }
}
