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

/** {@code measure} and {@code dd} beside those of qemu-img. */
class MeasureAgreementTest {

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
        tools.io("b.qcow2", List.of("write -P 1 64k 64k"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("measure: a sweep of options, images, snapshots, bitmaps, and command lines that are wrong")
    void measure(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        for (String size : new String[] {"0", "1", "513", "1G", "37G", "2T"}) {
            for (String options : new String[] {
                "",
                "-o cluster_size=512",
                "-o cluster_size=2M",
                "-o extended_l2=on",
                "-o refcount_bits=1",
                "-o refcount_bits=64",
                "-o preallocation=falloc",
                "-o preallocation=metadata,compat=0.10"
            }) {
                if (!(size.equals("2T") && options.contains("512"))) {
                    same(tools, "measure -O qcow2 --size " + size + " " + options);
                }
            }
        }
        SampleImages images = new SampleImages(tools);
        for (int seed = 200; seed < 206; seed++) {
            String top = images.make(seed);
            same(tools, "measure -O qcow2 %" + top);
            same(tools, "measure -O qcow2 --output=json -o cluster_size=4k %" + top);
        }
        tools.qemuDoes("bitmap", "--add", "%a.qcow2", "b0");
        tools.qemuDoes("bitmap", "--add", "-g", "512", "%a.qcow2", "another");
        tools.qemuDoes("snapshot", "-c", "s", "%a.qcow2");
        tools.io("a.qcow2", List.of("write 0 1M"));
        for (String line : List.of(
                "-O qcow2 %a.qcow2",
                "-O qcow2 -l s %a.qcow2",
                "-O qcow2 -o compat=0.10 %a.qcow2",
                "-O qcow2 --output=json %a.qcow2",
                "-O raw %a.qcow2",
                "",
                "%a.qcow2 %b.qcow2",
                "--size 1 %a.qcow2",
                "--size x",
                "--size 9E",
                "-O foo --size 1",
                "-O qcow2 -o foo=1 --size 1",
                "-O qcow2 -o cluster_size=3 --size 1",
                "-O qcow2 -o refcount_bits=3 --size 1",
                "-f qcow2 --size 1",
                "-l x %a.qcow2",
                "--output=xml --size 1",
                "--size 1G -O qcow2 -o data_file=x")) {
            same(tools, "measure " + line);
        }
        // What QEMU 7.2 said; on a busy machine it does not, for it must measure how fast keys are derived.
        String luks =
                "measure --object secret,id=s,data=a --size 1G -O qcow2 -o encrypt.format=luks,encrypt.key-secret=s,"
                        + "encrypt.iter-time=10";
        assertThat(tools.oursDoes(luks.split(" ")))
                .isEqualTo("required size: 2490368\nfully allocated size: 1076232192\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("dd: blocks, formats, and command lines that are wrong")
    void dd(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        for (String manner : List.of(
                "-O raw bs=64k skip=1 count=1",
                "-O qcow2 bs=1000",
                "-O qcow2 bs=1000 count=3",
                "-O qcow2 bs=2k count=9999",
                "bs=1M",
                "count=0",
                "bs=64k skip=100",
                "bs=64k skip=15 count=7")) {
            same(tools, "dd " + manner + " if=%a.qcow2 of=%x");
            Files.copy(folder.resolve("x"), folder.resolve("ours"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            tools.qemu(("dd " + manner + " if=%a.qcow2 of=%theirs").split(" "));
            tools.qemuDoes("compare", "-s", "%ours", "%theirs");
        }
        for (String wrong : List.of(
                "",
                "if=%a.qcow2",
                "of=%x",
                "foo=1 if=%a.qcow2 of=%x",
                "bs=0 if=%a.qcow2 of=%x",
                "bs=x if=%a.qcow2 of=%x",
                "bs=3G if=%a.qcow2 of=%x",
                "count=x if=%a.qcow2 of=%x",
                "skip=x if=%a.qcow2 of=%x",
                "-O foo if=%a.qcow2 of=%x",
                "if=%a.qcow2 of=/nonexistent/x",
                "-Z")) {
            same(tools, "dd " + wrong);
        }
    }
}
