package dev.qcow2.conformance.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.language.Fill;
import dev.qcow2.spec.model.BaseContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What is remembered is what was computed. */
class RememberedContentTest {

    private static final int SIZE = (17 << 20) + 1234;

    @Test
    @DisplayName("no clause: the same bytes at any place, each page asked for once while there is room")
    void same() throws IOException {
        byte[] bytes = Fill.bytes(5, SIZE);
        int[] asked = {0};
        BaseContent counting = new BaseContent() {
            @Override
            public long size() {
                return SIZE;
            }

            @Override
            public void read(long guestOffset, ByteBuffer into) {
                asked[0]++;
                into.put(bytes, (int) guestOffset, into.remaining());
            }
        };
        BaseContent remembered = new RememberedContent(counting);
        assertThat(remembered.size()).isEqualTo(SIZE);
        assertThat(read(remembered, 0, 10_000)).isEqualTo(read(counting, 0, 10_000));
        int first = asked[0];
        read(remembered, 5000, 3000);
        assertThat(asked[0]).isEqualTo(first);
        // More than is kept, so that pages are forgotten and asked for again.
        for (int i = 0; i < 2; i++) {
            assertThat(read(remembered, 0, SIZE)).isEqualTo(bytes);
        }
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            int length = random.nextInt(20_000);
            int offset = i % 5 == 0 ? SIZE - length : random.nextInt(SIZE - length);
            assertThat(read(remembered, offset, length)).isEqualTo(read(counting, offset, length));
        }
    }

    private static byte[] read(BaseContent content, long offset, int length) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(length);
        content.read(offset, into);
        return into.array();
    }
}
