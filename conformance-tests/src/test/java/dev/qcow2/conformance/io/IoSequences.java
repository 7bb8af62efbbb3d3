package dev.qcow2.conformance.io;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random sequences of commands: ranges around the borders of clusters and of the disk, on images of many kinds. */
final class IoSequences {

    private static final String[] KINDS = {
        "plain",
        "filled",
        "overlay",
        "chain",
        "v2",
        "extended",
        "snapshots",
        "small",
        "refcount1",
        "lazy",
        "odd",
        "raw -f raw"
    };

    /** Lengths and distances that matter: sectors, subclusters, clusters. */
    private static final int[] UNITS = {1, 512, 4096, 65536, 131072};

    private static final int SMALLEST_DISK = 1000448;
    private static final int COMMANDS = 12;

    private final Random random;

    IoSequences(long seed) {
        this.random = new Random(seed);
    }

    private <T> T any(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    /** A place at or beside a border. */
    private long place(int most) {
        int unit = UNITS[random.nextInt(UNITS.length)];
        long at = (long) random.nextInt(most / unit + 1) * unit + random.nextInt(3) - 1;
        return Math.max(0, at);
    }

    private String range() {
        long offset = place(SMALLEST_DISK + 4096);
        return offset + " " + place(random.nextInt(4) == 0 ? 300000 : 70000);
    }

    private String pattern() {
        return " -P " + (1 + random.nextInt(250)) + " ";
    }

    private String clusters() {
        return random.nextInt(15) * 65536 + " " + (1 + random.nextInt(2)) * 65536;
    }

    private List<String> step() {
        return switch (random.nextInt(16)) {
            case 0, 1, 2, 3 -> List.of("write" + pattern() + range());
            case 4 -> List.of("writev" + pattern() + range() + " 1 512 " + random.nextInt(5000));
            case 5 -> List.of("write -z " + range());
            case 6 -> List.of("write -zu " + range());
            case 7 -> List.of("write -zn " + range());
            case 8, 9 -> List.of("discard " + range());
            case 10 -> List.of("write -c" + pattern() + clusters());
            case 11 -> List.of("aio_write" + pattern() + range(), "aio_flush");
            case 12 -> List.of("read -v " + place(SMALLEST_DISK) + " 20");
            case 13 -> List.of("alloc " + range());
            case 14 -> List.of("aio_write -zq " + range(), "aio_flush");
            // Only to whole clusters: when a disk grows, QEMU shows again what its last cluster held behind a lower
            // end.
            default -> List.of("truncate " + (12 + random.nextInt(8)) * 65536L, "length");
        };
    }

    /** How much a disk with a backing file has allocated after it grew is everybody's own choice. */
    private static boolean fits(String kind, List<String> step) {
        boolean overlay = kind.equals("overlay") || kind.equals("chain");
        return !overlay || !step.get(0).startsWith("truncate");
    }

    /** Returns a case that ends with a look at all that is allocated. */
    IoCase next() {
        List<String> kind = List.of(any(List.of(KINDS)).split(" "));
        List<String> commands = new ArrayList<>();
        while (commands.size() < COMMANDS) {
            List<String> step = step();
            if (fits(kind.get(0), step)) {
                commands.addAll(step);
            }
        }
        commands.add("map");
        return new IoCase(kind.get(0), kind.subList(1, kind.size()), commands, false);
    }
}
