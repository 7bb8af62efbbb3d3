package dev.qcow2.conformance.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.clause.Clause;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Every clause is named by a test, or it is said why none can name it yet. */
class ClauseCoverageTest {

    private static final Pattern ID = Pattern.compile("QC[-_](HDR|EXT|REF|L1|L2|SNAP|BACK|GUEST|LIM)[-_](\\d\\d)");

    private static final Pattern CHECK = Pattern.compile("@(Test|ParameterizedTest|TestFactory|Property|Example)\\b");

    /** Rules that no test checks, and why. The reason has to be one that a reader would accept. */
    private static final Map<String, String> UNTESTED = Map.of(
            "QC-HDR-22", "nobody postpones refcount updates yet; the bit is kept as it is (issue 4)",
            "QC-HDR-28", "compressed clusters and their types are refused by name so far (issue 4)",
            "QC-HDR-29", "extended L2 entries are refused by name so far (issue 4)",
            "QC-EXT-10", "encrypted images are refused by name so far (issue 4)",
            "QC-EXT-11", "bitmaps are not kept: a writer clears their bit, as QC-HDR-23 checks (issue 4)");

    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("spec/src")) ? here : here.getParent();
    }

    /** For each clause the test files that name it, whatever the punctuation. */
    private static Map<String, Set<String>> named() throws IOException {
        Map<String, Set<String>> named = new TreeMap<>();
        for (String module : List.of("spec", "reference", "optimized", "conformance-tests")) {
            Path tests = root().resolve(module).resolve("src/test/java");
            if (Files.isDirectory(tests)) {
                try (Stream<Path> files = Files.walk(tests)) {
                    for (Path file :
                            files.filter(f -> f.toString().endsWith(".java")).toList()) {
                        collect(file, named);
                    }
                }
            }
        }
        return named;
    }

    private static void collect(Path file, Map<String, Set<String>> named) throws IOException {
        String name = String.valueOf(file.getFileName()).replace(".java", "");
        String text = Files.readString(file);
        // A helper that cites a clause checks nothing, and this test's own table does not count. The faults do: tests
        // show for each of them that the rule which it names is checked.
        boolean checks = CHECK.matcher(text).find() || name.equals("Fault");
        if (!checks || name.equals("ClauseCoverageTest")) {
            return;
        }
        Matcher matcher = ID.matcher(text);
        while (matcher.find()) {
            String id = "QC-" + matcher.group(1) + "-" + matcher.group(2);
            named.computeIfAbsent(id, key -> new TreeSet<>()).add(name);
        }
    }

    @Test
    @DisplayName("Every clause of the catalogue has a check that names it, or a reason why not")
    void everyClauseIsChecked() throws IOException {
        Map<String, Set<String>> named = named();
        writeReport(named);
        List<String> missing = new ArrayList<>();
        for (Clause clause : Clause.catalogue()) {
            if (!named.containsKey(clause.id()) && !UNTESTED.containsKey(clause.id())) {
                missing.add(clause.id() + " " + clause.paraphrase());
            }
        }
        assertThat(missing).as("clauses that no test names").isEmpty();
    }

    @Test
    @DisplayName("The excuses have reasons and are about clauses that exist; so are all ids in tests")
    void excusesHold() throws IOException {
        Map<String, Set<String>> named = named();
        List<String> ids = Clause.catalogue().stream().map(Clause::id).toList();
        assertThat(ids).containsAll(UNTESTED.keySet());
        // An excuse that was overtaken by a test does no harm: the report shows the test.
        assertThat(UNTESTED.values()).allMatch(reason -> reason.length() > 20);
        // An id in a test that is no clause is a slip of the pen.
        assertThat(ids).containsAll(named.keySet());
    }

    private static void writeReport(Map<String, Set<String>> named) throws IOException {
        StringBuilder report =
                new StringBuilder("# Which clause is checked by what\n\n| Clause | Rule | Checks |\n|---|---|---|\n");
        for (Clause clause : Clause.catalogue()) {
            Set<String> tests = named.getOrDefault(clause.id(), new TreeSet<>());
            String checks = tests.isEmpty()
                    ? "untested, because " + UNTESTED.getOrDefault(clause.id(), "?")
                    : String.join(", ", tests);
            report.append("| ")
                    .append(clause.id())
                    .append(" | ")
                    .append(clause.paraphrase().replace("|", "\\|"))
                    .append(" | ")
                    .append(checks)
                    .append(" |\n");
        }
        Path target = root().resolve("conformance-tests/target/clauses.md");
        Files.createDirectories(target.getParent());
        Files.writeString(target, report);
    }
}
