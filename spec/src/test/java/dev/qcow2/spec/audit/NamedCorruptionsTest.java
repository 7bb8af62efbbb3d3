package dev.qcow2.spec.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.layout.ExtensionLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Images that QEMU made, broken in one way each: both judges see it, and count the same. */
class NamedCorruptionsTest {

    @TempDir
    static Path directory = Path.of("");

    @BeforeEach
    void assumeQemu() {
        QemuTools.assumeInstalled();
    }

    /** A way to break an image that has data in its first guest cluster. */
    enum Break {
        COUNT_TOO_HIGH {
            @Override
            void apply(PatchedImage image) {
                image.count(data(image), image.order() == 0 ? 0 : image.count(data(image)) + 1);
            }
        },
        COUNT_ZERO {
            @Override
            void apply(PatchedImage image) {
                image.count(data(image), 0);
            }
        },
        COUNT_OF_HEADER_ZERO {
            @Override
            void apply(PatchedImage image) {
                image.count(0, 0);
            }
        },
        COPIED_IN_L1 {
            @Override
            void apply(PatchedImage image) {
                long at = image.l1At(0);
                image.bits(MappingLayout.L1_COPIED, at, ~MappingLayout.L1_COPIED.get(image.entry(at)));
            }
        },
        COPIED_IN_L2 {
            @Override
            void apply(PatchedImage image) {
                long at = image.l2At(0, 0);
                image.bits(MappingLayout.L2_COPIED, at, ~MappingLayout.L2_COPIED.get(image.entry(at)));
            }
        },
        L2_MISALIGNED {
            @Override
            void apply(PatchedImage image) {
                image.bits(MappingLayout.L1_OFFSET, image.l1At(0), (image.entry(image.l1At(0)) >>> 9) | 1);
            }
        },
        DATA_MISALIGNED {
            @Override
            void apply(PatchedImage image) {
                image.bits(MappingLayout.L2_OFFSET, image.l2At(0, 0), (image.entry(image.l2At(0, 0)) >>> 9) | 1);
            }
        },
        L1_RESERVED {
            @Override
            void apply(PatchedImage image) {
                image.bits(MappingLayout.L1_RESERVED_HIGH, image.l1At(0), 0x40);
            }
        },
        L2_RESERVED {
            @Override
            void apply(PatchedImage image) {
                image.bits(MappingLayout.L2_RESERVED_LOW, image.l2At(0, 0), 0x80);
            }
        },
        REFCOUNT_TABLE_RESERVED {
            @Override
            void apply(PatchedImage image) {
                image.bits(RefcountLayout.TABLE_RESERVED, image.refcountTableAt(0), 1);
            }
        },
        L2_ENTRY_TO_METADATA {
            @Override
            void apply(PatchedImage image) {
                long l1Table = image.header(HeaderLayout.L1_TABLE_OFFSET);
                image.bits(MappingLayout.L2_OFFSET, image.l2At(0, 0), l1Table >>> 9);
            }
        },
        L2_ENTRY_TO_REFCOUNT_BLOCK {
            @Override
            void apply(PatchedImage image) {
                long block = image.entry(image.refcountTableAt(0));
                image.bits(MappingLayout.L2_OFFSET, image.l2At(0, 0), block >>> 9);
            }
        },
        TWO_ENTRIES_TO_ONE_CLUSTER {
            @Override
            void apply(PatchedImage image) {
                image.entry(image.l2At(0, 1), image.entry(image.l2At(0, 0)));
            }
        },
        L2_ENTRY_PAST_THE_END {
            @Override
            void apply(PatchedImage image) {
                long past = ((long) image.size() >>> image.clusterBits()) + 3;
                image.bits(MappingLayout.L2_OFFSET, image.l2At(0, 0), past << (image.clusterBits() - 9));
            }
        },
        L2_TABLE_PAST_THE_END {
            @Override
            void apply(PatchedImage image) {
                image.bits(MappingLayout.L1_OFFSET, image.l1At(0), 1L << 40);
            }
        },
        BLOCK_PAST_THE_END {
            @Override
            void apply(PatchedImage image) {
                image.bits(RefcountLayout.BLOCK_OFFSET, image.refcountTableAt(1), 1L << 40);
            }
        },
        BLOCK_MISSING {
            @Override
            void apply(PatchedImage image) {
                image.entry(image.refcountTableAt(0), 0);
            }
        },
        BLOCK_SHARED {
            @Override
            void apply(PatchedImage image) {
                image.entry(image.refcountTableAt(2), image.entry(image.refcountTableAt(0)));
            }
        },
        LEAKED_CLUSTER {
            @Override
            void apply(PatchedImage image) {
                image.entry(image.l2At(0, 0), 0);
            }
        },
        LEAKED_L2_TABLE {
            @Override
            void apply(PatchedImage image) {
                image.entry(image.l1At(0), 0);
            }
        },
        L1_ENTRY_WITH_FLAG_ONLY {
            @Override
            void apply(PatchedImage image) {
                image.entry(image.l1At(0), MappingLayout.L1_COPIED.mask());
            }
        },
        COMPRESSED_WITH_COPIED {
            @Override
            void apply(PatchedImage image) {
                image.bits(MappingLayout.L2_COMPRESSED, image.l2At(0, 0), 1);
                image.bits(MappingLayout.L2_COPIED, image.l2At(0, 0), 1);
            }
        },
        NO_REFCOUNT_TABLE {
            @Override
            void apply(PatchedImage image) {
                image.header(HeaderLayout.REFCOUNT_TABLE_CLUSTERS, 0);
            }
        },
        L1_ON_REFCOUNT_TABLE {
            @Override
            void apply(PatchedImage image) {
                image.header(HeaderLayout.L1_TABLE_OFFSET, image.header(HeaderLayout.REFCOUNT_TABLE_OFFSET));
            }
        };

        abstract void apply(PatchedImage image);

        private static long data(PatchedImage image) {
            return image.clusterOf(image.l2At(0, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(Break.class)
    @DisplayName(
            "QC-REF-03 QC-REF-04 QC-L1-01 QC-L1-03 QC-L2-03 QC-L2-04 QC-L2-14: each kind of damage is counted as QEMU does")
    void oneBreak(Break how) throws Exception {
        QemuImages[] bases = {
            QemuImages.VERSION_3,
            QemuImages.VERSION_2,
            QemuImages.SMALLEST_CLUSTERS,
            QemuImages.SNAPSHOTS,
            QemuImages.REFCOUNT_1,
            QemuImages.REFCOUNT_64
        };
        for (QemuImages made : bases) {
            PatchedImage image = made.load(directory);
            how.apply(image);
            AuditReport report = Agreement.of(directory, image.bytes(), how + " in " + made);
            // The offset's lowest bit is 9: with clusters of 512 bytes nothing can be misaligned.
            boolean impossible = image.clusterBits() == 9 && how.name().endsWith("MISALIGNED");
            assertThat(report.clean() && !impossible).as("%s in %s", how, made).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(QemuImages.class)
    @DisplayName("QC-REF-03: what QEMU makes is right, and both judges say so")
    void untouched(QemuImages made) throws Exception {
        AuditReport report = Agreement.of(directory, made.load(directory).bytes(), made.name());
        boolean dirty = made.name().startsWith("DIRTY");
        assertThat(report.clean()).as(report.toText()).isEqualTo(!dirty);
        assertThat(report.breaches()).as(report.toText()).isZero();
    }

    @Test
    @DisplayName("QC-SNAP-05 QC-SNAP-07 QC-LIM-05: damage in the snapshot table is counted as QEMU does")
    void snapshotTable() throws Exception {
        long at = QemuImages.SNAPSHOTS.load(directory).header(HeaderLayout.SNAPSHOTS_OFFSET);
        PatchedImage misaligned = QemuImages.SNAPSHOTS.load(directory);
        misaligned.set(SnapshotLayout.L1_TABLE_OFFSET, at, 512);
        assertThat(Agreement.of(directory, misaligned.bytes(), "misaligned").corruptions())
                .isPositive();
        PatchedImage large = QemuImages.SNAPSHOTS.load(directory);
        large.set(SnapshotLayout.L1_SIZE, at, 0x7fff_ffffL);
        assertThat(Agreement.of(directory, large.bytes(), "large").corruptions())
                .isPositive();
        PatchedImage extra = QemuImages.SNAPSHOTS.load(directory);
        extra.set(SnapshotLayout.EXTRA_DATA_SIZE, at, 4000);
        assertThat(Agreement.of(directory, extra.bytes(), "extra")).isSameAs(Agreement.REFUSED);
        PatchedImage incomplete = QemuImages.SNAPSHOTS.load(directory);
        incomplete.set(SnapshotLayout.EXTRA_DATA_SIZE, at, 8);
        Agreement.of(directory, incomplete.bytes(), "incomplete");
    }

    @Test
    @DisplayName(
            "QC-EXT-11 QC-BM-03 QC-BM-25: bitmaps are counted while their autoclear bit is set, and leak without it")
    void bitmaps() throws Exception {
        PatchedImage stale = QemuImages.BITMAPS.load(directory);
        stale.header(HeaderLayout.AUTOCLEAR_FEATURES, 0);
        AuditReport report = Agreement.of(directory, stale.bytes(), "stale bitmaps");
        assertThat(report.leaks()).isPositive();
        assertThat(report.sound()).isTrue();
    }

    @Test
    @DisplayName("QC-EXT-10 QC-CRY-12: the clusters of an encryption header are counted")
    void encryptionHeader() throws Exception {
        AuditReport report = Agreement.audit(QemuImages.LUKS.load(directory).bytes());
        assertThat(report.clean()).as(report.toText()).isTrue();
        // The header and its key material take more than a megabyte; none of it would be counted without the extension.
        assertThat(report.clusters().imageEnd()).isGreaterThan(1 << 20);
    }

    @Test
    @DisplayName("QC-EXT-01 QC-EXT-03: an extension that claims more than the first cluster is refused by both")
    void extensionTooLong() throws Exception {
        PatchedImage image = QemuImages.VERSION_3.load(directory);
        image.set(ExtensionLayout.LENGTH, HeaderLayout.HEADER_V3.size(), 5000);
        assertThat(Agreement.of(directory, image.bytes(), "extension")).isSameAs(Agreement.REFUSED);
    }
}
