package dev.qcow2.spec.audit;

import static dev.qcow2.spec.audit.HandMadeImage.BLOCK;
import static dev.qcow2.spec.audit.HandMadeImage.CLUSTER;
import static dev.qcow2.spec.audit.HandMadeImage.L1;
import static dev.qcow2.spec.audit.HandMadeImage.L2;
import static dev.qcow2.spec.audit.HandMadeImage.REFCOUNT_TABLE;
import static dev.qcow2.spec.audit.HandMadeImage.ofVersion;
import static dev.qcow2.spec.audit.HandMadeImage.with;
import static dev.qcow2.spec.audit.HandMadeImage.withCount;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.audit.Finding.Kind;
import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.clause.MappingClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One broken rule at a time, in an image made by hand. */
class AuditorTest {

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    @DisplayName("QC-REF-03: a right image has no findings at all")
    void rightImage(int version) throws DiskException {
        AuditReport report = Agreement.audit(ofVersion(version));
        assertThat(report.findings()).isEmpty();
        assertThat(report.clean()).isTrue();
        assertThat(report.clusters()).isEqualTo(new AuditReport.Clusters(64, 2, 0, 0, 7 * CLUSTER));
        assertThat(report.toText()).startsWith("The image is right.\n");
    }

    @Test
    @DisplayName("QC-REF-03: a count above the references is a leak of one cluster")
    void leak() throws DiskException {
        AuditReport report = Agreement.audit(withCount(ofVersion(3), 7, 3));
        assertOnly(report, Kind.LEAK, RefcountClause.QC_REF_03, 7 * CLUSTER, -1);
        assertThat(report.clean()).isFalse();
        assertThat(report.sound()).isTrue();
        assertThat(report.toText()).startsWith("The image only leaks.\n");
    }

    @Test
    @DisplayName("QC-REF-03 QC-L2-03: a count of 0 is a corruption, and so is the COPIED flag that it belies")
    void countTooLow() throws DiskException {
        AuditReport report = Agreement.audit(withCount(ofVersion(3), 5, 0));
        assertThat(report.corruptions()).isEqualTo(2);
        assertThat(report.findings())
                .extracting(Finding::clause)
                .containsExactlyInAnyOrder(RefcountClause.QC_REF_03, MappingClause.QC_L2_03);
        assertThat(report.sound()).isFalse();
    }

    @Test
    @DisplayName("QC-L1-03: COPIED of an L1 entry says whether the table's count is 1")
    void copiedInL1() throws DiskException {
        AuditReport report = Agreement.audit(with(ofVersion(3), L1, MappingLayout.L1_COPIED, 0));
        assertOnly(report, Kind.CORRUPTION, MappingClause.QC_L1_03, L1, 0);
    }

    @Test
    @DisplayName("QC-L2-03: COPIED of an L2 entry says whether the cluster's count is 1")
    void copiedInL2() throws DiskException {
        AuditReport report = Agreement.audit(with(ofVersion(3), L2 + 8, MappingLayout.L2_COPIED, 0));
        assertOnly(report, Kind.CORRUPTION, MappingClause.QC_L2_03, L2 + 8, CLUSTER);
    }

    @Test
    @DisplayName("QC-L2-03: an entry without host cluster carries no COPIED flag; QEMU does not look")
    void copiedWithoutCluster() throws DiskException {
        AuditReport report = Agreement.audit(with(ofVersion(3), L2 + 16, MappingLayout.L2_COPIED, 1));
        assertOnly(report, Kind.BREACH, MappingClause.QC_L2_03, L2 + 16, 2 * CLUSTER);
        assertThat(report.corruptions()).isZero();
        assertThat(report.sound()).isFalse();
    }

    @Test
    @DisplayName("QC-L2-05: reserved bits of an L2 entry are zero")
    void reservedInL2() throws DiskException {
        AuditReport report = Agreement.audit(with(ofVersion(3), L2, MappingLayout.L2_RESERVED_HIGH, 1));
        assertOnly(report, Kind.CORRUPTION, MappingClause.QC_L2_05, L2, 0);
    }

    @Test
    @DisplayName("QC-L1-02: reserved bits of an L1 entry are zero")
    void reservedInL1() throws DiskException {
        AuditReport report = Agreement.audit(with(ofVersion(3), L1, MappingLayout.L1_RESERVED_LOW, 2));
        assertOnly(report, Kind.CORRUPTION, MappingClause.QC_L1_02, L1, 0);
    }

    @Test
    @DisplayName("QC-L2-08: the zero flag is never set in version 2; QEMU does not look")
    void zeroFlagInVersion2() throws DiskException {
        assertOnly(
                Agreement.audit(with(ofVersion(2), L2, MappingLayout.L2_ZERO, 1)),
                Kind.BREACH,
                MappingClause.QC_L2_08,
                L2,
                0);
        assertOnly(
                Agreement.audit(with(ofVersion(2), L2 + 80, MappingLayout.L2_ZERO, 1)),
                Kind.BREACH,
                MappingClause.QC_L2_08,
                L2 + 80,
                10 * CLUSTER);
        assertThat(Agreement.audit(with(ofVersion(3), L2, MappingLayout.L2_ZERO, 1))
                        .clean())
                .isTrue();
    }

    @Test
    @DisplayName("QC-REF-16: data in a metadata cluster is a breach even if the counts agree; QEMU does not look")
    void overlap() throws DiskException {
        byte[] image = with(ofVersion(3), L2 + 8, MappingLayout.L2_OFFSET, L1 >>> 9);
        image = with(image, L2 + 8, MappingLayout.L2_COPIED, 0);
        AuditReport report = Agreement.audit(withCount(withCount(image, 3, 2), 6, 0));
        assertOnly(report, Kind.BREACH, RefcountClause.QC_REF_16, L1, -1);
    }

    @Test
    @DisplayName("QC-L2-14: an entry past the end of the file is a corruption")
    void pastTheEnd() throws DiskException {
        byte[] image = withCount(with(ofVersion(3), L2 + 8, MappingLayout.L2_OFFSET, 1L << 40), 6, 0);
        AuditReport report = Agreement.audit(with(image, L2 + 8, MappingLayout.L2_COPIED, 0));
        assertOnly(report, Kind.CORRUPTION, MappingClause.QC_L2_14, 1L << 49, CLUSTER);
    }

    @Test
    @DisplayName("QC-L2-14: the file may end inside its last cluster")
    void lastClusterCutOff() throws DiskException {
        byte[] image = Arrays.copyOf(ofVersion(3), 6 * CLUSTER + 1);
        assertThat(Agreement.audit(image).clean()).isTrue();
        assertThat(Agreement.audit(Arrays.copyOf(image, 6 * CLUSTER)).corruptions())
                .isEqualTo(1);
    }

    @Test
    @DisplayName("QC-REF-04 QC-REF-05: a refcount table entry is an aligned offset without flags")
    void refcountTableEntry() throws DiskException {
        AuditReport flagged = Agreement.audit(with(ofVersion(3), REFCOUNT_TABLE, RefcountLayout.TABLE_RESERVED, 1));
        assertThat(flagged.findings()).extracting(Finding::clause).contains(RefcountClause.QC_REF_05);
        byte[] outside = with(ofVersion(3), REFCOUNT_TABLE + 8, RefcountLayout.BLOCK_OFFSET, 1 << 20);
        assertOnly(Agreement.audit(outside), Kind.CORRUPTION, RefcountClause.QC_REF_04, REFCOUNT_TABLE + 8, -1);
    }

    @Test
    @DisplayName("QC-REF-16: two refcount table entries with one block are a corruption")
    void sharedBlock() throws DiskException {
        byte[] image = with(ofVersion(3), REFCOUNT_TABLE + 8, RefcountLayout.BLOCK_OFFSET, BLOCK >>> 9);
        AuditReport report = Agreement.audit(withCount(image, 2, 2));
        assertThat(report.corruptions()).isEqualTo(1);
        assertThat(report.findings()).extracting(Finding::clause).contains(RefcountClause.QC_REF_16);
    }

    @Test
    @DisplayName("QC-L1-06: a short L1 table is allowed, and worth a warning")
    void shortL1() throws DiskException {
        byte[] image = ofVersion(3);
        HeaderLayout.SIZE.set(ByteBuffer.wrap(image), 0, 65L * CLUSTER);
        AuditReport report = Agreement.audit(image);
        assertOnly(report, Kind.WARNING, MappingClause.QC_L1_06, HeaderLayout.L1_SIZE.offset(), -1);
        assertThat(report.clean()).isTrue();
    }

    @Test
    @DisplayName("QC-HDR-16 QC-HDR-17: the dirty and the corrupt bit are warnings")
    void dirtyAndCorrupt() throws DiskException {
        byte[] image = ofVersion(3);
        HeaderLayout.INCOMPATIBLE_FEATURES.set(ByteBuffer.wrap(image), 0, 3);
        AuditReport report = Agreement.audit(image);
        assertThat(report.warnings()).isEqualTo(2);
        assertThat(report.clean()).isTrue();
    }

    @Test
    @DisplayName("QC-HDR-15: an unknown incompatible bit is refused by its number")
    void unknownFeature() {
        byte[] image = ofVersion(3);
        HeaderLayout.INCOMPATIBLE_FEATURES.set(ByteBuffer.wrap(image), 0, 1L << 44);
        assertThatThrownBy(() -> Agreement.audit(image))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("bit 44");
    }

    @Test
    @DisplayName(
            "QC-HDR-01 QC-HDR-02 QC-HDR-06 QC-HDR-14 QC-HDR-24 QC-LIM-01 QC-LIM-02 QC-LIM-03: a header out of its bounds is refused")
    void malformedHeader() {
        assertRefused(HeaderClause.QC_HDR_01, image -> HeaderLayout.MAGIC.set(image, 0, 0));
        assertRefused(HeaderClause.QC_HDR_02, image -> HeaderLayout.VERSION.set(image, 0, 4));
        assertRefused(HeaderClause.QC_HDR_06, image -> HeaderLayout.CLUSTER_BITS.set(image, 0, 8));
        assertRefused(LimitClause.QC_LIM_01, image -> HeaderLayout.CLUSTER_BITS.set(image, 0, 22));
        assertRefused(HeaderClause.QC_HDR_14, image -> HeaderLayout.HEADER_LENGTH.set(image, 0, 96));
        assertRefused(HeaderClause.QC_HDR_24, image -> HeaderLayout.REFCOUNT_ORDER.set(image, 0, 7));
        assertRefused(LimitClause.QC_LIM_02, image -> HeaderLayout.L1_SIZE.set(image, 0, (4 << 20) + 1));
        assertRefused(LimitClause.QC_LIM_03, image -> HeaderLayout.REFCOUNT_TABLE_CLUSTERS.set(image, 0, 1 << 20));
        assertRefused(HeaderClause.QC_HDR_09, image -> HeaderLayout.L1_TABLE_OFFSET.set(image, 0, 700));
        assertRefused(HeaderClause.QC_HDR_10, image -> HeaderLayout.REFCOUNT_TABLE_OFFSET.set(image, 0, 700));
        assertRefused(LimitClause.QC_LIM_05, image -> HeaderLayout.NB_SNAPSHOTS.set(image, 0, 0xffff_ffffL));
    }

    @Test
    @DisplayName("QC-LIM-02: the list of findings is capped, the counts are not")
    void cappedFindings() throws DiskException {
        byte[] image = ofVersion(3);
        Arrays.fill(image, BLOCK, BLOCK + 14, (byte) 0);
        MemoryHostFile file = new MemoryHostFile("image", MemoryFileContent.of(image), Access.READ_ONLY, true);
        AuditReport report = new Auditor(new Auditor.Limits(3, 1 << 20, 1 << 20)).audit(file);
        assertThat(report.corruptions()).isEqualTo(10);
        assertThat(report.findings()).hasSize(3);
        assertThat(report.toText()).contains("and 7 more");
    }

    @Test
    @DisplayName("QC-LIM-02: an image of exabytes that only claims is audited in bounded time")
    void hostileTables() throws DiskException {
        ByteBuffer l1 = ByteBuffer.allocate(8 * 1000);
        for (long table = 0; table < 1000; table++) {
            l1.putLong((5000 + table) << 21);
        }
        AuditReport report = auditHuge(l1.flip(), 4 << 20, ByteBuffer.allocate(0));
        assertThat(report.complete()).isFalse();
        assertThat(report.clean()).isFalse();
        assertThat(report.toText()).contains("more metadata to read");
    }

    @Test
    @DisplayName("QC-LIM-02: references scattered over exabytes are audited in bounded memory")
    void scatteredReferences() throws DiskException {
        ByteBuffer l1 = ByteBuffer.allocate(8).putLong(5000L << 21).flip();
        ByteBuffer l2 = ByteBuffer.allocate(1 << 20);
        for (long entry = 0; entry < 1 << 17; entry++) {
            l2.putLong((5001 + 300 * entry) << 21);
        }
        AuditReport report = auditHuge(l1, 1, l2.flip());
        assertThat(report.complete()).isFalse();
        assertThat(report.toText()).contains("more scattered references");
    }

    /** Audits a file of an exabyte with clusters of 2 MiB, with little to spend. */
    private static AuditReport auditHuge(ByteBuffer l1, long l1Size, ByteBuffer l2) throws DiskException {
        byte[] image = ofVersion(3);
        ByteBuffer header = ByteBuffer.wrap(image);
        HeaderLayout.CLUSTER_BITS.set(header, 0, 21);
        HeaderLayout.L1_TABLE_OFFSET.set(header, 0, 1L << 32);
        HeaderLayout.L1_SIZE.set(header, 0, l1Size);
        HeaderLayout.REFCOUNT_TABLE_OFFSET.set(header, 0, 1 << 21);
        HeaderLayout.REFCOUNT_TABLE_CLUSTERS.set(header, 0, 4);
        MemoryHostFile file = new MemoryHostFile("image", MemoryFileContent.of(image), Access.READ_WRITE, true);
        file.truncate(1L << 60);
        file.write(1L << 32, l1);
        file.write(5000L << 21, l2);
        Auditor auditor = new Auditor(new Auditor.Limits(10, 64 << 20, 1 << 20));
        return Assertions.assertTimeout(Duration.ofSeconds(20), () -> auditor.audit(file));
    }

    @Test
    @DisplayName("QC-LIM-02: any bytes behind a magic are answered, and only with a refusal or a report")
    void randomBytes() {
        for (long seed = 0; seed < 2000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] image = ofVersion(2 + random.nextInt(2));
            for (int times = random.nextInt(1, 60); times > 0; times--) {
                int at = random.nextInt(4) == 0 ? random.nextInt(8, 112) : random.nextInt(8, image.length);
                image[at] = (byte) random.nextInt(256);
            }
            byte[] cut = Arrays.copyOf(image, random.nextInt(image.length + 1));
            try {
                assertThat(Agreement.audit(cut)).isNotNull();
            } catch (DiskException e) {
                assertThat(e.advice()).isNotEmpty();
            }
        }
    }

    private static void assertOnly(AuditReport report, Kind kind, Clause clause, long host, long guest) {
        assertThat(report.findings()).as(report.toText()).hasSize(1);
        Finding finding = report.findings().get(0);
        assertThat(finding.kind()).isEqualTo(kind);
        assertThat(finding.clause()).isEqualTo(clause);
        assertThat(finding.hostOffset()).isEqualTo(host);
        assertThat(finding.guestOffset()).isEqualTo(guest);
        assertThat(finding.toString()).contains(clause.id());
        long[] counts = {report.corruptions(), report.leaks(), report.breaches(), report.warnings()};
        assertThat(Arrays.stream(counts).sum()).isEqualTo(1);
    }

    private static void assertRefused(Clause clause, Consumer<ByteBuffer> poke) {
        byte[] image = ofVersion(3);
        poke.accept(ByteBuffer.wrap(image));
        assertThatThrownBy(() -> Agreement.audit(image))
                .isInstanceOfSatisfying(MalformedImageException.class, e -> assertThat(e.clause())
                        .isEqualTo(clause));
    }
}
