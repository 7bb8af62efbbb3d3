package dev.qcow2.conformance.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an implementation tells whoever opens an image reaches the user of the commands. */
class NoticesTest {

    private static final int INCOMPATIBLE_LOW_BYTE = 79;

    private static String messages(String... arguments) {
        StringWriter messages = new StringWriter();
        int code = Qcow2Command.run(new PrintWriter(new StringWriter()), new PrintWriter(messages, true), arguments);
        assertThat(code).as(messages.toString()).isZero();
        return messages.toString();
    }

    private static void markDirty(Path image) throws Exception {
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {1}), INCOMPATIBLE_LOW_BYTE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("QC-MNT-09: no command repairs a dirty image without a word, and who only reads is told nothing")
    void repairs(String implementation, @TempDir Path folder) throws Exception {
        Path image = folder.resolve("image");
        String name = image.toString();
        String use = "--impl=" + implementation;
        messages("img", "create", use, "-q", "-f", "qcow2", name, "1M");
        markDirty(image);
        assertThat(messages("io", use, "-r", "-c", "read 0 1k", name)).isEmpty();
        assertThat(messages("io", use, "-c", "write 0 1k", name)).contains("qcow2 io: warning: ", "dirty");
        assertThat(messages("io", use, "-c", "write 0 1k", name)).isEmpty();
        markDirty(image);
        assertThat(messages("img", "snapshot", use, "-c", "one", name)).contains("qcow2 img: warning: ", "dirty");
        assertThat(messages("img", "snapshot", use, "-c", "two", name)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("QC-CRY-14: who writes to an image with the format's own encryption is told that it is unsafe")
    void unsafe(String implementation, @TempDir Path folder) {
        String name = folder.resolve("image").toString();
        String use = "--impl=" + implementation;
        String secret = "--object=secret,id=s,data=abc";
        String options = "encrypt.format=aes,encrypt.key-secret=s";
        messages("img", "create", use, "-q", "-f", "qcow2", secret, "-o", options, name, "1M");
        String tree = "driver=qcow2,encrypt.key-secret=s,file.filename=" + name;
        assertThat(messages("io", use, secret, "--image-opts", "-c", "write 0 1k", tree))
                .contains("qcow2 io: warning: ", "LUKS");
    }
}
