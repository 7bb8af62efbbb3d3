package dev.qcow2.spec.host;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much of the host's space a file takes, which Java does not say. */
public final class HostUsage {

    private static final int CURRENT_DIRECTORY = -100;
    private static final int BLOCKS = 0x400;
    private static final int BYTES_OF_ANSWER = 256;
    private static final int BLOCKS_AT = 48;
    private static final long BYTES_PER_BLOCK = 512;

    private static final boolean AVAILABLE = CLibrary.register(HostUsage.class);

    private HostUsage() {}

    private static native int statx(int directory, String path, int flags, int mask, Pointer answer)
            throws LastErrorException;

    /**
     * Asks the host.
     *
     * @param path an existing file
     * @return bytes of the blocks that belong to the file; its length where the host doesn't tell
     * @throws IOException if the host refuses
     */
    public static long bytes(Path path) throws IOException {
        if (!AVAILABLE) {
            return Files.size(path);
        }
        // The answer's layout is the same on all of Linux's machines.
        try (Memory answer = new Memory(BYTES_OF_ANSWER)) {
            statx(CURRENT_DIRECTORY, path.toString(), 0, BLOCKS, answer);
            return answer.getLong(BLOCKS_AT) * BYTES_PER_BLOCK;
        } catch (LastErrorException e) {
            return Files.size(path);
        }
    }
}
