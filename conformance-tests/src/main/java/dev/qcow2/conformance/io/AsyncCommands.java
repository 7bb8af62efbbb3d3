package dev.qcow2.conformance.io;

import dev.qcow2.conformance.io.SyncCommands.Flag;
import dev.qcow2.conformance.io.Transfers.Expected;
import dev.qcow2.conformance.io.Transfers.Outcome;
import dev.qcow2.spec.disk.DiskException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The commands that start a request and do not wait for it. */
final class AsyncCommands {

    private static final byte USUAL_PATTERN = (byte) 0xcd;

    private final Session session;
    private final IoOutput output;

    AsyncCommands(Session session) {
        this.session = session;
        this.output = session.output();
    }

    /** {@code aio_read}. */
    void read(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        @Nullable Byte pattern = null;
        OptionScanner options = words.options("CP:iqv", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            SyncCommands.flag(letter).ifPresent(flags::add);
            switch (letter) {
                case 'P' -> pattern = Numbers.pattern(options.value());
                case 'i' -> {
                    output.result("injecting invalid read request");
                    return;
                }
                case OptionScanner.WRONG -> throw CommandFailure.usage(words.verb());
                default -> {
                    // Flags are kept above.
                }
            }
        }
        List<String> operands = SyncCommands.atLeast(words, options, 2);
        long offset = Numbers.bytes(operands.get(0), output);
        long length = SyncCommands.total(operands, output);
        Optional<Expected> expected =
                pattern == null ? Optional.empty() : Optional.of(new Expected(pattern, 0, length));
        Transfers transfers = session.transfers();
        long start = System.nanoTime();
        session.background().submit(() -> read(transfers, flags, offset, length, expected, start));
    }

    private static String read(
            Transfers transfers, Set<Flag> flags, long offset, long length, Optional<Expected> expected, long start) {
        Outcome outcome;
        try {
            outcome = transfers.read(offset, length, false, expected);
        } catch (Refusal e) {
            return "readv failed: " + e.getMessage() + "\n";
        } catch (DiskException e) {
            return "readv failed: " + RequestErrors.words(e) + "\n";
        }
        long time = System.nanoTime() - start;
        StringBuilder text = new StringBuilder();
        if (!outcome.matches()) {
            text.append("Pattern verification failed at offset ")
                    .append(offset)
                    .append(", ")
                    .append(length)
                    .append(" bytes\n");
        }
        byte[] bytes = outcome.bytes();
        if (!flags.contains(Flag.QUIET)) {
            if (flags.contains(Flag.SHOW) && bytes != null) {
                text.append(Report.dump(bytes, bytes.length, offset));
            }
            text.append(Report.statistics(SyncCommands.style(flags), "read", offset, length, time));
        }
        return text.toString();
    }

    /** {@code aio_write}. */
    void write(Words words) throws CommandFailure {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        byte pattern = USUAL_PATTERN;
        OptionScanner options = words.options("CfiP:quz", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            SyncCommands.flag(letter).ifPresent(flags::add);
            switch (letter) {
                case 'P' -> pattern = Numbers.pattern(options.value());
                case 'i' -> {
                    output.result("injecting invalid write request");
                    return;
                }
                case OptionScanner.WRONG -> throw CommandFailure.usage(words.verb());
                default -> {
                    // Flags are kept above.
                }
            }
        }
        List<String> operands = SyncCommands.atLeast(words, options, 2);
        boolean zeroes = flags.contains(Flag.ZEROES);
        if (zeroes && operands.size() != 2) {
            throw CommandFailure.result("-z supports only a single length parameter");
        }
        if (flags.contains(Flag.UNMAP) && !zeroes) {
            throw CommandFailure.result("-u requires -z to be specified");
        }
        long offset = Numbers.bytes(operands.get(0), output);
        long length = zeroes ? Numbers.bytes(operands.get(1), output) : SyncCommands.total(operands, output);
        Transfers transfers = session.transfers();
        byte[] bytes = {pattern};
        long start = System.nanoTime();
        session.background().submit(() -> write(transfers, flags, offset, length, bytes, start));
    }

    private static String write(
            Transfers transfers, Set<Flag> flags, long offset, long length, byte[] bytes, long start) {
        boolean flush = flags.contains(Flag.FLUSH);
        try {
            if (flags.contains(Flag.ZEROES)) {
                transfers.zero(offset, length, flags.contains(Flag.UNMAP), false, flush);
            } else {
                transfers.write(offset, length, bytes, false, flush);
            }
        } catch (Refusal e) {
            return "aio_write failed: " + e.getMessage() + "\n";
        } catch (DiskException e) {
            return "aio_write failed: " + RequestErrors.words(e) + "\n";
        }
        return Report.statistics(SyncCommands.style(flags), "wrote", offset, length, System.nanoTime() - start);
    }
}
