package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Cuts the power at each moment of a scene: of each file what came before its last flush is on the disk, of what came
 * after it any part. Then the guest's bytes, the audit and the scene itself say whether all is well.
 */
final class StructureCuts {

    /** What an auditor found begins so. */
    static final String AUDITOR = "the auditor:";

    /** A cut may leave a flag that its count no longer fits; that is repaired, and harmless until then. */
    private static final Set<String> FLAGS = Set.of("QC-L1-03", "QC-L2-03");

    private static final int PARTS = 4;

    /** As many findings as there are: those that count may come behind many flags. */
    private static final Auditor.Limits EVERYTHING = new Auditor.Limits(100_000, 1L << 30, 256L << 20);

    private final StructureScene scene;
    private final MemoryHostDirectory before = new MemoryHostDirectory();
    private final List<RecordingHostFile> order = new ArrayList<>();
    private final Random random = new Random(5);

    private record Event(String file, HostEvent change) {}

    private StructureCuts(StructureScene scene) {
        this.scene = scene;
    }

    /** Returns what is wrong, and looks no further when so much was found; empty if all is well. */
    static List<String> damage(StructureFault.Scene scene, DiskDriver driver, int most) {
        try {
            return new StructureCuts(StructureScenes.of(scene)).run(driver, most);
        } catch (DiskException e) {
            return List.of("a request failed: " + e);
        }
    }

    private List<String> run(DiskDriver driver, int most) throws DiskException {
        scene.prepare(before);
        MemoryHostDirectory played = before.copy();
        scene.clock(order::size);
        scene.play(driver, new WrappingHostDirectory<>(played, Ordered::new));
        List<String> damage = new ArrayList<>(scene.conclude(played));
        List<Event> events = events();
        for (int cut = 0; cut <= events.size() && damage.size() < most; cut++) {
            if (isWorthIt(events, cut)) {
                for (int part = 0; part < PARTS; part++) {
                    look(events, cut, part, damage);
                }
            }
        }
        return damage;
    }

    /** Near a flush or a change of the header there is most to lose; elsewhere now and then. */
    private boolean isWorthIt(List<Event> events, int cut) {
        boolean header = false;
        for (int i = Math.max(0, cut - 2); i < Math.min(events.size(), cut + 2); i++) {
            HostEvent change = events.get(i).change();
            header |= change.kind() == HostEvent.Kind.WRITE && change.hostOffset() < StructureScene.SMALL_CLUSTER;
        }
        return header || cut % scene.patience() == 0;
    }

    private void look(List<Event> events, int cut, int part, List<String> damage) throws DiskException {
        MemoryHostDirectory after = cut(events, cut, part);
        String when = "cut after " + cut + " of " + events.size() + " events: ";
        for (String name : after.fileNames()) {
            audit(after, name).ifPresent(finding -> damage.add(AUDITOR + " " + when + finding));
        }
        scene.compare(after, cut).ifPresent(wrong -> damage.add(when + wrong));
        scene.inspect(after).forEach(wrong -> damage.add(when + wrong));
    }

    private static Optional<Finding> audit(MemoryHostDirectory after, String name) throws DiskException {
        try (HostFile file = after.open(name, Access.READ_ONLY)) {
            ByteBuffer magic = ByteBuffer.allocate(4);
            file.readZeroPadded(0, magic);
            if (magic.getInt(0) != 0x514649fb) {
                return Optional.empty();
            }
            return new Auditor(EVERYTHING)
                    .audit(file).findings().stream()
                            .filter(finding ->
                                    finding.kind() == Finding.Kind.CORRUPTION || finding.kind() == Finding.Kind.BREACH)
                            .filter(finding -> !FLAGS.contains(finding.clause().id()))
                            .findFirst();
        }
    }

    /** Of what is not flushed: all, the newest, all but the oldest, or some. */
    private boolean survives(int part, boolean newest, boolean oldest) {
        return switch (part) {
            case 0 -> true;
            case 1 -> newest;
            case 2 -> !oldest;
            default -> random.nextBoolean();
        };
    }

    private MemoryHostDirectory cut(List<Event> events, int cut, int part) throws DiskException {
        Map<String, Integer> safe = new HashMap<>();
        for (int i = 0; i < cut; i++) {
            if (events.get(i).change().kind() == HostEvent.Kind.FLUSH) {
                safe.put(events.get(i).file(), i);
            }
        }
        MemoryHostDirectory after = before.copy();
        Map<String, HostFile> files = new HashMap<>();
        for (String name : after.fileNames()) {
            files.put(name, after.open(name, Access.READ_WRITE));
        }
        for (int i = 0; i < cut; i++) {
            Event event = events.get(i);
            int last = safe.getOrDefault(event.file(), -1);
            boolean survives = i < last || survives(part, i == cut - 1, i == last + 1);
            HostFile file = files.get(event.file());
            if (survives && file != null) {
                event.change().applyTo(file);
            }
        }
        for (HostFile file : files.values()) {
            file.close();
        }
        return after;
    }

    /** Events of all files in the order in which they happened. */
    private List<Event> events() {
        Map<RecordingHostFile, List<HostEvent>> journals = new HashMap<>();
        Map<RecordingHostFile, Integer> used = new HashMap<>();
        List<Event> events = new ArrayList<>();
        for (RecordingHostFile file : order) {
            int index = used.merge(file, 1, Integer::sum) - 1;
            events.add(new Event(
                    file.name(),
                    journals.computeIfAbsent(file, RecordingHostFile::events).get(index)));
        }
        return events;
    }

    /** Tells the order of events among several files. */
    private final class Ordered extends ForwardingHostFile {

        private final RecordingHostFile journal;

        private Ordered(HostFile target) {
            this(new RecordingHostFile(target));
        }

        private Ordered(RecordingHostFile journal) {
            super(journal);
            this.journal = journal;
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            super.write(hostOffset, from);
            order.add(journal);
        }

        @Override
        public boolean zero(long hostOffset, long length) throws DiskException {
            boolean done = super.zero(hostOffset, length);
            if (done) {
                order.add(journal);
            }
            return done;
        }

        @Override
        public boolean punchHole(long hostOffset, long length) throws DiskException {
            boolean done = super.punchHole(hostOffset, length);
            if (done) {
                order.add(journal);
            }
            return done;
        }

        @Override
        public void truncate(long size) throws DiskException {
            super.truncate(size);
            order.add(journal);
        }

        @Override
        public void flush() throws DiskException {
            super.flush();
            order.add(journal);
        }
    }
}
