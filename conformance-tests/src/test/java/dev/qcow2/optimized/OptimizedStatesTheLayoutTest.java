package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.mutant.MutantDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.MalformedImageException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.UnsupportedFeatureException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.BitField;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.MappingLayout;
import dev.qcow2.spec.layout.RefcountLayout;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The layout table of spec and the optimized implementation's decoders are two statements of one
 * layout: a poke at a field of the table changes the accessor of that name, and no other.
 */
class OptimizedStatesTheLayoutTest {

    /** Which accessors of {@link ImageHeader} state which field. Fields that are only checked have none. */
    private static final Map<String, Set<String>> ACCESSORS = Map.ofEntries(
            Map.entry("version", Set.of("version")),
            Map.entry("backing_file_offset", Set.of("backingName")),
            Map.entry("backing_file_size", Set.of("backingName")),
            Map.entry("cluster_bits", Set.of("clusterBits")),
            Map.entry("size", Set.of("size")),
            Map.entry("l1_size", Set.of("l1Size")),
            Map.entry("l1_table_offset", Set.of("l1Offset")),
            Map.entry("refcount_table_offset", Set.of("refcountTableOffset")),
            Map.entry("refcount_table_clusters", Set.of("refcountTableClusters")),
            Map.entry("nb_snapshots", Set.of("snapshotCount")),
            Map.entry("snapshots_offset", Set.of("snapshotsOffset")),
            Map.entry("incompatible_features", Set.of("incompatible")),
            Map.entry("compatible_features", Set.of("compatible")),
            Map.entry("autoclear_features", Set.of("autoclear")),
            Map.entry("crypt_method", Set.of("encryption")),
            Map.entry("refcount_order", Set.of("refcountOrder")));

    private static final Set<String> ONLY_CHECKED = Set.of("magic", "header_length", "compression_type");

    /** A long file, so that tables may lie nearly anywhere. */
    private static HostFile image() throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        new MutantDriver()
                .create(directory, "image", CreateOptions.ofSize(1 << 30).withClusterBits(16));
        HostFile file = directory.open("image", Access.READ_WRITE);
        file.truncate(1L << 62);
        ByteBuffer header = ByteBuffer.allocate(HeaderLayout.HEADER_V3.size());
        file.read(0, header);
        HeaderLayout.NB_SNAPSHOTS.set(header, 0, 2);
        HeaderLayout.SNAPSHOTS_OFFSET.set(header, 0, 1L << 40);
        // Far apart, and a multiple of every cluster size: one bit more or less leaves the tables in order.
        HeaderLayout.REFCOUNT_TABLE_OFFSET.set(header, 0, 1L << 41);
        HeaderLayout.L1_TABLE_OFFSET.set(header, 0, 1L << 42);
        HeaderLayout.BACKING_FILE_OFFSET.set(header, 0, 0x8000);
        HeaderLayout.BACKING_FILE_SIZE.set(header, 0, 4);
        file.write(0, header.flip());
        file.write(0x8000, ByteBuffer.wrap(new byte[] {'n', 'a', 'm', 'e', 's', 'l', 'o', 'n', 'g', 'e', 'r'}));
        return file;
    }

    private static Map<String, Object> decoded(HostFile file) throws DiskException, ReflectiveOperationException {
        ImageHeader header = HeaderReader.read(file);
        Map<String, Object> values = new LinkedHashMap<>();
        for (RecordComponent component : ImageHeader.class.getRecordComponents()) {
            values.put(component.getName(), component.getAccessor().invoke(header));
        }
        return values;
    }

    @Test
    @DisplayName("QC-HDR-03, QC-HDR-07, QC-HDR-11: a poke at each header field changes its accessors and no others")
    void headerFields() throws DiskException, ReflectiveOperationException {
        HostFile file = image();
        Map<String, Object> before = decoded(file);
        ByteBuffer original = ByteBuffer.allocate(HeaderLayout.HEADER_V3.size());
        file.read(0, original);
        Set<String> changedOnce = new TreeSet<>();
        for (ByteField field : HeaderLayout.HEADER_V3.fields()) {
            for (int bit = 0; field.isNumber() && bit < 8 * field.width(); bit++) {
                ByteBuffer poked = ByteBuffer.wrap(original.array().clone());
                field.set(poked, 0, field.get(poked, 0) ^ (1L << bit));
                file.write(0, poked);
                Set<String> names = new TreeSet<>();
                try {
                    decoded(file).forEach((name, value) -> {
                        if (!value.equals(before.get(name))) {
                            names.add(name);
                        }
                    });
                } catch (MalformedImageException | UnsupportedFeatureException e) {
                    continue;
                }
                String what = field.name() + ", bit " + bit;
                if (ONLY_CHECKED.contains(field.name())) {
                    // A longer or shorter header moves the extensions, here from nothing to nothing.
                    assertThat(names).as(what).isEmpty();
                } else if (field.equals(HeaderLayout.VERSION)) {
                    assertThat(names).as(what).contains("version");
                } else {
                    assertThat(ACCESSORS.get(field.name())).as(what).containsAll(names);
                    changedOnce.addAll(names);
                }
            }
            file.write(0, ByteBuffer.wrap(original.array().clone()));
        }
        Set<String> all = new TreeSet<>();
        ACCESSORS.values().forEach(all::addAll);
        all.remove("version");
        assertThat(changedOnce).isEqualTo(all);
    }

    @Test
    @DisplayName("QC-L1-01, QC-L1-02, QC-L1-03: each bit of an L1 entry is what the table says")
    void l1Entries() {
        for (BitField field : MappingLayout.L1_ENTRY.fields()) {
            for (int bit = field.offset(); bit < field.end(); bit++) {
                long entry = 1L << bit;
                assertThat(EntryBits.offset(entry)).isEqualTo(field.equals(MappingLayout.L1_OFFSET) ? entry : 0);
                assertThat(EntryBits.copied(entry)).isEqualTo(field.equals(MappingLayout.L1_COPIED));
                assertThat(EntryBits.l1ReservedSet(entry))
                        .isEqualTo(field.equals(MappingLayout.L1_RESERVED_LOW)
                                || field.equals(MappingLayout.L1_RESERVED_HIGH));
            }
        }
    }

    @Test
    @DisplayName(
            "QC-L2-02, QC-L2-03, QC-L2-04, QC-L2-05, QC-L2-06, QC-L2-07: each bit of an L2 entry is what the table says")
    void l2Entries() {
        long allocated = 1L << 40;
        for (BitField field : MappingLayout.L2_STANDARD.fields()) {
            for (int bit = field.offset(); bit < field.end(); bit++) {
                long entry = 1L << bit;
                assertThat(EntryBits.offset(entry)).isEqualTo(field.equals(MappingLayout.L2_OFFSET) ? entry : 0);
                assertThat(EntryBits.copied(entry)).isEqualTo(field.equals(MappingLayout.L2_COPIED));
                assertThat(EntryBits.l2ReservedSet(entry))
                        .isEqualTo(field.equals(MappingLayout.L2_RESERVED_LOW)
                                || field.equals(MappingLayout.L2_RESERVED_HIGH));
                assertThat(EntryBits.kind(entry | allocated))
                        .isEqualTo(
                                field.equals(MappingLayout.L2_ZERO)
                                        ? ClusterKind.ZERO_ALLOCATED
                                        : field.equals(MappingLayout.L2_COMPRESSED)
                                                ? ClusterKind.COMPRESSED
                                                : ClusterKind.NORMAL);
            }
        }
        assertThat(EntryBits.kind(0)).isEqualTo(ClusterKind.UNALLOCATED);
        assertThat(EntryBits.kind(MappingLayout.L2_ZERO.mask())).isEqualTo(ClusterKind.ZERO_PLAIN);
    }

    @Test
    @DisplayName("QC-REF-05: each bit of a refcount table entry is what the table says")
    void refcountTableEntries() {
        for (BitField field : RefcountLayout.TABLE_ENTRY.fields()) {
            for (int bit = field.offset(); bit < field.end(); bit++) {
                assertThat(EntryBits.refcountTableReservedSet(1L << bit))
                        .isEqualTo(field.equals(RefcountLayout.TABLE_RESERVED));
            }
        }
    }

    @Test
    @DisplayName("QC-REF-07, QC-REF-08, QC-REF-09: a poke at a count changes that count and no other, at every width")
    void counts() {
        for (int order = 0; order <= 6; order++) {
            int places = (512 * 8) >> order;
            for (int place = 0; place < places; place += place < 70 ? 1 : 61) {
                ByteBuffer block = ByteBuffer.allocate(512);
                RefcountLayout.set(block, 0, place, order, 1);
                for (int other = 0; other < places; other++) {
                    assertThat(RefcountBits.get(block.array(), other, order))
                            .as("order %d", order)
                            .isEqualTo(other == place ? 1 : 0);
                }
            }
        }
    }
}
