package dev.qcow2.reference;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** For {@code qemu-img create} with LUKS: it measures the processor, and gives up now and then on a busy machine. */
final class QemuRetry {

    private static final int TRIES = 30;
    private static final String PASSING = "Unable to get accurate CPU usage";

    private QemuRetry() {}

    static void run(Path directory, List<String> command) throws IOException, InterruptedException {
        for (int i = 1; ; i++) {
            try {
                Qemu.run(directory, command.toArray(new String[0]));
                return;
            } catch (AssertionError e) {
                if (i == TRIES || !String.valueOf(e.getMessage()).contains(PASSING)) {
                    throw e;
                }
            }
        }
    }
}
