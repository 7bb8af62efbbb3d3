package dev.qcow2.conformance.img;

import dev.qcow2.conformance.command.Qcow2Command;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs tables of command lines with qemu-img and with ours, each in a directory of its own, and says where they differ.
 *
 * <p>A case starts with {@code == title}. Its lines are commands: {@code $ args} is run by qemu-img and by ours and must do the same;
 * {@code ! args} is run by qemu-img in both places, as preparation; {@code > args} likewise, and must say the same, which judges what
 * the commands left; {@code io args} is qemu-io in both places; {@code poke FILE OFFSET HEX} changes bytes; {@code text FILE WORDS}
 * makes a file; {@code same FILE} compares bytes; {@code ~ REGEX REPLACEMENT} rewrites what is compared, where a case says why in its
 * title. {@code @} stands for the directory.
 */
final class ImgCases {

    /** Where two runs differ. */
    record Difference(String title, String command, String expected, String found) {}

    /** What a command did. */
    private record Outcome(int code, String out, String err) {
        String text() {
            return "exit " + code + "\n" + out + "-- messages\n" + err;
        }
    }

    private record Case(String title, List<String> lines) {}

    private static final Pattern DATE_AND_TIME = Pattern.compile("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d");
    private static final Map<Pattern, String> ALWAYS = Map.of(
            // Where the host puts a file's blocks is its own affair.
            Pattern.compile("disk size: .*"),
            "disk size: SIZE",
            Pattern.compile("\"actual-size\": \\d+"),
            "\"actual-size\": SIZE",
            DATE_AND_TIME,
            "DATE",
            Pattern.compile("\"date-(n?)sec\": \\d+"),
            "\"date-$1sec\": DATE",
            Pattern.compile("uuid: [-0-9a-f]+"),
            "uuid: UUID");

    private final Path root;
    private final List<String> implementations;
    private final List<Difference> differences = new ArrayList<>();
    private int commands;

    ImgCases(Path root, List<String> implementations) {
        this.root = root;
        this.implementations = List.copyOf(implementations);
    }

    /** Runs a table and returns the differences. */
    List<Difference> run(String table) throws IOException, InterruptedException {
        for (Case one : cases(table)) {
            clear();
            run(one);
        }
        return differences;
    }

    /** The number of commands that were compared. */
    int commands() {
        return commands;
    }

    private static List<Case> cases(String table) {
        List<Case> cases = new ArrayList<>();
        for (String line : table.lines().toList()) {
            if (line.startsWith("== ")) {
                cases.add(new Case(line.substring(3), new ArrayList<>()));
            } else if (!line.isBlank() && !line.startsWith("#")) {
                cases.get(cases.size() - 1).lines().add(line);
            }
        }
        return cases;
    }

    private Path theirs() {
        return root.resolve("t");
    }

    /** All names of directories are of the same length, for they stand in images. */
    private Path ours(String implementation) {
        return root.resolve(implementation.substring(0, 1));
    }

    private List<Path> places() {
        List<Path> places = new ArrayList<>(List.of(theirs()));
        implementations.forEach(implementation -> places.add(ours(implementation)));
        return places;
    }

    private void clear() throws IOException {
        for (Path place : places()) {
            if (Files.exists(place)) {
                try (Stream<Path> files = Files.walk(place)) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
            Files.createDirectories(place);
        }
    }

    private void run(Case one) throws IOException, InterruptedException {
        List<String[]> rewrites = new ArrayList<>();
        for (String line : one.lines()) {
            if (line.startsWith("~ ")) {
                rewrites.add(words(line, theirs()).subList(1, 3).toArray(String[]::new));
            }
        }
        for (String line : one.lines()) {
            String kind = line.substring(0, line.indexOf(' '));
            switch (kind) {
                case "$" -> {
                    commands++;
                    String expected = rewritten(qemu("qemu-img", theirs(), line), rewrites);
                    for (String ours : implementations) {
                        compare(ours, one, line, expected, rewritten(inProcess(ours, line), rewrites));
                    }
                }
                case "!" -> both("qemu-img", line);
                case "io" -> both("qemu-io", line);
                case ">" -> {
                    String expected = rewritten(qemu("qemu-img", theirs(), line), rewrites);
                    for (String ours : implementations) {
                        String found = rewritten(qemu("qemu-img", ours(ours), line), rewrites);
                        compare(ours, one, line, expected, found);
                    }
                }
                case "poke" -> poke(line);
                case "text" -> text(line);
                case "same" -> {
                    for (String ours : implementations) {
                        same(ours, one, line);
                    }
                }
                case "~" -> {}
                default -> throw new IllegalArgumentException("no such line: " + line);
            }
        }
    }

    private void both(String program, String line) throws IOException, InterruptedException {
        for (Path place : places()) {
            Outcome outcome = qemu(program, place, line);
            if (outcome.code() != 0) {
                throw new IllegalStateException("preparation failed: " + line + "\n" + outcome.text());
            }
        }
    }

    private void compare(String ours, Case one, String line, String expected, String found) {
        if (!expected.equals(found)) {
            differences.add(new Difference(ours + ", " + one.title(), line, expected, found));
        }
    }

    private static String rewritten(Outcome outcome, List<String[]> rewrites) {
        String text = outcome.text();
        for (Map.Entry<Pattern, String> rule : ALWAYS.entrySet()) {
            text = rule.getKey().matcher(text).replaceAll(rule.getValue());
        }
        for (String[] rule : rewrites) {
            text = Pattern.compile(rule[0], Pattern.MULTILINE).matcher(text).replaceAll(rule[1]);
        }
        return text;
    }

    /** Splits at blanks; single quotes keep blanks together. */
    private static List<String> words(String line, Path place) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean quoted = false;
        boolean started = false;
        for (int i = 0; i < line.length(); i++) {
            char at = line.charAt(i);
            if (at == '\'') {
                quoted = !quoted;
                started = true;
            } else if (at == ' ' && !quoted) {
                if (started) {
                    words.add(word.toString());
                }
                word.setLength(0);
                started = false;
            } else {
                word.append(at == '@' ? place.toString() : String.valueOf(at));
                started = true;
            }
        }
        if (started) {
            words.add(word.toString());
        }
        return words;
    }

    private Outcome qemu(String program, Path place, String line) throws IOException, InterruptedException {
        List<String> command = words(line, place);
        command.set(0, program);
        Path out = root.resolve("out");
        Path err = root.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(place.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        process.getOutputStream().close();
        int code = process.waitFor();
        return new Outcome(code, cleaned(Files.readString(out), place), cleaned(Files.readString(err), place));
    }

    private Outcome inProcess(String implementation, String line) {
        List<String> arguments = new ArrayList<>(words(line, ours(implementation)));
        arguments.set(0, "img");
        boolean top = arguments.size() < 2 || arguments.get(1).startsWith("-");
        if (!top) {
            arguments.add(2, "--impl=" + implementation);
        }
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Qcow2Command.run(new PrintWriter(out), new PrintWriter(err), arguments.toArray(String[]::new));
        return new Outcome(
                code, cleaned(out.toString(), ours(implementation)), cleaned(err.toString(), ours(implementation)));
    }

    private static String cleaned(String text, Path place) {
        return text.replace(place.toString(), "@")
                .replaceAll("(?m)^qemu-img:", "qcow2 img:")
                .replace("'qemu-img ", "'qcow2 img ");
    }

    private void poke(String line) throws IOException {
        for (Path place : places()) {
            List<String> words = words(line, place);
            try (FileChannel file = FileChannel.open(Path.of(words.get(1)), StandardOpenOption.WRITE)) {
                byte[] bytes = HexFormat.of().parseHex(words.get(3));
                file.write(ByteBuffer.wrap(bytes), Long.decode(words.get(2)));
            }
        }
    }

    private void text(String line) throws IOException {
        for (Path place : places()) {
            List<String> words = words(line, place);
            Files.writeString(Path.of(words.get(1)), words.get(2));
        }
    }

    /** Compares two files up to the names of the directories, which have the same length. */
    private void same(String ours, Case one, String line) throws IOException {
        byte[] expected = content(theirs(), line);
        byte[] found = content(ours(ours), line);
        int first = Arrays.mismatch(expected, found);
        if (first >= 0) {
            differences.add(new Difference(
                    ours + ", " + one.title(),
                    line,
                    expected.length + " bytes, at " + first + ": " + part(expected, first),
                    found.length + " bytes: " + part(found, first)));
        }
    }

    private static String part(byte[] bytes, int from) {
        return HexFormat.ofDelimiter(" ")
                .formatHex(bytes, Math.min(from, bytes.length), Math.min(bytes.length, from + 16));
    }

    private static byte[] content(Path place, String line) throws IOException {
        byte[] bytes = Files.readAllBytes(Path.of(words(line, place).get(1)));
        String text = new String(bytes, StandardCharsets.ISO_8859_1).replace(place.toString(), "@");
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Reads a table of the test's resources. */
    static String table(String name) throws IOException {
        try (InputStream stream = ImgCases.class.getResourceAsStream("/img/" + name + ".cases")) {
            if (stream == null) {
                throw new IOException("no table " + name);
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** For whoever works on a table: runs files and prints the differences. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        for (String file : Arrays.asList(arguments).subList(1, arguments.length)) {
            long start = System.nanoTime();
            ImgCases cases = new ImgCases(Files.createTempDirectory("img"), List.of(arguments[0].split(",")));
            for (Difference difference : cases.run(Files.readString(Path.of(file)))) {
                System.out.println("---- " + difference.title() + ": " + difference.command());
                System.out.println("expected " + difference.expected());
                System.out.println("found    " + difference.found());
            }
            System.out.println(
                    file + ": " + cases.commands() + " commands in " + (System.nanoTime() - start) / 1_000_000 + " ms");
        }
    }
}
