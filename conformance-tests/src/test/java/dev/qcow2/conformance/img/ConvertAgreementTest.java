package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code qcow2 img convert} makes images that hold what those of {@code qemu-img convert} hold, and are mapped alike. */
class ConvertAgreementTest {

    private static final String[] MANNERS = {
        "-O raw",
        "-O qcow2",
        "-O qcow2 -W -m 3",
        "-O qcow2 -o cluster_size=4k",
        "-O qcow2 -o cluster_size=512,compat=0.10",
        "-O qcow2 -S 0",
        "-O qcow2 -S 64k",
        "-O raw -S 1536",
        "-O qcow2 -o extended_l2=on",
        "-O qcow2 -o preallocation=metadata",
        "-O qcow2 -o preallocation=full",
        "-O qcow2 -c",
        "-O qcow2 -c -o compression_type=zstd,cluster_size=128k",
        "-O qcow2 -c -W -m 4 -o cluster_size=4k",
    };

    @TempDir
    private Path folder = Path.of("");

    private static String[] line(String manner, String... more) {
        List<String> all = new ArrayList<>(List.of("convert"));
        all.addAll(Arrays.asList(manner.split(" ")));
        all.addAll(Arrays.asList(more));
        return all.toArray(String[]::new);
    }

    /** The map without host offsets, for clusters may lie in another order. */
    private static String map(SideBySide tools, String image, boolean holes) throws Exception {
        StringBuilder joined = new StringBuilder();
        String last = "";
        for (String line :
                tools.qemuDoes("map", "--output=json", "%" + image).lines().toList()) {
            String kind = line.replaceAll(".*\"depth\"", "depth").replaceAll("(, \"offset\": [0-9]+)?}.*", "");
            kind = holes ? kind.replaceAll("\"zero\": [a-z]+", "") : kind;
            if (!kind.equals(last)) {
                joined.append(line.replaceAll("[^0-9]*([0-9]+).*", "$1 "))
                        .append(kind)
                        .append('\n');
            }
            last = kind;
        }
        return joined.toString();
    }

    private static void requireAlike(SideBySide tools, String manner, String ours, String theirs) throws Exception {
        tools.qemuDoes("compare", "%" + ours, "%" + theirs);
        // Where tables are made in advance, what the host stores at the file's end depends on how it was lengthened.
        boolean holes = manner.contains("preallocation=metadata");
        assertThat(map(tools, ours, holes)).as(manner).isEqualTo(map(tools, theirs, holes));
        if (manner.contains("qcow2")) {
            SideBySide.Said check = tools.qemu("check", "%" + ours);
            assertThat(check.exitCode()).as(manner + check.output()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("Every kind of target, from chains with all kinds of clusters")
    void targets(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        SampleImages images = new SampleImages(tools);
        for (int i = 0; i < MANNERS.length; i++) {
            String top = images.make(100 + i);
            tools.qemuDoes(line(MANNERS[i], "%" + top, "%theirs"));
            tools.oursDoes(line(MANNERS[i], "%" + top, "%ours"));
            requireAlike(tools, MANNERS[i] + " from seed " + (100 + i), "ours", "theirs");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("Several sources, a snapshot, a backing file, a target that exists, bitmaps, encryption")
    void waysToCopy(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        String top = new SampleImages(tools).make(3);
        tools.qemuDoes("create", "-q", "-f", "raw", "%odd.raw", "100000");
        tools.io("odd.raw", List.of("write -P 5 512 90000"));
        both(tools, "-O qcow2", "%" + top, "%odd.raw", "%" + top);
        both(tools, "-O raw", "%odd.raw", "%" + top);
        tools.qemuDoes("snapshot", "-c", "monday", "%" + top);
        tools.io(top, List.of("write -P 77 0 1M"));
        both(tools, "-O qcow2 -l monday", "%" + top);
        both(tools, "-O raw -l snapshot.name=monday", "%" + top);
        both(tools, "-O raw -l snapshot.id=1", "%" + top);
        tools.qemuDoes("create", "-q", "-f", "qcow2", "-b", tools.file(top), "-F", "qcow2", "%over.qcow2", "4M");
        tools.io("over.qcow2", List.of("write -P 1 64k 100k", "write -z 512k 128k", "write -P 3 3M 8k"));
        tools.io("over.qcow2", List.of("write -P 0 2M 128k"));
        both(tools, "-O qcow2 -F qcow2 -B " + tools.file(top), "%over.qcow2");
        both(tools, "-O qcow2 -c -F qcow2 -B " + tools.file(top), "%over.qcow2");
        for (String kept : new String[] {"raw", "qcow2"}) {
            for (String name : new String[] {"ours", "theirs"}) {
                tools.qemuDoes("create", "-q", "-f", kept, "%" + name, "5M");
                tools.qemuDoes("bench", "-f", kept, "-w", "-c", "100", "-s", "32k", "--pattern", "9", "%" + name);
            }
            copy(tools, "-n -O " + kept, "%over.qcow2");
            tools.qemuDoes("compare", "-f", kept, "-F", kept, "%ours", "%theirs");
            // Of a raw file that is zeroed while its pages are dirty, the file system keeps what it likes.
            if (kept.equals("qcow2")) {
                requireAlike(tools, "-n -O qcow2", "ours", "theirs");
            }
        }
        tools.qemuDoes("bitmap", "--add", "-g", "64k", "%over.qcow2", "b");
        tools.qemuDoes("bitmap", "--add", "--disable", "-g", "32k", "%over.qcow2", "off");
        tools.io("over.qcow2", List.of("write -P 2 1M 70k"));
        both(tools, "--bitmaps -O qcow2", "%over.qcow2");
        assertThat(tools.qemuDoes("info", "%ours").replaceAll("(?s).*bitmaps:", ""))
                .isEqualTo(tools.qemuDoes("info", "%theirs").replaceAll("(?s).*bitmaps:", ""));
        assertThat(tools.qemuDoes("measure", "-O", "qcow2", "%ours"))
                .isEqualTo(tools.qemuDoes("measure", "-O", "qcow2", "%theirs"));
        String secret = "secret,id=s,data=x";
        tools.oursDoes(line(
                "-O qcow2 -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
                "--object",
                secret,
                "%over.qcow2",
                "%luks"));
        String named = "driver=qcow2,encrypt.key-secret=s,file.filename=%luks";
        String plain = "driver=qcow2,file.filename=%over.qcow2";
        tools.qemuDoes("compare", "--object", secret, "--image-opts", named, plain);
        tools.oursDoes("convert", "--object", secret, "--image-opts", "-O", "raw", named, "%plain");
        tools.qemuDoes("compare", "-f", "raw", "-F", "qcow2", "%plain", "%over.qcow2");
    }

    private static void both(SideBySide tools, String manner, String... sources) throws Exception {
        copy(tools, manner, sources);
        requireAlike(tools, manner, "ours", "theirs");
    }

    private static void copy(SideBySide tools, String manner, String... sources) throws Exception {
        List<String> theirs = new ArrayList<>(Arrays.asList(sources));
        theirs.add("%theirs");
        tools.qemuDoes(line(manner, theirs.toArray(String[]::new)));
        List<String> ours = new ArrayList<>(Arrays.asList(sources));
        ours.add("%ours");
        tools.oursDoes(line(manner, ours.toArray(String[]::new)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("QC-L2-04: what can't be read ends the copy, or becomes zeros with --salvage")
    void broken(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        tools.qemuDoes("create", "-q", "-f", "qcow2", "%a.qcow2", "1M");
        tools.io("a.qcow2", List.of("write -P 1 0 256k"));
        byte[] bytes = Files.readAllBytes(folder.resolve("a.qcow2"));
        // The L2 entry of the second cluster gets an offset that no cluster can have.
        bytes[0x40008 + 6] = 2;
        Files.write(folder.resolve("a.qcow2"), bytes);
        SideBySide.Said refused = tools.ours("convert", "-O", "raw", "%a.qcow2", "%ours");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.output()).contains("error while reading block status at offset 65536: Input/output error");
        tools.oursDoes("convert", "--salvage", "-O", "raw", "%a.qcow2", "%ours");
        tools.qemuDoes("convert", "--salvage", "-O", "raw", "%a.qcow2", "%theirs");
        tools.qemuDoes("compare", "-f", "raw", "-F", "raw", "%ours", "%theirs");
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("Command lines that are wrong, and progress")
    void words(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        tools.qemuDoes("create", "-q", "-f", "qcow2", "%a", "1M");
        tools.qemuDoes("create", "-q", "-f", "raw", "%small.raw", "512k");
        Files.write(folder.resolve("x"), new byte[512]);
        for (String wrong : List.of(
                "",
                "%a",
                "-O foo %a %x",
                "-O raw -c %a %x",
                "-O qcow2 -c -o preallocation=full %a %x",
                "-O qcow2 -c -o encrypt.format=luks,encrypt.key-secret=s --object secret,id=s,data=a %a %x",
                "-n -O raw %a %small.raw",
                "-n -o size=1M -O raw %a %x",
                "-B %a -O qcow2 %a %a %x",
                "-B %a -O raw %a %x",
                "-B %a -O qcow2 %a %x",
                "-F qcow2 -O qcow2 %a %x",
                "-S abc %a %x",
                "-S 100 %a %x",
                "-S 3T %a %x",
                "-m 0 %a %x",
                "-m 17 %a %x",
                "-C -S 4k %a %x",
                "-C --salvage %a %x",
                "-l foo %a %x",
                "-l snapshot.foo=1 %a %x",
                "-l x %a %a %x",
                "--target-is-zero %a %x",
                "--target-image-opts %a driver=raw,file.filename=%x",
                "-n --target-image-opts -O raw %a driver=raw,file.filename=%x",
                "-t foo %a %x",
                "-T foo %a %x",
                "-r abc %a %x",
                "--bitmaps -O raw %a %x",
                "--skip-broken-bitmaps -O qcow2 %a %x",
                "--bitmaps -O qcow2 %x %y",
                "-O qcow2 -o foo=3M %a %x",
                "-O qcow2 -o cluster_size=3M %a %x",
                "-q %a /nonexistent/x",
                "-p -O qcow2 %a %x",
                "%a %a",
                "-O qcow2 %a %a",
                "-O qcow2 -o help",
                "-O raw -o help %a %x")) {
            tools.same(("convert " + wrong).trim().split(" "));
        }
    }
}
