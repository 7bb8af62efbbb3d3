package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.audit.Finding;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Cuts the power under a sequence of requests: everything before the last flush is on the disk, of
 * what came after it any part. Then nothing may be wrong but leaks, and what the guest flushed and
 * did not touch again must be there.
 */
public final class PowerCuts {

    private static final String IMAGE = "image";
    private static final int SIZE = 70_000;

    /** A cut may leave a flag that its count no longer fits; that is repaired, and harmless until then. */
    private static final Set<String> FLAGS = Set.of("QC-L1-03", "QC-L2-03");

    private final DiskDriver driver;
    private final Random random;
    private final MemoryHostDirectory before;
    private final List<Mark> marks = new ArrayList<>();
    private final byte[] written = new byte[SIZE];
    private byte[] flushed = new byte[SIZE];
    private byte[] saved = new byte[SIZE];
    private BitSet touched = new BitSet(SIZE);

    /** What the guest may rely on from a point of the journal on. */
    private static final class Mark {
        final int events;
        final byte[] flushed;
        final BitSet touched;

        Mark(int events, byte[] flushed, BitSet touched) {
            this.events = events;
            this.flushed = flushed;
            this.touched = touched;
        }
    }

    private PowerCuts(DiskDriver driver, long seed) throws DiskException {
        this.driver = driver;
        this.random = new Random(seed);
        this.before = new MemoryHostDirectory(random.nextInt(4) > 0);
        int order = 1 + random.nextInt(6);
        driver.create(
                before, IMAGE, CreateOptions.ofSize(SIZE).withClusterBits(9).withRefcountOrder(order));
    }

    /**
     * Runs a sequence, and cuts it at many places.
     *
     * @param driver the implementation
     * @param seed decides the sequence and the cuts
     * @return what is wrong, one line for each cut that shows it; empty if all is well
     * @throws DiskException if a request of the sequence fails
     */
    public static List<String> damage(DiskDriver driver, long seed) throws DiskException {
        PowerCuts cuts = new PowerCuts(driver, seed);
        List<HostEvent> journal = cuts.play();
        List<String> damage = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            cuts.cut(journal, cuts.random.nextInt(journal.size() + 1)).forEach(damage::add);
        }
        return damage;
    }

    private List<HostEvent> play() throws DiskException {
        WrappingHostDirectory<RecordingHostFile> directory =
                new WrappingHostDirectory<>(before.copy(), RecordingHostFile::new);
        VirtualDisk disk = driver.open(directory, IMAGE, OpenOptions.readWrite());
        RecordingHostFile journal = directory.files().get(0);
        int snapshots = 0;
        for (int i = 0; i < 40; i++) {
            int from = random.nextInt(SIZE);
            int length = Math.min(SIZE - from, 1 + random.nextInt(random.nextBoolean() ? 400 : 3000));
            // The range is in doubt from before the request on until a flush has come back.
            touched.set(from, from + length);
            mark(journal);
            int kind = random.nextInt(10);
            if (kind < 5) {
                byte[] data = new byte[length];
                random.nextBytes(data);
                disk.write(from, ByteBuffer.wrap(data));
                System.arraycopy(data, 0, written, from, length);
            } else if (kind < 8) {
                disk.writeZeroes(from, length, kind == 5 ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP);
                Arrays.fill(written, from, from + length, (byte) 0);
            } else if (kind == 8) {
                disk.flush();
                flushed = written.clone();
                touched = new BitSet(SIZE);
            } else if (snapshots++ == 0) {
                disk.createSnapshot("kept");
                saved = written.clone();
            } else if (snapshots == 4) {
                // All of the disk is in doubt from here to the next flush.
                touched.set(0, SIZE);
                marks.get(marks.size() - 1).touched.set(0, SIZE);
                disk.applySnapshot("1");
                System.arraycopy(saved, 0, written, 0, SIZE);
            } else if (snapshots == 5) {
                disk.deleteSnapshot("1");
            }
            mark(journal);
        }
        // The power goes before the disk is closed.
        return journal.events();
    }

    private void mark(RecordingHostFile journal) {
        marks.add(new Mark(journal.events().size(), flushed, (BitSet) touched.clone()));
    }

    private List<String> cut(List<HostEvent> journal, int cut) throws DiskException {
        MemoryHostDirectory after = before.copy();
        int safe = cut;
        while (safe > 0 && journal.get(safe - 1).kind() != HostEvent.Kind.FLUSH) {
            safe--;
        }
        boolean all = random.nextInt(4) == 0;
        try (HostFile file = after.open(IMAGE, Access.READ_WRITE)) {
            for (int i = 0; i < cut; i++) {
                if (i < safe || all || random.nextBoolean()) {
                    journal.get(i).applyTo(file);
                }
            }
        }
        List<String> damage = new ArrayList<>();
        try (HostFile file = after.open(IMAGE, Access.READ_ONLY)) {
            for (Finding finding : new Auditor().audit(file).findings()) {
                boolean broken = finding.kind() == Finding.Kind.CORRUPTION || finding.kind() == Finding.Kind.BREACH;
                if (broken && !FLAGS.contains(finding.clause().id())) {
                    damage.add("cut after " + cut + " of " + journal.size() + " events: " + finding);
                }
            }
        }
        compare(after, cut).ifPresent(damage::add);
        if (all || cut % 3 == 0) {
            useOn(after, cut).ifPresent(damage::add);
        }
        return damage;
    }

    /** QC-SNAP-02: whoever goes on writing after the cut leaves a snapshot as it is, if it is there. */
    private Optional<String> useOn(MemoryHostDirectory after, int cut) throws DiskException {
        ByteBuffer found = ByteBuffer.allocate(SIZE);
        try (VirtualDisk disk = driver.open(after, IMAGE, OpenOptions.readWrite())) {
            if (disk.snapshots().isEmpty()) {
                return Optional.empty();
            }
            disk.write(0, ByteBuffer.wrap(new byte[SIZE / 2]));
            disk.applySnapshot("1");
            disk.read(0, found);
        } catch (RequestRefusedException e) {
            // Leaked counts may be full.
            return Optional.empty();
        } catch (DiskException e) {
            return Optional.of("cut after " + cut + " events, used again: " + e);
        }
        int at = Arrays.mismatch(found.array(), saved);
        return at < 0
                ? Optional.empty()
                : Optional.of("cut after " + cut + " events, used again: the snapshot has another byte at " + at);
    }

    private Optional<String> compare(MemoryHostDirectory after, int cut) throws DiskException {
        // A mark counts from the event on that it saw; ranges in doubt at the next one are in doubt here too.
        Mark last = new Mark(0, new byte[SIZE], new BitSet(SIZE));
        BitSet doubt = new BitSet(SIZE);
        for (Mark mark : marks) {
            if (mark.events <= cut) {
                last = mark;
                doubt = (BitSet) mark.touched.clone();
            }
        }
        ByteBuffer found = ByteBuffer.allocate(SIZE);
        try (VirtualDisk disk = driver.open(after, IMAGE, OpenOptions.readOnly())) {
            disk.read(0, found);
        } catch (DiskException e) {
            return Optional.of("cut after " + cut + " events: " + e);
        }
        for (int i = 0; i < SIZE; i++) {
            if (!doubt.get(i) && found.get(i) != last.flushed[i]) {
                return Optional.of("cut after " + cut + " events: flushed byte " + i + " is lost");
            }
        }
        return Optional.empty();
    }
}
