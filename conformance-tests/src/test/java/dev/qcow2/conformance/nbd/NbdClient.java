package dev.qcow2.conformance.nbd;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A client that says exactly what a test wants, right or wrong. It shares nothing with the server: numbers stand here as they stand in the
 * protocol's text.
 */
final class NbdClient implements AutoCloseable {

    static final int READ = 0;
    static final int WRITE = 1;
    static final int DISCONNECT = 2;
    static final int FLUSH = 3;
    static final int TRIM = 4;
    static final int CACHE = 5;
    static final int WRITE_ZEROES = 6;
    static final int BLOCK_STATUS = 7;

    static final int FUA = 1;
    static final int NO_HOLE = 2;
    static final int DF = 4;
    static final int REQ_ONE = 8;
    static final int FAST_ZERO = 16;

    static final int ACK = 1;
    static final int ERR_UNSUP = 0x80000001;
    static final int ERR_INVALID = 0x80000003;
    static final int ERR_UNKNOWN = 0x80000006;
    static final int ERR_TOO_BIG = 0x80000009;

    private static final long REPLY_MAGIC = 0x3e889045565a9L;

    /** An answer to an option. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record OptionAnswer(int option, int kind, byte[] data) {
        ByteBuffer buffer() {
            return ByteBuffer.wrap(data);
        }
    }

    /** One chunk of an answer, or a simple answer: then the kind is -1. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Chunk(int kind, boolean last, long cookie, int error, byte[] data) {
        ByteBuffer buffer() {
            return ByteBuffer.wrap(data);
        }

        /** The sentence of an error. */
        String text() {
            return kind != 32769 ? "" : new String(data, 6, data.length - 6, StandardCharsets.UTF_8);
        }
    }

    private final SocketChannel channel;
    private final DataInputStream in;
    private final DataOutputStream out;
    private long size;
    private int flags;
    private long nextCookie = 1000;

    NbdClient(Path socket) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        in = new DataInputStream(Channels.newInputStream(channel));
        out = new DataOutputStream(Channels.newOutputStream(channel));
    }

    /** Connects, agrees on chunks and base:allocation, and goes on with an export. */
    static NbdClient ready(Path socket, String export) throws IOException {
        NbdClient client = new NbdClient(socket);
        client.greet(3);
        client.option(8, new byte[0]);
        client.expectAck();
        client.option(10, contexts(export, "base:allocation"));
        client.answer();
        client.expectAck();
        client.go(export);
        return client;
    }

    /** Connects without agreeing on chunks. */
    static NbdClient simple(Path socket, String export) throws IOException {
        NbdClient client = new NbdClient(socket);
        client.greet(3);
        client.go(export);
        return client;
    }

    void greet(int clientFlags) throws IOException {
        require(in.readLong() == 0x4e42444d41474943L, "NBDMAGIC");
        require(in.readLong() == 0x49484156454f5054L, "IHAVEOPT");
        require(in.readUnsignedShort() == 3, "flags");
        out.writeInt(clientFlags);
    }

    void option(int option, byte[] data) throws IOException {
        ByteBuffer message = ByteBuffer.allocate(16 + data.length);
        message.putLong(0x49484156454f5054L).putInt(option).putInt(data.length).put(data);
        out.write(message.array());
    }

    OptionAnswer answer() throws IOException {
        require(in.readLong() == REPLY_MAGIC, "magic of an answer");
        int option = in.readInt();
        int kind = in.readInt();
        byte[] data = new byte[in.readInt()];
        in.readFully(data);
        return new OptionAnswer(option, kind, data);
    }

    void expectAck() throws IOException {
        require(answer().kind() == ACK, "ack");
    }

    private void go(String export) throws IOException {
        option(7, export(export));
        for (OptionAnswer answer = answer(); answer.kind() != ACK; answer = answer()) {
            require(answer.kind() == 3, "info");
            if (answer.buffer().getShort() == 0) {
                size = answer.buffer().getLong(2);
                flags = Short.toUnsignedInt(answer.buffer().getShort(10));
            }
        }
    }

    static byte[] export(String name, int... facts) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(6 + bytes.length + 2 * facts.length);
        data.putInt(bytes.length).put(bytes).putShort((short) facts.length);
        for (int fact : facts) {
            data.putShort((short) fact);
        }
        return data.array();
    }

    static byte[] contexts(String name, String... queries) {
        ByteBuffer data = ByteBuffer.allocate(4096);
        data.putInt(name.length()).put(name.getBytes(StandardCharsets.UTF_8)).putInt(queries.length);
        for (String query : queries) {
            data.putInt(query.length()).put(query.getBytes(StandardCharsets.UTF_8));
        }
        byte[] bytes = new byte[data.position()];
        data.flip().get(bytes);
        return bytes;
    }

    long size() {
        return size;
    }

    int flags() {
        return flags;
    }

    /** Sends a request, and returns its cookie. */
    long request(int command, int requestFlags, long offset, int length) throws IOException {
        return request(command, requestFlags, offset, length, new byte[0]);
    }

    long request(int command, int requestFlags, long offset, int length, byte[] payload) throws IOException {
        long cookie = nextCookie++;
        ByteBuffer message = ByteBuffer.allocate(28 + payload.length);
        message.putInt(0x25609513).putShort((short) requestFlags).putShort((short) command);
        message.putLong(cookie).putLong(offset).putInt(length).put(payload);
        out.write(message.array());
        return cookie;
    }

    void raw(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    Chunk chunk() throws IOException {
        int magic = in.readInt();
        if (magic == 0x67446698) {
            int error = in.readInt();
            return new Chunk(-1, true, in.readLong(), error, new byte[0]);
        }
        require(magic == 0x668e33ef, "magic of a chunk: " + Integer.toHexString(magic));
        int chunkFlags = in.readUnsignedShort();
        int kind = in.readUnsignedShort();
        long cookie = in.readLong();
        byte[] data = new byte[in.readInt()];
        in.readFully(data);
        int error = kind == 32769 ? ByteBuffer.wrap(data).getInt() : 0;
        return new Chunk(kind, (chunkFlags & 1) != 0, cookie, error, data);
    }

    /** Reads the chunks of one answer, where no other answer is on its way. */
    List<Chunk> chunks() throws IOException {
        List<Chunk> chunks = new ArrayList<>();
        do {
            chunks.add(chunk());
        } while (!chunks.get(chunks.size() - 1).last());
        return chunks;
    }

    /** Sends a request without payload and returns its error. */
    int result(int command, int requestFlags, long offset, int length) throws IOException {
        request(command, requestFlags, offset, length);
        List<Chunk> chunks = chunks();
        return chunks.get(chunks.size() - 1).error();
    }

    int write(long offset, byte[] data) throws IOException {
        request(WRITE, 0, offset, data.length, data);
        return chunk().error();
    }

    /** Reads by chunks. */
    byte[] read(long offset, int length) throws IOException {
        request(READ, 0, offset, length);
        byte[] bytes = new byte[length];
        chunks().forEach(chunk -> lay(chunk, offset, bytes));
        return bytes;
    }

    /** Puts what a chunk of a read brings where it belongs. */
    static void lay(Chunk chunk, long offset, byte[] bytes) {
        require(chunk.error() == 0, "read failed: " + chunk.error());
        if (chunk.kind() == 1) {
            System.arraycopy(
                    chunk.data(), 8, bytes, (int) (chunk.buffer().getLong() - offset), chunk.data().length - 8);
        } else if (chunk.kind() == 2) {
            int from = (int) (chunk.buffer().getLong() - offset);
            java.util.Arrays.fill(bytes, from, from + chunk.buffer().getInt(8), (byte) 0);
        }
    }

    byte[] bytes(int length) throws IOException {
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return bytes;
    }

    /** True if the server has closed the connection and sent nothing before. */
    boolean ended() throws IOException {
        try {
            return in.read() < 0;
        } catch (EOFException e) {
            return true;
        } catch (IOException e) {
            return String.valueOf(e.getMessage()).contains("reset");
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("the server broke the protocol: " + what);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
