package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.optimized.OptimizedOptions;
import dev.qcow2.reference.ReferenceDriver;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;

/** Scripts that showed a difference once, after more sequences than a build has time for. */
class PastDifferencesTest {

    static final List<Arguments> SCRIPTS = List.of(
            Arguments.of("QC-BM-19: a refused compressed write changes no bitmap", 768, """
                    qcow2-script 1
                    layer qcow2 2 version 3 cluster 1024 refcount 1 zstd
                    operations
                    bitmap add b2 1024 enabled
                    write-compressed 0 1 4097
                    """),
            Arguments.of("QC-SUB-11: a write in place allocates no subclusters beside it", 272, """
                    qcow2-script 1
                    zeroing off
                    layer qcow2 311296 version 3 cluster 16384 refcount 32 subclusters
                    operations
                    write 294911 2 2
                    exchange
                    write 293888 1099 8
                    """),
            Arguments.of(
                    "QC-MNT-22: a commit that grows the backing file doesn't read it with the old header", 320, """
                    qcow2-script 1
                    layer qcow2 50688 version 3 cluster 512 refcount 16
                    layer qcow2 3223 version 2 cluster 512 refcount 16 kit
                    content normal 0 1 65548
                    layer raw 6144
                    content normal 5 2 65554 shared
                    operations
                    commit
                    """),
            Arguments.of(
                    "QC-MNT-25: zeros that are nobody's become the image's own before the new file shows", 160, """
                    qcow2-script 1
                    layer qcow2 709 version 3 cluster 16384 refcount 2 zstd subclusters
                    layer qcow2 0 version 3 cluster 16384 refcount 32 subclusters kit
                    layer raw 1
                    content normal 0 1 65537 shared
                    operations
                    rebase safe 2
                    """));

    @ParameterizedTest(name = "{0}")
    @FieldSource("SCRIPTS")
    void noMore(String what, int switches, String script) throws Exception {
        OptimizedDriver partly = new OptimizedDriver(OptimizedOptions.of(switches));
        assertThat(Campaign.replay(
                        ScriptText.parse(script),
                        CampaignOptions.ofSeed(0).withQemuEvery(0),
                        List.of(new ReferenceDriver(), new OptimizedDriver(), partly)))
                .as(what)
                .isEmpty();
    }
}
