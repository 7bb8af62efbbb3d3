package dev.qcow2.conformance.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every feature, both ways with QEMU: made by QEMU, continued by ours, continued by QEMU; made by ours, continued by QEMU,
 * read back by ours. The support table in the README is what this test saw.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SupportTableTest {

    private static final Map<String, Supplier<DiskDriver>> DRIVERS =
            new TreeMap<>(Map.of("reference", ReferenceDriver::new, "optimized", OptimizedDriver::new));
    private static final List<String> WAYS = List.of("made by QEMU", "made by it");
    private static final String BEGIN = "<!-- support table: made by SupportTableTest -->";
    private static final String END = "<!-- end of the support table -->";

    private final Map<String, Boolean> passed = new ConcurrentHashMap<>();

    @BeforeAll
    void needQemu() {
        assumeTrue(QemuTools.find().isPresent(), "qemu-img or qemu-io is not installed: no support table");
    }

    static Stream<Arguments> cells() {
        return Features.all().stream().flatMap(feature -> DRIVERS.keySet().stream()
                .flatMap(driver -> WAYS.stream().map(way -> Arguments.of(feature, driver, way))));
    }

    @ParameterizedTest(name = "{0}: {1}, {2}")
    @MethodSource("cells")
    @DisplayName("QC-GUEST-01 QC-REF-03 what one side made, both sides read and continue")
    void bothWays(Feature feature, String driver, String way, @TempDir Path path) throws Exception {
        Workshop workshop = new Workshop(path, DRIVERS.get(driver).get(), feature.options());
        workshop.makeBase();
        Feature.OurPart nothing = (w, disk) -> {};
        if (way.equals(WAYS.get(0))) {
            workshop.makeByQemu(feature.qemuOptions());
            workshop.useByQemu(feature.qemu());
            workshop.useByOurs(feature.ours(), feature.closed());
            workshop.useByQemu(w -> {});
        } else {
            workshop.makeByOurs();
            workshop.requireKind(feature.qemuOptions());
            workshop.useByOurs(feature.ours(), feature.closed());
            workshop.useByQemu(feature.qemu());
            workshop.useByOurs(nothing, w -> {});
        }
        workshop.requireSnapshots();
        passed.put(key(feature, driver, way), true);
    }

    private static String key(Feature feature, String driver, String way) {
        return feature + "/" + driver + "/" + way;
    }

    @AfterAll
    void writeTable() throws IOException {
        if (passed.isEmpty()) {
            return;
        }
        List<String> lines = new ArrayList<>();
        lines.add("| feature | kinds | reference | optimized |");
        lines.add("|---|---|---|---|");
        Map<String, List<Feature>> groups = Features.all().stream()
                .collect(Collectors.groupingBy(Feature::group, LinkedHashMap::new, Collectors.toList()));
        groups.forEach((group, features) -> {
            String kinds = features.stream().map(Feature::kind).collect(Collectors.joining("; "));
            String reference = cell(features, "reference");
            lines.add("| " + group + " | " + kinds + " | " + reference + " | " + cell(features, "optimized") + " |");
        });
        String table = String.join("\n", lines) + "\n";
        Path target = Files.createDirectories(Path.of("target"));
        Files.writeString(target.resolve("support.md"), table);
        String readme = Files.readString(Path.of("../README.md"));
        int begin = readme.indexOf(BEGIN);
        int end = readme.indexOf(END);
        assertThat(readme).as("the README has a place for the table").contains(BEGIN, END);
        assertThat(readme.substring(begin + BEGIN.length(), end).strip())
                .as("the README's support table; the right one is in conformance-tests/target/support.md")
                .isEqualTo(table.strip());
    }

    /** What was seen of a group of features: which of its kinds did not go both ways, if any. */
    private String cell(List<Feature> features, String driver) {
        String missing = features.stream()
                .filter(feature -> !WAYS.stream().allMatch(way -> passed.containsKey(key(feature, driver, way))))
                .map(Feature::kind)
                .collect(Collectors.joining("; "));
        return missing.isEmpty() ? "both ways" : "not " + missing;
    }
}
