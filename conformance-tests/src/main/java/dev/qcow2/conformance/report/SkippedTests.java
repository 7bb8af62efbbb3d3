package dev.qcow2.conformance.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** Says how many tests of the whole build were skipped, and why: a skipped test looks green otherwise. */
public final class SkippedTests {

    private SkippedTests() {}

    /**
     * Prints a line for each reason.
     *
     * @param arguments the project's top folder
     * @throws IOException if a report can't be read
     */
    public static void main(String... arguments) throws IOException {
        System.out.print(summary(Path.of(arguments[0])));
    }

    /**
     * Counts the skipped tests in the reports of all modules.
     *
     * @param top the project's top folder
     * @return text that ends with a line break
     * @throws IOException if a report can't be read
     */
    public static String summary(Path top) throws IOException {
        Map<String, Integer> reasons = new TreeMap<>();
        for (Path report : reports(top)) {
            Element suite = parse(report);
            NodeList skipped = suite.getElementsByTagName("skipped");
            for (int i = 0; i < skipped.getLength(); i++) {
                reasons.merge(reason((Element) skipped.item(i)), 1, Integer::sum);
            }
        }
        int count = reasons.values().stream().mapToInt(Integer::intValue).sum();
        StringBuilder text = new StringBuilder();
        text.append(String.format("%d tests were skipped%n", count));
        reasons.forEach((reason, times) -> text.append(String.format("  %4d  %s%n", times, reason)));
        return text.toString();
    }

    private static List<Path> reports(Path top) throws IOException {
        try (Stream<Path> modules = Files.list(top)) {
            List<Path> folders = modules.map(module -> module.resolve("target/surefire-reports"))
                    .filter(Files::isDirectory)
                    .toList();
            List<Path> reports = new ArrayList<>();
            for (Path folder : folders) {
                try (Stream<Path> files = Files.list(folder)) {
                    files.filter(file -> file.getFileName().toString().matches("TEST-.*\\.xml"))
                            .forEach(reports::add);
                }
            }
            return reports;
        }
    }

    private static Element parse(Path report) throws IOException {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(report.toFile())
                    .getDocumentElement();
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException(report + " is no test report", e);
        }
    }

    /** A disabled test has its reason in an attribute, an aborted one in the trace of what aborted it. */
    private static String reason(Element skipped) {
        String message = skipped.getAttribute("message");
        String text = message.isBlank() ? skipped.getTextContent().strip() : message;
        String first = text.lines().findFirst().orElse("no reason given");
        return first.replace("org.opentest4j.TestAbortedException: ", "").replace("Assumption failed: ", "");
    }
}
