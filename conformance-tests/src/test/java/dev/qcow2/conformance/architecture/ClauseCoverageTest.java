package dev.qcow2.conformance.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.clause.Clause;
import java.io.IOException;
import java.io.UncheckedIOException;
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

    private static final Pattern ID =
            Pattern.compile("QC[-_](HDR|EXT|REF|L1|L2|SNAP|BACK|GUEST|CMP|SUB|DATA|CRY|BM|MNT|LIM)[-_](\\d\\d)");

    private static final Pattern CHECK = Pattern.compile("@(Test|ParameterizedTest|TestFactory|Property|Example)\\b");

    /** Rules that no test checks, and why. The reason has to be one that a reader would accept. */
    private static final Map<String, String> UNTESTED = readExcuses();

    /** A line of the file is a clause, a space and the reason; lines that start with # explain. */
    private static Map<String, String> readExcuses() {
        Map<String, String> excuses = new TreeMap<>();
        Path file = root().resolve("conformance-tests/src/test/resources/untested-clauses.txt");
        try {
            for (String line : Files.readAllLines(file)) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    int space = line.indexOf(' ');
                    excuses.put(line.substring(0, space), line.substring(space + 1));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return excuses;
    }

    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("spec/src")) ? here : here.getParent();
    }

    /** For each clause the test files that name it, whatever the punctuation. */
    private static Map<String, Set<String>> named() throws IOException {
        Map<String, Set<String>> named = new TreeMap<>();
        for (String folder : List.of(
                "spec/src/test/java",
                "reference/src/test/java",
                "optimized/src/test/java",
                "conformance-tests/src/test/java",
                // The wrong implementations, which the kit ships.
                "conformance-tests/src/main/java/dev/qcow2/conformance/mutant")) {
            Path tests = root().resolve(folder);
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
        boolean checks = CHECK.matcher(text).find()
                || name.equals("Fault")
                || name.equals("FeatureFault")
                || name.equals("StructureFault");
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
        // An excuse that was overtaken by a test goes: the list is what a reader looks at to see what is not checked.
        assertThat(named.keySet()).doesNotContainAnyElementsOf(UNTESTED.keySet());
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
