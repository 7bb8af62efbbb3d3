package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.Failures;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.VirtualDisk;
import java.util.List;
import java.util.Optional;

/** The commands that look at the disk as a whole, or change it as a whole. */
final class LookCommands {

    private static final long SECTOR = 512;

    private final Session session;
    private final IoOutput output;

    LookCommands(Session session) {
        this.session = session;
        this.output = session.output();
    }

    /** {@code length}. */
    void length() throws DiskException {
        output.result(Numbers.size(session.image().disk().size()));
    }

    /** {@code flush}. */
    void flush() throws DiskException {
        session.image().disk().flush();
    }

    private static boolean isAllocated(BlockStatus extent) {
        return extent.allocated() && extent.depth() == 0;
    }

    private List<BlockStatus> status(long offset, long length) throws DiskException {
        // The driver null-co has nothing, and its file can't tell.
        boolean nothing = session.image().location().fileName().contains("\"null-");
        return nothing && length > 0
                ? List.of(new BlockStatus(offset, length, BlockStatus.Content.ZERO, false, 0))
                : session.image().disk().status(offset, length);
    }

    /** {@code map}. */
    void map() throws DiskException {
        long start = 0;
        boolean allocated = false;
        long size = session.image().disk().size();
        for (BlockStatus extent : status(0, size)) {
            if (isAllocated(extent) != allocated && extent.guestOffset() > start) {
                area(start, extent.guestOffset(), allocated);
                start = extent.guestOffset();
            }
            allocated = isAllocated(extent);
        }
        if (size > start) {
            area(start, size, allocated);
        }
    }

    private void area(long start, long end, boolean allocated) {
        output.result(Numbers.size(end - start) + " (0x" + Long.toHexString(end - start) + ") bytes "
                + (allocated ? "   " : "not") + " allocated at offset " + Numbers.size(start) + " (0x"
                + Long.toHexString(start) + ")");
    }

    /** {@code alloc}. */
    void alloc(Words words) throws CommandFailure, DiskException {
        long offset = Numbers.bytes(words.arguments().get(0), output);
        long asked =
                words.arguments().size() > 1 ? Numbers.bytes(words.arguments().get(1), output) : SECTOR;
        long size = session.image().disk().size();
        long count = Math.min(asked, Math.max(0, size - offset));
        long sum = 0;
        for (BlockStatus extent : count == 0 ? List.<BlockStatus>of() : status(offset, count)) {
            sum += isAllocated(extent) ? extent.length() : 0;
        }
        output.result(sum + "/" + count + " bytes allocated at offset " + Numbers.size(offset));
    }

    /** {@code info}. */
    void info() throws CommandFailure, DiskException {
        OpenImage image = session.image();
        output.result("format name: " + image.location().format());
        if (image.location().fileName().contains("\"null-")) {
            throw CommandFailure.silent();
        }
        output.print(InfoText.of(image));
    }

    /** {@code truncate}. */
    void truncate(Words words) throws CommandFailure {
        Preallocation preallocation = Preallocation.OFF;
        OptionScanner options = words.options("m:", output);
        for (int letter = options.next(); letter != OptionScanner.END; letter = options.next()) {
            if (letter == OptionScanner.WRONG) {
                throw CommandFailure.usage(words.verb());
            }
            String mode = options.value();
            preallocation = preallocation(mode)
                    .orElseThrow(() -> CommandFailure.named("Invalid preallocation mode '" + mode + "'"));
        }
        if (options.operands().isEmpty()) {
            throw CommandFailure.usage(words.verb());
        }
        String text = options.operands().get(0);
        String first = words.arguments().stream()
                .filter(word -> word.startsWith("-"))
                .findFirst()
                .orElse(text);
        long size = Numbers.bytes(text, first, output);
        VirtualDisk disk = session.image().disk();
        if (session.image().location().qcow2() && size % SECTOR != 0) {
            throw CommandFailure.named("The new size must be a multiple of " + SECTOR);
        }
        try {
            if (size < disk.size() && preallocation != Preallocation.OFF) {
                throw CommandFailure.named("Preallocation can't be used for shrinking an image");
            }
            disk.resize(size, preallocation);
        } catch (DiskException e) {
            throw CommandFailure.named(Failures.words(e));
        }
    }

    private static Optional<Preallocation> preallocation(String mode) {
        return Optional.ofNullable(
                switch (mode) {
                    case "off" -> Preallocation.OFF;
                    case "metadata" -> Preallocation.METADATA;
                    case "falloc" -> Preallocation.FALLOC;
                    case "full" -> Preallocation.FULL;
                    default -> null;
                });
    }
}
