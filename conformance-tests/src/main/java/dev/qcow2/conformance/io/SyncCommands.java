package dev.qcow2.conformance.io;

import dev.qcow2.conformance.io.Report.Style;
import dev.qcow2.conformance.io.Transfers.Expected;
import dev.qcow2.conformance.io.Transfers.Outcome;
import dev.qcow2.conformance.tool.HostWords;
import dev.qcow2.spec.disk.DiskException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The commands that move bytes while the user waits. */
final class SyncCommands {

    private static final byte USUAL_PATTERN = (byte) 0xcd;
    private static final long SECTOR = 512;

    private final Session session;
    private final IoOutput output;

    SyncCommands(Session session) {
        this.session = session;
        this.output = session.output();
    }

    /** A request on the open image. */
    @FunctionalInterface
    private interface Request {
        void run() throws Refusal, DiskException;
    }

    /** Runs a request, tells its failure, and returns how long it took. */
    private long timed(String name, Request request) throws CommandFailure {
        long start = System.nanoTime();
        try {
            request.run();
            return System.nanoTime() - start;
        } catch (Refusal e) {
            throw CommandFailure.result(name + " failed: " + e.getMessage());
        } catch (DiskException e) {
            throw CommandFailure.result(name + " failed: " + RequestErrors.words(e));
        } finally {
            session.background().tellFinished();
        }
    }

    static Style style(Set<Flag> flags) {
        if (flags.contains(Flag.QUIET)) {
            return Style.QUIET;
        }
        return flags.contains(Flag.PROGRAMS) ? Style.PROGRAMS : Style.PEOPLE;
    }

    /** Options without values. */
    enum Flag {
        MACHINE_STATE,
        COMPRESSED,
        PROGRAMS,
        FLUSH,
        NO_FALLBACK,
        QUIET,
        UNMAP,
        SHOW,
        ZEROES
    }

    /** Returns the flag of a letter; the letters mean the same in all commands. */
    static Optional<Flag> flag(int letter) {
        return Optional.ofNullable(
                switch (letter) {
                    case 'b' -> Flag.MACHINE_STATE;
                    case 'c' -> Flag.COMPRESSED;
                    case 'C' -> Flag.PROGRAMS;
                    case 'f' -> Flag.FLUSH;
                    case 'n' -> Flag.NO_FALLBACK;
                    case 'q' -> Flag.QUIET;
                    case 'u' -> Flag.UNMAP;
                    case 'v' -> Flag.SHOW;
                    case 'z' -> Flag.ZEROES;
                    default -> null;
                });
    }

    /** Reads a length that one request can have. */
    private long length(String text, String hint) throws CommandFailure {
        long length = Numbers.bytes(text, output);
        if (length > Transfers.MOST_BYTES) {
            throw CommandFailure.result("length cannot exceed " + Transfers.MOST_BYTES + hint + ", given " + text);
        }
        return length;
    }

    private static void requireSectors(String name, long value) throws CommandFailure {
        if (value % SECTOR != 0) {
            throw CommandFailure.result(value + " is not a sector-aligned value for '" + name + "'");
        }
    }

    /** {@code read}. */
    void read(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        @Nullable Byte pattern = null;
        @Nullable Long checkStart = null;
        @Nullable Long checkLength = null;
        OptionScanner options = words.options("bCl:pP:qs:v", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            flag(letter).ifPresent(flags::add);
            switch (letter) {
                case 'P' -> pattern = Numbers.pattern(options.value());
                case 's' -> checkStart = Numbers.bytes(options.value(), output);
                case 'l' -> checkLength = Numbers.bytes(options.value(), output);
                case OptionScanner.WRONG -> throw CommandFailure.usage(words.verb());
                default -> {
                    // Flags are kept above; -p means nothing.
                }
            }
        }
        List<String> operands = exactly(words, options, 2);
        long offset = Numbers.bytes(operands.get(0), output);
        long length = length(operands.get(1), "");
        if (pattern == null && (checkStart != null || checkLength != null)) {
            throw CommandFailure.usage(words.verb());
        }
        long start = checkStart == null ? 0 : checkStart;
        long count = checkLength == null ? length - start : checkLength;
        if (start > length || count < 0 || count > length - start) {
            throw CommandFailure.result("pattern verification range exceeds end of read data");
        }
        if (flags.contains(Flag.MACHINE_STATE)) {
            requireSectors("offset", offset);
            requireSectors("count", length);
        }
        Optional<Expected> expected =
                pattern == null ? Optional.empty() : Optional.of(new Expected(pattern, start, count));
        read("read", flags, offset, length, expected);
    }

    /** {@code readv}. */
    void readv(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        @Nullable Byte pattern = null;
        OptionScanner options = words.options("CP:qv", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            flag(letter).ifPresent(flags::add);
            if (letter == 'P') {
                pattern = Numbers.pattern(options.value());
            } else if (letter == OptionScanner.WRONG) {
                throw CommandFailure.usage(words.verb());
            }
        }
        List<String> operands = atLeast(words, options, 2);
        long offset = Numbers.bytes(operands.get(0), output);
        long length = total(operands, output);
        Optional<Expected> expected =
                pattern == null ? Optional.empty() : Optional.of(new Expected(pattern, 0, length));
        read("readv", flags, offset, length, expected);
    }

    private void read(String name, Set<Flag> flags, long offset, long length, Optional<Expected> expected)
            throws CommandFailure {
        Transfers transfers = session.transfers();
        boolean machineState = flags.contains(Flag.MACHINE_STATE);
        Outcome[] outcome = new Outcome[1];
        long time = timed(name, () -> outcome[0] = transfers.read(offset, length, machineState, expected));
        boolean matches = outcome[0].matches();
        if (!matches) {
            Expected wanted = expected.orElseThrow();
            output.result("Pattern verification failed at offset " + (offset + wanted.start()) + ", " + wanted.length()
                    + " bytes");
        }
        if (!flags.contains(Flag.QUIET)) {
            if (flags.contains(Flag.SHOW)) {
                timed(name, () -> transfers.dump(outcome[0], offset, length, machineState, output));
            }
            output.print(Report.statistics(style(flags), "read", offset, length, time));
        }
        if (!matches) {
            throw CommandFailure.silent();
        }
    }

    /** {@code write}. */
    void write(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        @Nullable Byte pattern = null;
        @Nullable String source = null;
        OptionScanner options = words.options("bcCfnpP:qs:uz", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            flag(letter).ifPresent(flags::add);
            switch (letter) {
                case 'P' -> pattern = Numbers.pattern(options.value());
                case 's' -> source = options.value();
                case OptionScanner.WRONG -> throw CommandFailure.usage(words.verb());
                default -> {
                    // Flags are kept above; -p means nothing.
                }
            }
        }
        List<String> operands = exactly(words, options, 2);
        requireFitting(flags, pattern != null, source != null);
        long offset = Numbers.bytes(operands.get(0), output);
        boolean quickZeroes = flags.contains(Flag.NO_FALLBACK);
        long length = quickZeroes ? Numbers.bytes(operands.get(1), output) : length(operands.get(1), " without -n");
        if (flags.contains(Flag.MACHINE_STATE) || flags.contains(Flag.COMPRESSED)) {
            requireSectors("offset", offset);
            requireSectors("count", length);
        }
        byte[] bytes =
                source == null ? new byte[] {pattern == null ? USUAL_PATTERN : pattern} : content(source, length);
        Transfers transfers = session.transfers();
        long time = timed("write", () -> write(transfers, flags, offset, length, bytes));
        output.print(Report.statistics(style(flags), "wrote", offset, length, time));
    }

    private static void requireFitting(Set<Flag> flags, boolean pattern, boolean source) throws CommandFailure {
        boolean zeroes = flags.contains(Flag.ZEROES);
        boolean machineState = flags.contains(Flag.MACHINE_STATE);
        if (machineState && zeroes) {
            throw CommandFailure.result("-b and -z cannot be specified at the same time");
        }
        if (flags.contains(Flag.FLUSH) && (machineState || flags.contains(Flag.COMPRESSED))) {
            throw CommandFailure.result("-f and -b or -c cannot be specified at the same time");
        }
        if (flags.contains(Flag.NO_FALLBACK) && !zeroes) {
            throw CommandFailure.result("-n requires -z to be specified");
        }
        if (flags.contains(Flag.UNMAP) && !zeroes) {
            throw CommandFailure.result("-u requires -z to be specified");
        }
        if ((zeroes && (pattern || source)) || (pattern && source)) {
            throw CommandFailure.result("Only one of -z, -P, and -s can be specified at the same time");
        }
    }

    private static void write(Transfers transfers, Set<Flag> flags, long offset, long length, byte[] bytes)
            throws Refusal, DiskException {
        boolean flush = flags.contains(Flag.FLUSH);
        if (flags.contains(Flag.MACHINE_STATE)) {
            transfers.write(offset, length, bytes, true, flush);
        } else if (flags.contains(Flag.ZEROES)) {
            transfers.zero(offset, length, flags.contains(Flag.UNMAP), flags.contains(Flag.NO_FALLBACK), flush);
        } else if (flags.contains(Flag.COMPRESSED)) {
            transfers.writeCompressed(offset, length, bytes);
        } else {
            transfers.write(offset, length, bytes, false, flush);
        }
    }

    /** Returns as much of a file as can be needed. */
    private static byte[] content(String file, long length) throws CommandFailure {
        try (InputStream stream = Files.newInputStream(Path.of(file))) {
            byte[] bytes = stream.readNBytes((int) Math.max(1, length));
            if (bytes.length == 0) {
                throw CommandFailure.message(file + ": file is empty");
            }
            return bytes;
        } catch (IOException e) {
            throw CommandFailure.message(file + ": " + HostWords.of(e));
        }
    }

    /** {@code writev}. */
    void writev(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        byte pattern = USUAL_PATTERN;
        OptionScanner options = words.options("CfqP:", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            flag(letter).ifPresent(flags::add);
            if (letter == 'P') {
                pattern = Numbers.pattern(options.value());
            } else if (letter == OptionScanner.WRONG) {
                throw CommandFailure.usage(words.verb());
            }
        }
        List<String> operands = atLeast(words, options, 2);
        long offset = Numbers.bytes(operands.get(0), output);
        long length = total(operands, output);
        byte[] bytes = {pattern};
        Transfers transfers = session.transfers();
        long time = timed("writev", () -> transfers.write(offset, length, bytes, false, flags.contains(Flag.FLUSH)));
        output.print(Report.statistics(style(flags), "wrote", offset, length, time));
    }

    /** {@code discard}. */
    void discard(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        OptionScanner options = words.options("Cq", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            flag(letter).ifPresent(flags::add);
            if (letter == OptionScanner.WRONG) {
                throw CommandFailure.usage(words.verb());
            }
        }
        List<String> operands = exactly(words, options, 2);
        long offset = Numbers.bytes(operands.get(0), output);
        long length = length(operands.get(1), "");
        Transfers transfers = session.transfers();
        long time = timed("discard", () -> transfers.discard(offset, length));
        output.print(Report.statistics(style(flags), "discard", offset, length, time));
    }

    private static List<String> exactly(Words words, OptionScanner options, int count) throws CommandFailure {
        List<String> operands = options.operands();
        if (operands.size() != count) {
            throw CommandFailure.usage(words.verb());
        }
        return operands;
    }

    /** Returns the operands if there are enough of them. */
    static List<String> atLeast(Words words, OptionScanner options, int count) throws CommandFailure {
        List<String> operands = options.operands();
        if (operands.size() < count) {
            throw CommandFailure.usage(words.verb());
        }
        return operands;
    }

    /** Adds up the lengths of a request with several buffers, which stand behind its offset. */
    static long total(List<String> operands, IoOutput output) throws CommandFailure {
        long total = 0;
        for (String text : operands.subList(1, operands.size())) {
            long length = Numbers.bytes(text, output);
            if (length > Transfers.MOST_BYTES) {
                throw CommandFailure.result("Argument '" + text + "' exceeds maximum size " + Transfers.MOST_BYTES);
            }
            total += length;
            if (total > Transfers.MOST_BYTES) {
                throw CommandFailure.result(
                        "The total number of bytes exceed the maximum size " + Transfers.MOST_BYTES);
            }
        }
        return total;
    }
}
