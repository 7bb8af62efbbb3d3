package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.campaign.WrongDriver.Fault;
import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.ScriptText;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.BlockStatus.Content;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.OutOfBoundsException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.model.BaseContent;
import dev.qcow2.spec.model.GuestModel;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each judge of the runner objects to what it has to object to. */
class JudgesTest {

    private static final String BUILT = """
            qcow2-script 1
            layer qcow2 8192 version 3 cluster 512 refcount 16 kit snapshot tables
            content normal 0 2 70000
            content zero-allocated 4 2 70001
            operations
            """;

    private static Subject subject(String text) throws Exception {
        Script script = ScriptText.parse(text);
        ReferenceDriver driver = new ReferenceDriver();
        return new Subject(driver, MemoryStage.of(MemoryStage.build(script), script, driver));
    }

    @Test
    @DisplayName("QC-EXT-04 a damaged unknown extension is seen")
    void damagedExtension() throws Exception {
        Subject subject = subject(BUILT);
        assertThatCode(() -> KeptExtension.check(subject)).doesNotThrowAnyException();
        try (HostFile file = subject.stage().directory().open("disk.qcow2", Access.READ_WRITE)) {
            file.write(104 + 8 + 4, ByteBuffer.wrap(new byte[] {9}));
        }
        assertThatThrownBy(() -> KeptExtension.check(subject)).isInstanceOf(Objection.class);
    }

    @Test
    @DisplayName("QC-REF-03 a leak and a corruption are seen")
    void auditedFaults() throws Exception {
        Subject subject = subject(BUILT);
        try (HostFile file = subject.stage().directory().open("disk.qcow2", Access.READ_WRITE)) {
            assertThat(AuditJudge.INSTANCE.faults(file)).isEmpty();
            // The refcount block follows the header and the table; the last count of it is of no cluster.
            file.write(3 * 512 - 2, ByteBuffer.wrap(new byte[] {0, 1}));
            file.truncate(256 * 512);
            assertThat(AuditJudge.INSTANCE.faults(file))
                    .singleElement()
                    .asString()
                    .contains("LEAK");
            file.write(2 * 512, ByteBuffer.wrap(new byte[] {0, 0}));
            assertThat(AuditJudge.INSTANCE.faults(file)).anyMatch(fault -> fault.contains("CORRUPTION"));
        }
    }

    static Stream<List<BlockStatus>> wrongStatus() {
        BlockStatus data = new BlockStatus(0, 1000, Content.DATA, true, 0);
        BlockStatus zero = new BlockStatus(1000, 1000, Content.ZERO, false, 0);
        return Stream.of(
                List.of(),
                List.of(data),
                List.of(zero, data),
                List.of(data, new BlockStatus(1001, 999, Content.ZERO, false, 0)),
                List.of(data, new BlockStatus(1000, 1001, Content.ZERO, false, 0)),
                List.of(
                        data,
                        new BlockStatus(1000, 500, Content.ZERO, false, 0),
                        new BlockStatus(1500, 500, Content.ZERO, false, 0)),
                List.of(
                        new BlockStatus(0, 999, Content.DATA, true, 0),
                        new BlockStatus(999, 1001, Content.ZERO, true, 0)));
    }

    @ParameterizedTest
    @MethodSource("wrongStatus")
    @DisplayName("QC-GUEST-09 a block status that does not tile, or calls data zero, is seen")
    void wrongStatusIsSeen(List<BlockStatus> extents) throws Exception {
        GuestModel model = new GuestModel(2000, BaseContent.empty());
        model.write(0, ByteBuffer.wrap(new byte[1000]).put(999, (byte) 1));
        assertThatThrownBy(() -> new Comparison(model).status(diskWith(extents), 0, 2000, "someone"))
                .isInstanceOfSatisfying(
                        Objection.class, e -> assertThat(e.kind()).isEqualTo(Kind.WRONG_STATUS));
    }

    private static VirtualDisk diskWith(List<BlockStatus> extents) {
        return (VirtualDisk) Proxy.newProxyInstance(
                JudgesTest.class.getClassLoader(),
                new Class<?>[] {VirtualDisk.class},
                (proxy, method, arguments) -> extents);
    }

    @Test
    @DisplayName("QC-GUEST-02 a request outside the disk that is done, or refused for another reason, is seen")
    void outOfBounds() {
        assertThatCode(() -> Requests.mustBeOutOfBounds("someone", () -> {
                    throw new OutOfBoundsException(1, 2, 3);
                }))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> Requests.mustBeOutOfBounds("someone", () -> {}))
                .isInstanceOf(Objection.class);
        assertThatThrownBy(() -> Requests.mustBeOutOfBounds("someone", () -> {
                    throw new dev.qcow2.spec.disk.ReadOnlyException("image");
                }))
                .isInstanceOf(Objection.class);
    }

    @Test
    @DisplayName("QC-SNAP-03 a snapshot of a built image is gone back to, before and after it was deleted")
    void snapshotOfBuiltImage() throws Exception {
        String text = BUILT + """
                write 0 600 1
                snapshot-apply initial
                write 512 512 2
                snapshot-apply initial
                snapshot-delete initial
                snapshot-apply initial
                """;
        CampaignOptions options = CampaignOptions.ofSeed(0).withQemuEvery(0);
        ReferenceDriver driver = new ReferenceDriver();
        assertThat(Campaign.replay(ScriptText.parse(text), options, List.of(driver, driver)))
                .isEmpty();
    }

    @Test
    @DisplayName("QC-SNAP-22 a commit empties the area of machine state")
    void commitDropsMachineState() throws Exception {
        String text = """
                qcow2-script 1
                layer qcow2 0 version 3 cluster 16384 refcount 4 subclusters
                layer qcow2 0 version 3 cluster 16384 refcount 32 subclusters kit
                operations
                vm-state write 21681 27269 4096
                commit
                vm-state read 0 22727
                """;
        CampaignOptions options = CampaignOptions.ofSeed(0).withQemuEvery(0);
        ReferenceDriver driver = new ReferenceDriver();
        assertThat(Campaign.replay(ScriptText.parse(text), options, List.of(driver, driver)))
                .isEmpty();
    }

    @Test
    @DisplayName("QC-L2-07 the states before and after a request are read from the image")
    void transitions() throws Exception {
        Script script = ScriptText.parse(BUILT + "write 2048 512 1\n");
        Coverage coverage = new Coverage();
        Panel panel = new Panel(
                Judge.LENIENT,
                java.util.Optional.empty(),
                java.nio.file.Path.of("nowhere"),
                java.util.Optional.empty(),
                coverage);
        assertThat(new SequenceRunner(script, List.of(new ReferenceDriver()), panel).run())
                .isEmpty();
        assertThat(coverage.transitions())
                .containsOnlyKeys(new Transition(
                        Transition.Unit.VERSION_3,
                        ClusterState.ZERO_ALLOCATED,
                        true,
                        Transition.Below.NOTHING,
                        Request.WRITE_WHOLE))
                .containsValue(java.util.Set.of(ClusterState.NORMAL));
        assertThat(coverage.neverReached()).hasSize(Transition.possible().size() - 1);
    }

    @Test
    @DisplayName("QC-SUB-03 QC-SUB-04 QC-SUB-05 QC-SUB-08 states of subclusters are read from the image, and change")
    void subclusterTransitions() throws Exception {
        String text = """
                qcow2-script 1
                layer qcow2 65536 version 3 cluster 16384 refcount 16 subclusters kit
                content mixed 0 1 70000
                content compressed 1 1 70001
                operations
                write 0 512 1
                write 512 100 2
                write 1124 412 3
                write-zeroes 16384 1 keep
                """;
        Coverage coverage = new Coverage();
        Panel panel = new Panel(
                Judge.LENIENT,
                java.util.Optional.empty(),
                java.nio.file.Path.of("nowhere"),
                java.util.Optional.empty(),
                coverage);
        assertThat(new SequenceRunner(ScriptText.parse(text), List.of(new ReferenceDriver()), panel).run())
                .isEmpty();
        assertThat(coverage.transitions().keySet().stream().map(Transition::toString))
                .containsExactlyInAnyOrder(
                        "v3 subcluster reserved over nothing: write-whole",
                        "v3 subcluster zero-allocated over nothing: write-head",
                        "v3 subcluster normal over nothing: write-tail",
                        "v3 subcluster compressed over nothing: zero-keep-part");
        assertThat(coverage.transitions().values()).contains(java.util.Set.of(ClusterState.NORMAL));
    }

    @Test
    @DisplayName("QC-L2-08 QC-SUB-05 each state is possible or has a reason why it is not")
    void impossibleStates() {
        long possible = Transition.possible().stream()
                .map(transition -> transition.unit() + " " + transition.state())
                .distinct()
                .count();
        assertThat(possible + Transition.impossible().size())
                .isEqualTo((long) Transition.Unit.values().length * ClusterState.values().length);
    }

    @Test
    @DisplayName("QC-GUEST-01 the wrong driver of these tests is right as long as its writes are short")
    void wrongDriverIsRightOtherwise() throws Exception {
        ReferenceDriver driver = new ReferenceDriver();
        WrongDriver wrong = new WrongDriver(driver, Fault.CRASHES);
        CampaignOptions options = CampaignOptions.ofSeed(0).withQemuEvery(0);
        assertThat(Campaign.replay(ScriptText.parse(BUILT + "write 0 600 1\n"), options, List.of(driver, wrong)))
                .isEmpty();
    }
}
