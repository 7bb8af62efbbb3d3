package dev.qcow2.spec.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A directory whose files come wrapped. */
class WrappingHostDirectoryTest {

    @Test
    @DisplayName("every file comes wrapped, opened or created, and is kept in that order")
    void everyFileIsWrapped() throws DiskException {
        MemoryHostDirectory below = new MemoryHostDirectory();
        WrappingHostDirectory<RecordingHostFile> directory = new WrappingHostDirectory<>(below, RecordingHostFile::new);
        directory.create("file").write(0, ByteBuffer.allocate(3));
        HostFile opened = directory.open("file", Access.READ_ONLY);
        assertThat(directory.files()).hasSize(2).last().isSameAs(opened);
        assertThat(directory.files().get(0).events()).hasSize(1);
        assertThat(below.content("file").toByteArray()).hasSize(3);
    }

    @Test
    @DisplayName("QC-BACK-03, QC-BACK-04: names and identities are those of the directory below")
    void names() throws DiskException {
        MemoryHostDirectory below = new MemoryHostDirectory();
        below.create("dir/base").close();
        HostDirectory directory = new WrappingHostDirectory<>(below, RecordingHostFile::new);
        assertThat(directory.resolve("dir/image", "base")).isEqualTo(below.resolve("dir/image", "base"));
        assertThat(directory.identity("dir/base")).isEqualTo(below.identity("dir/base"));
        assertThatThrownBy(() -> directory.open("nowhere", Access.READ_ONLY)).isInstanceOf(DiskException.class);
    }

    @Test
    @DisplayName("a file that the wrapper refuses is closed, and not kept")
    void refusalsCloseTheFile() throws DiskException {
        List<String> closed = new ArrayList<>();
        HostDirectory below =
                new WrappingHostDirectory<>(new MemoryHostDirectory(), file -> new ForwardingHostFile(file) {
                    @Override
                    public void close() throws DiskException {
                        closed.add(name());
                        super.close();
                    }
                });
        WrappingHostDirectory<HostFile> refusing = new WrappingHostDirectory<>(below, file -> {
            throw new HostIoException(file.name(), "wrap", null);
        });
        assertThatThrownBy(() -> refusing.create("file")).isInstanceOf(HostIoException.class);
        assertThat(closed).containsExactly("file");
        assertThat(refusing.files()).isEmpty();
    }
}
