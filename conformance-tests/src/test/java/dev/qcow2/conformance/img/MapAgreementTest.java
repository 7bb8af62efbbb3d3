package dev.qcow2.conformance.img;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.RealHostDirectory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code qcow2 img map} says what {@code qemu-img map} says. */
class MapAgreementTest {

    private static final int SEEDS = 12;

    @TempDir
    private Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("QC-GUEST-09: chains with all kinds of clusters, as JSON and as a table")
    void chains(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        SampleImages images = new SampleImages(tools);
        for (int seed = 0; seed < SEEDS; seed++) {
            String top = images.make(seed);
            tools.same("map", "--output=json", "%" + top);
            tools.same("map", "%" + top);
            tools.same("map", "--output=json", "-s", String.valueOf(1000 * seed), "-l", "300k", "%" + top);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "optimized"})
    @DisplayName("Raw files, data files, encrypted images, empty images, odd ends, and command lines that are wrong")
    void corners(String implementation) throws Exception {
        SideBySide tools = new SideBySide(folder, implementation);
        tools.qemuDoes("create", "-q", "-f", "raw", "%a.raw", "1M");
        tools.io("a.raw", List.of("write -P 1 64k 5000"));
        tools.same("map", "--output=json", "%a.raw");
        tools.same("map", "%a.raw");
        Files.write(folder.resolve("odd.raw"), new byte[1301]);
        tools.same("map", "--output=json", "%odd.raw");
        tools.qemuDoes("create", "-q", "-f", "qcow2", "-b", "odd.raw", "-F", "raw", "%odd.qcow2", "4k");
        tools.same("map", "--output=json", "%odd.qcow2");
        tools.qemuDoes("create", "-q", "-f", "qcow2", "-o", "data_file=" + folder + "/d.raw", "%d.qcow2", "1M");
        tools.io("d.qcow2", List.of("write 0 64k", "write -z 64k 64k", "write 128k 1k"));
        tools.same("map", "--output=json", "%d.qcow2");
        tools.same("map", "%d.qcow2");
        tools.qemuDoes("create", "-q", "-f", "qcow2", "%empty.qcow2", "0");
        tools.same("map", "--output=json", "%empty.qcow2");
        tools.same("map", "%empty.qcow2");
        encrypted();
        String secret = "secret,id=s,data=x";
        String options = "driver=qcow2,encrypt.key-secret=s,file.filename=%luks.qcow2";
        tools.same("map", "--output=json", "--object", secret, "--image-opts", options);
        tools.same("map", "--object", secret, "--image-opts", options);
        tools.same("map", "--output=json", "null-co://");
        tools.same(
                "map",
                "--output=json",
                "json:{\"driver\":\"raw\",\"offset\":4096,\"size\":65536,"
                        + "\"file\":{\"driver\":\"file\",\"filename\":\"%a.raw\"}}");
        for (String wrong : new String[] {"", "%a.raw %odd.raw", "--output=xml %a.raw", "-Z %a.raw", "-f foo %a.raw"}) {
            tools.same(("map " + wrong).trim().split(" "));
        }
        tools.same("map", "--max-length=abc", "%a.raw");
        tools.same("map", "-s", "-5", "%a.raw");
        tools.same("map", "--output=json", "-s", "2M", "%a.raw");
        assertThat(tools.ours("map", "%missing").exitCode())
                .isEqualTo(tools.qemu("map", "%missing").exitCode());
    }

    private void encrypted() throws DiskException {
        RealHostDirectory files = new RealHostDirectory(folder);
        ReferenceDriver driver = new ReferenceDriver();
        Passphrase passphrase = Passphrase.of("x");
        FormatFeatures features =
                FormatFeatures.PLAIN.withEncryption(new Encryption(Cipher.LUKS_AES_256_XTS_PLAIN64, passphrase, 1000));
        driver.create(files, "luks.qcow2", CreateOptions.ofSize(1 << 20).withFeatures(features));
        try (VirtualDisk disk =
                driver.open(files, "luks.qcow2", OpenOptions.readWrite().withPassphrase(passphrase))) {
            disk.write(1000, ByteBuffer.wrap(new byte[100_000]));
            disk.writeZeroes(0, 65536, VirtualDisk.ZeroMode.KEEP_ALLOCATION);
        }
    }
}
