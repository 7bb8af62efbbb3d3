package dev.qcow2.conformance.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.lang3.ArrayUtils;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The benchmark runs, and says what it promises; how quick anybody is, no test asks. */
class BenchTest {

    /** Scattered requests that meet twice as many slices of L2 tables as the caches hold. */
    private static final int REQUESTS = 16_000;

    private final Path directory;
    private final StringWriter out = new StringWriter();

    BenchTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private List<JsonNode> rows(String... arguments) throws IOException {
        Path json = directory.resolve("bench.json");
        String[] common = {
            "--rounds", "1", "--dir", directory.toString(), "--json", json.toString(), "--svg", directory + "/bench.svg"
        };
        int code = new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out, true))
                .execute(ArrayUtils.addAll(common, arguments));
        assertThat(code).as(out.toString()).isZero();
        List<JsonNode> rows = new ArrayList<>();
        new ObjectMapper().readTree(json.toFile()).get("rows").forEach(rows::add);
        return rows;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("the JSON has the agreed names, through the page cache and past it (QC-GUEST-01)")
    void json(boolean direct) throws IOException {
        String[] seed = {"--workload", "seed-4k-zero-plain-qd*", "--scale", "1024"};
        List<JsonNode> rows = rows(direct ? ArrayUtils.add(seed, "--direct") : seed);
        assertThat(rows)
                .extracting(row -> row.get("workload").asText())
                .contains("seed-4k-zero-plain-qd1", "seed-4k-zero-plain-qd32");
        assertThat(rows).extracting(row -> row.get("contender").asText()).contains("reference", "optimized", "raw");
        for (JsonNode row : rows) {
            assertThat(row.get("iops").asDouble()).isPositive();
            assertThat(row.get("mibPerS").asDouble()).isPositive();
            assertThat(row.get("ratioTo").get("raw").asDouble()).isPositive();
            assertThat(row.get("hostBytesAllocated").asLong()).isPositive();
            boolean ours = List.of("reference", "optimized")
                    .contains(row.get("contender").asText());
            assertThat(row.has("hostBytesPerGuestByte")).isEqualTo(ours);
            assertThat(row.has("hostCallsPerRequest")).isEqualTo(ours);
        }
        assertThat(directory.resolve("bench.svg")).isNotEmptyFile();
    }

    @Test
    @DisplayName("the heap has a row and a goal (QC-GUEST-01)")
    void heapRow() throws IOException {
        List<JsonNode> rows = rows("--workload", Workloads.HEAP_ROW, "--scale", "128");
        assertThat(rows)
                .singleElement()
                .satisfies(row -> assertThat(row.get("heapMib").asDouble()).isPositive());
        assertThat(out.toString()).contains("reached " + Workloads.HEAP_ROW, "MiB of heap (at most 64.0)");
    }

    @Test
    @DisplayName("random requests over 1 TiB are content with a heap of 64 MiB (QC-GUEST-01)")
    void heapSuffices() throws IOException {
        assertThat(HeapProbe.run(directory, REQUESTS, Goal.HEAP_BOUND_MIB).heapMib())
                .as("the caches are full, and keep to their bound")
                .isBetween(20.0, 50.0);
    }

    @Test
    @DisplayName("the probe dies of a heap that is too small: it would find caches without a bound")
    void heapCanFail() throws IOException {
        Path image = Files.createDirectory(directory.resolve("small"));
        assertThatThrownBy(() -> HeapProbe.run(image, REQUESTS, 16))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("OutOfMemoryError");
    }
}
