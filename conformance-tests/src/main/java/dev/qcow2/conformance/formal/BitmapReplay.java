package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.formal.BitmapGraph.Move;
import dev.qcow2.conformance.formal.BitmapGraph.Request;
import dev.qcow2.conformance.mutant.MutantDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver.RepairMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Replays every request of a graph of module Bitmaps on an image: what an implementation says of its bitmaps, and what
 * somebody else finds who opens the file at this moment, must be what the model says. The way to a state of an open disk
 * starts at the closed image before it, for memory can't be cloned.
 */
public final class BitmapReplay {

    private static final String IMAGE = "image";
    private static final int CLUSTER_BITS = 9;
    private static final long CLUSTER = 1L << CLUSTER_BITS;
    private static final DiskDriver READER = new ReferenceDriver();

    private final BitmapGraph graph;
    private final DiskDriver driver;
    private final Deque<Integer> queue = new ArrayDeque<>();
    private final Map<Integer, Way> ways = new HashMap<>();
    private int replayed;

    /** How to get to a state: a closed image, and what is sent to it. */
    private record Way(MemoryHostDirectory image, List<Move> moves) {

        Way then(Move move) {
            List<Move> longer = new ArrayList<>(moves);
            longer.add(move);
            return new Way(image, longer);
        }
    }

    private BitmapReplay(BitmapGraph graph, DiskDriver driver) {
        this.graph = graph;
        this.driver = driver;
    }

    /**
     * What came of it.
     *
     * @param replayed requests whose outcome was looked at
     * @param failure what was wrong, with the way to it; empty if nothing was
     */
    public record Result(int replayed, Optional<String> failure) {}

    /**
     * Replays a graph.
     *
     * @param graph of the style of the implementation
     * @param driver the implementation
     * @return how far it came
     */
    public static Result run(BitmapGraph graph, DiskDriver driver) {
        BitmapReplay replay = new BitmapReplay(graph, driver);
        Optional<String> failure;
        try {
            failure = replay.run();
        } catch (DiskException e) {
            failure = Optional.of(e.toString());
        }
        return new Result(replay.replayed, failure);
    }

    private Optional<String> run() throws DiskException {
        MemoryHostDirectory first = new MemoryHostDirectory();
        driver.create(
                first, IMAGE, CreateOptions.ofSize(graph.size(0) * CLUSTER).withClusterBits(CLUSTER_BITS));
        try (VirtualDisk disk = driver.open(first, IMAGE, OpenOptions.readWrite())) {
            disk.createSnapshot("first");
        }
        ways.put(0, new Way(first, List.of()));
        queue.add(0);
        while (!queue.isEmpty()) {
            int state = queue.remove();
            for (Move move : graph.moves(state)) {
                // The snapshot would bring its own size back, which the model does not.
                boolean apart = move.request().kind().equals("restore") && graph.size(state) != graph.size(0);
                Optional<String> failure = apart ? Optional.empty() : follow(state, move);
                if (failure.isPresent()) {
                    return failure;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<String> follow(int state, Move move) {
        Way way = Objects.requireNonNull(ways.get(state)).then(move);
        MemoryHostDirectory image = way.image().copy();
        String found;
        try {
            found = perform(way.moves(), image);
        } catch (DiskException | RuntimeException e) {
            found = e.toString();
        }
        replayed++;
        String expected = graph.key(move.target());
        if (!found.equals(expected)) {
            StringBuilder text = new StringBuilder();
            way.moves().forEach(step -> text.append(step.request()).append('\n'));
            return Optional.of(text + "found:    " + found + "\nexpected: " + expected);
        }
        if (!ways.containsKey(move.target())) {
            ways.put(move.target(), graph.isOpen(move.target()) ? way : new Way(image, List.of()));
            queue.add(move.target());
        }
        return Optional.empty();
    }

    /** Goes the whole way, and looks at its end. */
    private String perform(List<Move> moves, MemoryHostDirectory image) throws DiskException {
        @Nullable VirtualDisk disk = null;
        for (Move move : moves) {
            Request request = move.request();
            if (disk == null) {
                disk = closed(request, image);
            } else if (request.kind().equals("close")) {
                disk.close();
                disk = null;
            } else if (request.kind().equals("die")) {
                disk = null;
            } else {
                send(request, disk);
            }
        }
        String memory = disk == null ? "" : "memory " + bitmaps(disk.bitmaps()) + ", ";
        try (HostFile file = image.open(IMAGE, Access.READ_ONLY)) {
            for (Finding finding : new Auditor().audit(file).findings()) {
                if (finding.kind() == Finding.Kind.CORRUPTION || finding.kind() == Finding.Kind.BREACH) {
                    return finding.toString();
                }
            }
        }
        try (VirtualDisk reader = READER.open(image.copy(), IMAGE, OpenOptions.readOnly())) {
            return "size " + reader.size() / CLUSTER + ", " + memory + "file " + bitmaps(reader.bitmaps());
        }
    }

    private @Nullable VirtualDisk closed(Request request, MemoryHostDirectory image) throws DiskException {
        switch (request.kind()) {
            case "open" -> {
                return driver.open(image, IMAGE, OpenOptions.readWrite());
            }
            case "foreign" -> {
                try (VirtualDisk foreign = new MutantDriver().open(image, IMAGE, OpenOptions.readWrite())) {
                    foreign.write(0, bytes());
                }
            }
            case "repair" -> ((MaintenanceDriver) driver).repair(image, IMAGE, RepairMode.ALL, OpenOptions.readWrite());
            default -> throw new IllegalStateException("the image is closed: " + request);
        }
        return null;
    }

    private static ByteBuffer bytes() {
        return ByteBuffer.allocate((int) CLUSTER).put(0, (byte) 1);
    }

    private static void send(Request request, VirtualDisk disk) throws DiskException {
        Bitmaps bitmaps = disk.bitmaps();
        switch (request.kind()) {
            case "change" -> disk.write((request.clusters().get(0) - 1) * CLUSTER, bytes());
            case "restore" -> disk.applySnapshot("1");
            case "resize" -> disk.resize(request.clusters().size() * CLUSTER, Preallocation.OFF);
            case "add" -> bitmaps.add(request.name(), CLUSTER_BITS, request.enabled());
            case "remove" -> bitmaps.remove(request.name());
            case "clear" -> bitmaps.clear(request.name());
            case "enable" -> bitmaps.setEnabled(request.name(), request.enabled());
            case "merge" -> bitmaps.merge(request.name(), request.other());
            default -> throw new IllegalStateException("no request of a disk: " + request);
        }
    }

    private static String bitmaps(Bitmaps bitmaps) throws DiskException {
        Map<String, String> found = new TreeMap<>();
        for (Bitmaps.BitmapInfo info : bitmaps.list()) {
            List<Integer> dirty = new ArrayList<>();
            if (!info.inUse()) {
                for (Bitmaps.Dirty range : bitmaps.dirty(info.name())) {
                    for (long at = range.guestOffset(); at < range.guestOffset() + range.length(); at += CLUSTER) {
                        dirty.add((int) (at / CLUSTER) + 1);
                    }
                }
            }
            found.put(info.name(), BitmapGraph.bitmap(info.enabled(), info.inUse(), dirty));
        }
        return found.toString();
    }
}
