package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code compare} and {@code bench} beside those of qemu-img. */
class CompareAgreementTest {

    @TempDir
    private Path folder = Path.of("");

    private static void same(SideBySide tools, String line) throws Exception {
        tools.same(line.trim().split(" "));
    }

    @BeforeEach
    void makeImages() throws Exception {
        SideBySide tools = new SideBySide(folder, "reference");
        tools.qemuDoes("create", "-q", "-f", "qcow2", "%a.qcow2", "1M");
        tools.qemuDoes("create", "-q", "-f", "qcow2", "%b.qcow2", "2M");
        tools.io("a.qcow2", List.of("write -P 1 64k 64k", "write -P 0 512k 4k"));
        Files.copy(folder.resolve("a.qcow2"), folder.resolve("c.qcow2"));
        tools.io("b.qcow2", List.of("write -P 1 64k 64k"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("compare: the same, other sizes, other bytes, strict, what can't be opened or read")
    void compare(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        same(tools, "compare %a.qcow2 %b.qcow2");
        same(tools, "compare %b.qcow2 %a.qcow2");
        same(tools, "compare -s %a.qcow2 %b.qcow2");
        same(tools, "compare -q %a.qcow2 %b.qcow2");
        tools.io("c.qcow2", List.of("write -z 512k 64k"));
        same(tools, "compare %a.qcow2 %c.qcow2");
        same(tools, "compare -s %a.qcow2 %c.qcow2");
        same(tools, "compare -s %a.qcow2 %a.qcow2");
        tools.io("b.qcow2", List.of("write -P 1 1536k 64k"));
        same(tools, "compare %a.qcow2 %b.qcow2");
        same(tools, "compare -q %b.qcow2 %a.qcow2");
        tools.io("c.qcow2", List.of("write -P 2 65600 10"));
        same(tools, "compare %a.qcow2 %c.qcow2");
        tools.io("c.qcow2", List.of("write -P 1 65600 10", "write -P 9 1000000 100"));
        same(tools, "compare %a.qcow2 %c.qcow2");
        same(tools, "compare %a.qcow2");
        same(tools, "compare -f raw %a.qcow2 %c.qcow2");
        same(tools, "compare -f foo %a.qcow2 %c.qcow2");
        same(tools, "compare -T bad %a.qcow2 %c.qcow2");
        same(tools, "compare --image-opts driver=qcow2,file.filename=%a.qcow2 driver=qcow2,file.filename=%b.qcow2");
        assertThat(tools.ours("compare", "%a.qcow2", "%missing").exitCode()).isEqualTo(2);
        byte[] bytes = Files.readAllBytes(folder.resolve("c.qcow2"));
        // The L2 entry of the second cluster gets an offset that no cluster can have.
        bytes[0x40008 + 6] = 2;
        Files.write(folder.resolve("c.qcow2"), bytes);
        assertThat(tools.ours("compare", "%a.qcow2", "%c.qcow2").exitCode())
                .isEqualTo(tools.qemu("compare", "%a.qcow2", "%c.qcow2").exitCode())
                .isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("bench: what it announces and refuses; all requests are sent")
    void bench(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        for (String line : List.of(
                "-c 10 %a.qcow2",
                "-w -c 20 -d 4 -s 8k -S 4k -o 64k --pattern 5 --flush-interval 5 %a.qcow2",
                "-w -c 12 -d 2 --flush-interval 3 --no-drain %a.qcow2",
                "-c 1 -s 2M %a.qcow2",
                "-c 0 -i threads %a.qcow2",
                "-w -c 10 -d 4 --flush-interval 2 %a.qcow2",
                "-c 10 --flush-interval 2 %a.qcow2",
                "-c x %a.qcow2",
                "-d x %a.qcow2",
                "-s x %a.qcow2",
                "-S x %a.qcow2",
                "-o x %a.qcow2",
                "-i foo %a.qcow2",
                "-n -c 1 %a.qcow2",
                "-t foo %a.qcow2",
                "--pattern 256 -w %a.qcow2",
                "--flush-interval x -w %a.qcow2",
                "-U -w -c 1 %a.qcow2",
                "",
                "%a.qcow2 %b.qcow2")) {
            String[] words = ("bench " + line).trim().split(" ");
            SideBySide.Said theirs = tools.qemu(words);
            SideBySide.Said ours = tools.ours(words);
            assertThat(ours.exitCode()).as(line).isEqualTo(theirs.exitCode());
            assertThat(withoutTime(ours)).as(line).isEqualTo(withoutTime(theirs));
        }
        tools.oursDoes("bench", "-w", "-c", "16", "-s", "64k", "--pattern", "7", "%a.qcow2");
        tools.io("a.qcow2", List.of("read -P 7 0 1M"));
    }

    private static List<String> withoutTime(SideBySide.Said said) {
        return said.output()
                .replaceAll("in [0-9.]+ seconds", "in a while")
                .lines()
                .sorted()
                .toList();
    }
}
