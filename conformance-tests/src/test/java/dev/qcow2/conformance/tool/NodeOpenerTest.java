package dev.qcow2.conformance.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way to name an image leads to the same bytes, on both implementations. */
class NodeOpenerTest {

    @TempDir
    private Path folder = Path.of("");

    private NodeOpener opener(String implementation) throws ToolException {
        return new NodeOpener(new ToolSettings(
                Implementations.named(implementation), folder, new SecretStore(), CacheMode.WRITEBACK, false));
    }

    @BeforeEach
    void makeImages() throws Exception {
        for (String name : new String[] {"low", "other"}) {
            byte[] raw = new byte[4096];
            java.util.Arrays.fill(raw, (byte) (name.equals("low") ? 1 : 2));
            Files.write(folder.resolve(name + ".raw"), raw);
        }
        Files.createDirectories(folder.resolve("sub"));
        NodeOpener opener = opener("reference");
        CreateOptions plain = CreateOptions.ofSize(8192);
        opener.settings()
                .driver()
                .create(
                        opener.settings().files(),
                        "top.qcow2",
                        plain.withBacking("low.raw", Optional.of(BackingFormat.RAW)));
        opener.settings()
                .driver()
                .create(
                        opener.settings().files(),
                        "sub/json.qcow2",
                        plain.withBacking(
                                "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"../low.raw\"}}",
                                Optional.empty()));
    }

    private static byte firstByte(OpenNode node) throws DiskException {
        ByteBuffer one = ByteBuffer.allocate(1);
        node.disk().read(0, one);
        return one.get(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("Plain names, file:, json: and image options open the same image with its backing file")
    void manyNames(String implementation) throws Exception {
        NodeOpener opener = opener(implementation);
        String json = "json:{\"driver\":\"qcow2\",\"file.filename\":\"top.qcow2\"}";
        for (String name : new String[] {"top.qcow2", "file:top.qcow2", json, "sub/json.qcow2"}) {
            try (OpenNode node = opener.open(name, Optional.empty(), OpenRequest.READ)) {
                assertThat(node.location().format()).isEqualTo("qcow2");
                assertThat(firstByte(node)).as(name).isEqualTo((byte) 1);
            }
        }
        String options = "driver=qcow2,file.driver=blkdebug,file.image.filename=top.qcow2,file.max-transfer=1k";
        try (OpenNode node = opener.open(opener.locate(BlockOptions.imageOptions(options)), OpenRequest.READ)) {
            assertThat(firstByte(node)).isEqualTo((byte) 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("The user's backing file stands in for the image's own, and ignored backing files read as zero")
    void standIns(String implementation) throws Exception {
        NodeOpener opener = opener(implementation);
        String options = "driver=qcow2,file.filename=top.qcow2,backing.driver=raw,backing.file.filename=other.raw";
        try (OpenNode node = opener.open(opener.locate(BlockOptions.imageOptions(options)), OpenRequest.READ)) {
            assertThat(firstByte(node)).isEqualTo((byte) 2);
        }
        try (OpenNode node = opener.open("top.qcow2", Optional.empty(), OpenRequest.ALONE)) {
            assertThat(firstByte(node)).isEqualTo((byte) 0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("A window of a raw file, a null disk, and a format that the user forces")
    void otherDrivers(String implementation) throws Exception {
        NodeOpener opener = opener(implementation);
        Files.write(folder.resolve("window.raw"), new byte[] {1, 2, 3, 4});
        String window =
                "json:{\"driver\":\"raw\",\"offset\":\"1\",\"size\":2,\"file\":{\"driver\":\"file\",\"filename\":\"window.raw\"}}";
        try (OpenNode node = opener.open(window, Optional.empty(), OpenRequest.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate(4);
            node.disk().read(0, bytes);
            assertThat(bytes.array()).containsExactly(2, 3, 0, 0);
        }
        try (OpenNode node = opener.open("null-co://", Optional.empty(), OpenRequest.WRITE)) {
            assertThat(node.disk().size()).isEqualTo(1 << 30);
        }
        try (OpenNode node = opener.open("top.qcow2", Optional.of("raw"), OpenRequest.READ)) {
            assertThat(firstByte(node)).isEqualTo((byte) 'Q');
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "driver=qcow2,file.filename=top.qcow2,fancy=on",
                "driver=vmdk,file.filename=top.qcow2",
                "driver=qcow2,file.driver=nbd,file.host=x",
                "driver=raw,size=many,file.filename=low.raw",
                "driver=qcow2"
            })
    @DisplayName("What is not supported is said by name")
    void refused(String options) throws Exception {
        NodeOpener opener = opener("reference");
        assertThatThrownBy(() -> opener.open(opener.locate(BlockOptions.imageOptions(options)), OpenRequest.READ))
                .isInstanceOfAny(ToolException.class, DiskException.class)
                .message()
                .containsAnyOf("fancy", "vmdk", "nbd", "size", "file");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0=0",
                "512=512",
                "1k=1024",
                "1.5K=1536",
                "0x10=16",
                "0x1k=1024",
                "1M=1048576",
                "7E=8070450532247928832"
            })
    @DisplayName("Sizes are read as people type them")
    void sizes(String pair) {
        String[] parts = pair.split("=", -1);
        assertThat(ByteSize.parse(parts[0])).hasValue(Long.parseLong(parts[1]));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1x", "k", "1.5", "8E", "0x", "1 k", "99999999999999999999"})
    @DisplayName("What is no size is refused")
    void noSizes(String text) {
        assertThat(ByteSize.parse(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0=0 B",
                "512=512 B",
                "1000=0.977 KiB",
                "1024=1 KiB",
                "65536=64 KiB",
                "1610612736=1.5 GiB",
                "1023410176=976 MiB"
            })
    @DisplayName("Sizes are written as QEMU writes them")
    void texts(String pair) {
        String[] parts = pair.split("=", -1);
        assertThat(ByteSize.text(Long.parseLong(parts[0]))).isEqualTo(parts[1]);
    }
}
