package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** The power goes at any moment, and any writes since the host's last flush are lost: only leaks remain. */
class PowerCutTest {

    private static final int SIZE = 60_000;

    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-HDR-22, QC-GUEST-06, QC-GUEST-11, QC-GUEST-12, QC-REF-12 to 15, QC-L2-13, QC-L1-05: after a power cut")
    void onlyLeaks(
            @ForAll long seed,
            @ForAll @IntRange(max = 2047) int switches,
            @ForAll @IntRange(max = 10) int width,
            @ForAll boolean zeroing,
            @ForAll boolean lazy,
            @ForAll boolean extended)
            throws IOException {
        // Wide counts more often: their blocks are soon full, so new ones are needed.
        int refcountOrder = Math.min(6, width);
        SplittableRandom random = new SplittableRandom(seed);
        MemoryHostDirectory directory = new MemoryHostDirectory(zeroing);
        OptimizedDriver driver = new OptimizedDriver(OptimizedOptions.of(switches));
        int clusterBits = extended ? 14 : random.nextInt(3) == 0 ? 12 : 9;
        FormatFeatures base = extended ? FormatFeatures.PLAIN.withExtendedL2() : FormatFeatures.PLAIN;
        FormatFeatures features = lazy ? base.withLazyRefcounts() : base;
        driver.create(
                directory, "disk", new CreateOptions(SIZE, 3, clusterBits, refcountOrder, Optional.empty(), features));
        if (refcountOrder > 0 && random.nextBoolean()) {
            shareSome(directory, driver);
        }
        MemoryHostDirectory before = directory.copy();
        History history = new History(directory, before, driver);
        history.run(random, 1 << clusterBits);
        for (int i = 0; i < 30; i++) {
            history.cut(random);
        }
    }

    /** A snapshot whose clusters and tables the active tree shares, so that writes copy tables too. */
    private static void shareSome(MemoryHostDirectory directory, OptimizedDriver driver) throws IOException {
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(3000, ByteBuffer.wrap(Images.filled(30_000, 0x77)));
            disk.createSnapshot("before");
        }
    }

    /** What happened to the file, and what the guest saw meanwhile. */
    private static final class History {
        private final MemoryHostDirectory directory;
        private final MemoryHostDirectory before;
        private final OptimizedDriver driver;
        private final List<byte[]> states = new ArrayList<>();
        /** For each state the number of host events when its request was over. */
        private final List<Integer> eventsAt = new ArrayList<>();

        private final List<Integer> flushedStates = new ArrayList<>();
        private List<HostEvent> events = List.of();

        History(MemoryHostDirectory directory, MemoryHostDirectory before, OptimizedDriver driver) {
            this.directory = directory;
            this.before = before;
            this.driver = driver;
        }

        void run(SplittableRandom random, int clusterSize) throws IOException {
            List<RecordingHostFile> files = new ArrayList<>();
            VirtualDisk disk = driver.open(
                    Images.wrapping(directory, "disk", file -> {
                        files.add(new RecordingHostFile(file));
                        return files.get(0);
                    }),
                    "disk",
                    Images.WRITE);
            byte[] model = Images.readAll(disk);
            keep(model, 0, true);
            for (int i = 0; i < 40; i++) {
                Action action = new Action(
                                Action.Kind.any(random),
                                random.nextInt(SIZE),
                                random.nextInt(random.nextBoolean() ? 900 : 20_000),
                                (byte) (i + 1))
                        .inside(SIZE, clusterSize);
                action.applyTo(disk);
                action.applyTo(model, clusterSize, true);
                keep(model, files.get(0).events().size(), action.kind() == Action.Kind.FLUSH);
            }
            events = files.get(0).events();
            disk.close();
        }

        private void keep(byte[] model, int eventCount, boolean flushed) {
            states.add(model.clone());
            eventsAt.add(eventCount);
            if (flushed) {
                flushedStates.add(states.size() - 1);
            }
        }

        void cut(SplittableRandom random) throws IOException {
            int cut = random.nextInt(events.size() + 1);
            // The moment before a flush has most to lose.
            while (random.nextInt(4) > 0
                    && cut < events.size()
                    && events.get(cut).kind() != HostEvent.Kind.FLUSH) {
                cut++;
            }
            MemoryHostDirectory after = before.copy();
            try (HostFile file = after.open("disk", Access.READ_WRITE)) {
                replay(file, cut, random);
            }
            boolean dirty = (Images.bytes(after, "disk", 79, 1)[0] & 1) != 0;
            AuditReport report = Images.audit(after, "disk");
            assertThat(dirty || report.sound())
                    .as("cut at %d%n%s", cut, report.toText())
                    .isTrue();
            if (dirty) {
                try (VirtualDisk disk = driver.open(after, "disk", OpenOptions.readOnly())) {
                    check(Images.readAll(disk), cut);
                }
            }
            try (VirtualDisk disk =
                    driver.open(after, "disk", OpenOptions.readWrite().repairingDirty())) {
                check(Images.readAll(disk), cut);
            }
            assertThat(!dirty || Images.audit(after, "disk").clean()).isTrue();
        }

        private void replay(HostFile file, int cut, SplittableRandom random) throws DiskException {
            int safe = cut;
            while (safe > 0 && events.get(safe - 1).kind() != HostEvent.Kind.FLUSH) {
                safe--;
            }
            for (int i = 0; i < safe; i++) {
                events.get(i).applyTo(file);
            }
            int chance = random.nextInt(5);
            for (int i = safe; i < cut; i++) {
                if (random.nextInt(4) < chance) {
                    events.get(i).applyTo(file);
                } else if (events.get(i).kind() == HostEvent.Kind.WRITE && random.nextBoolean()) {
                    tear(events.get(i), file, random);
                }
            }
        }

        /** A part of a write: sectors are written as a whole or not. */
        private static void tear(HostEvent event, HostFile file, SplittableRandom random) throws DiskException {
            ByteBuffer data = event.data();
            for (long at = event.hostOffset(); data.hasRemaining(); ) {
                int step = (int) Math.min(data.remaining(), 512 - at % 512);
                ByteBuffer sector = data.slice(data.position(), step);
                if (random.nextBoolean()) {
                    file.write(at, sector);
                }
                data.position(data.position() + step);
                at += step;
            }
        }

        /** Each byte is as it was at the last guest flush that was over, or as some request since then left it. */
        private void check(byte[] found, int cut) {
            int first = 0;
            for (int state : flushedStates) {
                if (eventsAt.get(state) <= cut) {
                    first = state;
                }
            }
            for (int at = 0; at < SIZE; at++) {
                assertThat(isExplained(found[at], at, first, cut))
                        .as(
                                "cut at %d: byte %d is %d, at the flush it was %d",
                                cut, at, found[at], states.get(first)[at])
                        .isTrue();
            }
        }

        private boolean isExplained(byte found, int at, int first, int cut) {
            for (int state = first; state < states.size(); state++) {
                if (states.get(state)[at] == found) {
                    return true;
                }
                if (eventsAt.get(state) > cut) {
                    return false;
                }
            }
            return false;
        }
    }
}
