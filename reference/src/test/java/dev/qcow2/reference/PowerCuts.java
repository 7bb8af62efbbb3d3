package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.ForwardingHostFile;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Does something once, and then shows every state that a power cut could have left, over all files together. */
final class PowerCuts {

    /** What is done. */
    @FunctionalInterface
    interface Action {
        void perform(HostDirectory directory) throws DiskException;
    }

    /** What must hold after a cut. */
    @FunctionalInterface
    interface Check {
        void check(MemoryHostDirectory after, String when) throws DiskException;
    }

    private record Change(String fileName, HostEvent event) {}

    private PowerCuts() {}

    /**
     * Cuts after each change, once with everything before the cut on disk, and once with a random part of what was not
     * flushed lost.
     *
     * @return how many changes there were
     */
    static int forEach(MemoryHostDirectory before, Action action, Check check) throws DiskException {
        List<Change> changes = new ArrayList<>();
        action.perform(new Journal(before.copy(), changes));
        Random random = new Random(changes.size());
        for (int cut = 0; cut <= changes.size(); cut++) {
            for (boolean lossy : new boolean[] {false, true}) {
                MemoryHostDirectory after = before.copy();
                for (int i = 0; i < cut; i++) {
                    Change change = changes.get(i);
                    if (!lossy || random.nextBoolean() || flushed(changes, i, cut)) {
                        try (HostFile file = after.open(change.fileName(), Access.READ_WRITE)) {
                            change.event().applyTo(file);
                        }
                    }
                }
                check.check(after, "cut after " + cut + " of " + changes.size() + (lossy ? ", with losses" : ""));
            }
        }
        return changes.size();
    }

    private static boolean flushed(List<Change> changes, int index, int cut) {
        String fileName = changes.get(index).fileName();
        return changes.subList(index, cut).stream()
                .anyMatch(c -> c.fileName().equals(fileName) && c.event().kind() == HostEvent.Kind.FLUSH);
    }

    /** A directory whose files write down their changes in one list. */
    private record Journal(MemoryHostDirectory target, List<Change> changes) implements HostDirectory {

        @Override
        public HostFile open(String fileName, Access access) throws DiskException {
            return new JournalFile(fileName, new RecordingHostFile(target.open(fileName, access)), changes);
        }

        @Override
        public HostFile create(String fileName) {
            throw new UnsupportedOperationException("no file is created under power cuts");
        }

        @Override
        public String resolve(String imageName, String reference) {
            return target.resolve(imageName, reference);
        }

        @Override
        public Object identity(String fileName) {
            return target.identity(fileName);
        }
    }

    private static final class JournalFile extends ForwardingHostFile {

        private final String fileName;
        private final RecordingHostFile recorder;
        private final List<Change> changes;
        private int seen;

        JournalFile(String fileName, RecordingHostFile recorder, List<Change> changes) {
            super(recorder);
            this.fileName = fileName;
            this.recorder = recorder;
            this.changes = changes;
        }

        private void note() {
            List<HostEvent> events = recorder.events();
            events.subList(seen, events.size()).forEach(e -> changes.add(new Change(fileName, e)));
            seen = events.size();
        }

        @Override
        public void write(long hostOffset, ByteBuffer from) throws DiskException {
            super.write(hostOffset, from);
            note();
        }

        @Override
        public boolean zero(long hostOffset, long length) throws DiskException {
            boolean done = super.zero(hostOffset, length);
            note();
            return done;
        }

        @Override
        public boolean punchHole(long hostOffset, long length) throws DiskException {
            boolean done = super.punchHole(hostOffset, length);
            note();
            return done;
        }

        @Override
        public void truncate(long size) throws DiskException {
            super.truncate(size);
            note();
        }

        @Override
        public void flush() throws DiskException {
            super.flush();
            note();
        }
    }
}
