package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who refuses a snapshot because of the way in which compressed clusters are packed is right; for no other count. */
class PackedExcuseTest {

    private static final ReferenceDriver REFERENCE = new ReferenceDriver();

    /** Refuses a kind of request and says that a count would overflow. */
    private record RefusingDriver(DiskDriver right, String method) implements DiskDriver {

        @Override
        public String name() {
            return "wrong";
        }

        @Override
        public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
            right.create(directory, fileName, options);
        }

        @Override
        public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
            VirtualDisk disk = right.open(directory, fileName, options);
            return (VirtualDisk) Proxy.newProxyInstance(
                    PackedExcuseTest.class.getClassLoader(),
                    new Class<?>[] {VirtualDisk.class},
                    (proxy, called, arguments) -> {
                        if (called.getName().equals(method)) {
                            throw new RequestRefusedException(fileName, RefcountClause.QC_REF_11, "a wrong refusal");
                        }
                        try {
                            return called.invoke(disk, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private static Optional<Difference> replay(String text, DiskDriver... drivers) throws Exception {
        Script script = ScriptText.parse(text);
        return Campaign.replay(script, CampaignOptions.ofSeed(0).withQemuEvery(0), List.of(drivers));
    }

    private static String script(int refcountBits, String operations) {
        return "qcow2-script 1\nlayer qcow2 75264 version 3 cluster 16384 refcount " + refcountBits
                + " subclusters\noperations\n" + operations;
    }

    @Test
    @DisplayName("QC-REF-11 QC-CMP-07 a snapshot has room for its counts or not, as the compressed clusters are packed")
    void packedDifferently() throws Exception {
        String operations = """
                write-compressed 32768 16384 4097
                write-compressed 32768 42496 4098
                write 32768 1 12
                snapshot-create s0
                write 0 100 1
                snapshot-create s1
                snapshot-apply s0
                read 0 75264
                """;
        assertThat(replay(script(2, operations), REFERENCE, new OptimizedDriver()))
                .isEmpty();
    }

    @ParameterizedTest
    @DisplayName("QC-REF-11 a wrong refusal is found: nothing compressed is left, or its counts have room")
    @CsvSource({
        "2, createSnapshot, write 32768 16384 12",
        "2, applySnapshot, write 32768 16384 12",
        "16, createSnapshot, write 0 1 12",
        "16, applySnapshot, write 0 1 12"
    })
    void wrongRefusal(int refcountBits, String method, String write) throws Exception {
        String operations = "write-compressed 32768 16384 4097\n" + write + "\nsnapshot-create s0\nsnapshot-apply s0\n";
        Difference difference = replay(
                        script(refcountBits, operations), REFERENCE, new RefusingDriver(REFERENCE, method))
                .orElseThrow();
        assertThat(difference.kind()).isEqualTo(Kind.REFUSAL);
        assertThat(difference.subject()).contains("wrong").contains("QC-REF-11");
    }
}
