package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.clause.RefcountClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.BackingException;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.MaintenanceDriver.RebaseMode;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostEvent;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.host.RecordingHostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Commit, rebase and amend. */
class MaintenanceTest {

    private static final int MOST = 60_000;

    private final OptimizedDriver driver = new OptimizedDriver();
    private final MemoryHostDirectory directory = new MemoryHostDirectory();

    private static CreateOptions options(SplittableRandom random) {
        int version = random.nextInt(3) == 0 ? 2 : 3;
        int order = version == 2 ? 4 : random.nextInt(7);
        return new CreateOptions(random.nextInt(MOST), version, random.nextBoolean() ? 9 : 12, order, Optional.empty());
    }

    private static Optional<BackingFormat> format(SplittableRandom random) {
        return random.nextBoolean() ? Optional.of(BackingFormat.QCOW2) : Optional.empty();
    }

    private void fill(String name, CreateOptions options, SplittableRandom random) throws IOException {
        driver.create(directory, name, options);
        try (VirtualDisk disk = driver.open(directory, name, Images.WRITE)) {
            for (int i = 0; i < 8; i++) {
                new Action(Action.Kind.any(random), random.nextInt(MOST), random.nextInt(20_000), (byte)
                                random.nextInt(3))
                        .inside((int) options.size(), 1 << options.clusterBits())
                        .applyTo(disk);
            }
        }
    }

    private byte[] bytes(HostDirectory from, String name) throws DiskException {
        try (VirtualDisk disk = driver.open(from, name, OpenOptions.readOnly().followingBacking())) {
            return Images.readAll(disk);
        }
    }

    @Property(tries = 120, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-MNT-25, QC-MNT-26, QC-BACK-01: the guest reads the same after a safe rebase, and an unsafe one back")
    void rebase(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        fill("one", options(random), random);
        fill("two", options(random), random);
        fill("disk", options(random).withBacking("one", format(random)), random);
        byte[] before = bytes(directory, "disk");
        boolean alone = random.nextInt(3) == 0;
        Optional<Backing> two = alone ? Optional.empty() : Optional.of(new Backing("two", format(random)));
        driver.rebase(directory, "disk", two, RebaseMode.SAFE, Images.WRITE);
        assertThat(bytes(directory, "disk")).isEqualTo(before);
        Images.assertClean(directory, "disk");
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ImageHeader header = HeaderReader.read(file);
            assertThat(header.backingName()).isEqualTo(two.map(Backing::name));
            assertThat(header.backingFormat())
                    .isEqualTo(two.flatMap(Backing::format).map(BackingFormat::formatName));
        }
        driver.rebase(
                directory, "disk", Optional.of(new Backing("one", format(random))), RebaseMode.UNSAFE, Images.WRITE);
        driver.rebase(directory, "disk", two, RebaseMode.UNSAFE, Images.WRITE);
        assertThat(bytes(directory, "disk")).isEqualTo(before);
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName("QC-MNT-25, QC-SUB-05: a subcluster that reads the same over both backing files is left alone")
    void rebaseOfSubclusters() throws IOException {
        CreateOptions options =
                CreateOptions.ofSize(100_000).withClusterBits(14).withFeatures(FormatFeatures.PLAIN.withExtendedL2());
        driver.create(directory, "disk", options);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(5 << 9, ByteBuffer.wrap(Images.filled(512, 1)));
        }
        List<BlockStatus> before = status();
        driver.rebase(directory, "disk", Optional.empty(), RebaseMode.SAFE, Images.WRITE);
        assertThat(status()).isEqualTo(before);
    }

    private List<BlockStatus> status() throws DiskException {
        try (VirtualDisk disk = driver.open(directory, "disk", OpenOptions.readOnly())) {
            return disk.status(0, disk.size());
        }
    }

    @Property(tries = 120, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-MNT-21 to 23: after a commit the backing file reads as the overlay did, which holds nothing any more")
    void commit(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        boolean raw = random.nextBoolean();
        if (raw) {
            try (HostFile file = directory.create("base")) {
                file.write(0, ByteBuffer.wrap(Images.filled(random.nextInt(1, MOST), 3)));
            }
        } else {
            fill("base", options(random), random);
        }
        fill(
                "disk",
                options(random).withBacking("base", Optional.of(raw ? BackingFormat.RAW : BackingFormat.QCOW2)),
                random);
        byte[] before = bytes(directory, "disk");
        driver.commit(directory, "disk", Images.WRITE);
        assertThat(bytes(directory, "disk")).isEqualTo(before);
        Images.assertClean(directory, "disk");
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            assertThat(disk.status(0, disk.size())).noneMatch(extent -> extent.allocated() && extent.depth() == 0);
        }
        byte[] base = raw ? Images.bytes(directory, "base", 0, before.length) : bytes(directory, "base");
        assertThat(Arrays.copyOf(base, before.length)).isEqualTo(before);
    }

    @Test
    @DisplayName("QC-MNT-24, QC-BACK-04, QC-BACK-06: commits and rebases that can't be are refused")
    void refused() throws IOException {
        driver.create(directory, "base", CreateOptions.ofSize(10_000));
        driver.create(directory, "disk", CreateOptions.ofSize(10_000).withBacking("base", Optional.empty()));
        assertThatThrownBy(() -> driver.commit(directory, "disk", OpenOptions.readWrite()))
                .isInstanceOf(RequestRefusedException.class);
        assertThatThrownBy(() -> driver.commit(directory, "base", Images.WRITE))
                .isInstanceOf(RequestRefusedException.class);
        assertThatThrownBy(() -> driver.rebase(
                        directory,
                        "base",
                        Optional.of(new Backing("disk", Optional.empty())),
                        RebaseMode.SAFE,
                        Images.WRITE))
                .isInstanceOf(BackingException.class);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.createSnapshot("one");
        }
        assertThatThrownBy(() -> driver.commit(directory, "disk", Images.WRITE))
                .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                        .isEqualTo(MaintenanceClause.QC_MNT_24));
    }

    private static AmendOptions anyChange(SplittableRandom random) {
        AmendOptions changes = AmendOptions.NOTHING;
        if (random.nextBoolean()) {
            changes = changes.withVersion(random.nextInt(2, 4));
        }
        if (random.nextBoolean()) {
            changes = changes.withRefcountOrder(random.nextInt(7));
        }
        return random.nextBoolean() ? changes.withLazyRefcounts(random.nextBoolean()) : changes;
    }

    @Property(tries = 80, edgeCases = EdgeCasesMode.NONE)
    @Label("QC-MNT-17 to 20, QC-MNT-27 to 29: amended or refused as a whole, and sound wherever a power cut ends it")
    void amend(@ForAll long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        fill("base", options(random), random);
        CreateOptions plain = options(random);
        fill("disk", random.nextBoolean() ? plain.withBacking("base", format(random)) : plain, random);
        byte[] before = bytes(directory, "disk");
        for (int i = 0; i < 4; i++) {
            AmendOptions changes = anyChange(random);
            MemoryHostDirectory start = directory.copy();
            List<HostEvent> events = amendRecorded(changes);
            assertThat(bytes(directory, "disk")).isEqualTo(before);
            Images.assertClean(directory, "disk");
            assertSoundAtEachCut(start, events, changes, before, random);
        }
    }

    @Property(tries = 15, edgeCases = EdgeCasesMode.NONE)
    @Label(
            "QC-MNT-17, QC-MNT-19: zero clusters go, then the width, then the version: sound wherever a power cut ends it")
    void widthAndVersionAtOnce(@ForAll long seed, @ForAll @IntRange(max = 3) int order) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        fill("base", options(random), random);
        int size = random.nextInt(2000, MOST);
        CreateOptions plain = new CreateOptions(size, 3, random.nextBoolean() ? 9 : 12, order, Optional.empty());
        fill("disk", random.nextBoolean() ? plain.withBacking("base", format(random)) : plain, random);
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.writeZeroes(0, size / 2, ZeroMode.KEEP_ALLOCATION);
            // One more reference to everything does not fit one bit.
            if (order > 0) {
                disk.createSnapshot("one");
                disk.write(random.nextInt(size), ByteBuffer.wrap(new byte[] {1}));
            }
        }
        byte[] before = bytes(directory, "disk");
        AmendOptions down = AmendOptions.NOTHING.withVersion(2).withRefcountOrder(4);
        AmendOptions up = AmendOptions.NOTHING.withVersion(3).withRefcountOrder(order);
        for (AmendOptions changes : List.of(down, up)) {
            MemoryHostDirectory start = directory.copy();
            List<HostEvent> events = amendRecorded(changes);
            assertAmended(changes);
            Images.assertClean(directory, "disk");
            assertSoundAtEachCut(start, events, changes, before, random);
        }
    }

    /** Amends, or is refused with nothing written, and returns all that was done to the image. */
    private List<HostEvent> amendRecorded(AmendOptions changes) throws DiskException {
        // The image may be opened more than once, one time after the other.
        List<RecordingHostFile> files = new ArrayList<>();
        try {
            driver.amend(
                    Images.wrapping(directory, "disk", file -> {
                        files.add(new RecordingHostFile(file));
                        return files.get(files.size() - 1);
                    }),
                    "disk",
                    changes,
                    Images.WRITE);
            assertAmended(changes);
        } catch (RequestRefusedException e) {
            assertThat(files.get(files.size() - 1).events()).isEmpty();
        }
        return files.stream().flatMap(file -> file.events().stream()).toList();
    }

    private void assertSoundAtEachCut(
            MemoryHostDirectory start,
            List<HostEvent> events,
            AmendOptions changes,
            byte[] before,
            SplittableRandom random)
            throws DiskException {
        for (int cut = 0; cut <= events.size(); cut++) {
            MemoryHostDirectory after = start.copy();
            try (HostFile file = after.open("disk", Access.READ_WRITE)) {
                RepairTest.replay(events, cut, random, file);
            }
            AuditReport audit = Images.audit(after, "disk");
            assertThat(audit.sound())
                    .as("%s, cut at %d%n%s", changes, cut, audit.toText())
                    .isTrue();
            assertThat(bytes(after, "disk")).isEqualTo(before);
        }
    }

    private void assertAmended(AmendOptions changes) throws DiskException {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ImageHeader header = HeaderReader.read(file);
            changes.version().ifPresent(version -> assertThat(header.version()).isEqualTo(version));
            changes.refcountOrder()
                    .ifPresent(order -> assertThat(header.refcountOrder()).isEqualTo(order));
            changes.lazyRefcounts()
                    .ifPresent(lazy -> assertThat(header.compatible() & 1).isEqualTo(lazy ? 1 : 0));
        }
    }

    @Test
    @DisplayName("QC-MNT-19, QC-REF-11: a width in which a count does not fit is refused")
    void tooNarrow() throws IOException {
        driver.create(directory, "disk", CreateOptions.ofSize(100_000));
        try (VirtualDisk disk = driver.open(directory, "disk", Images.WRITE)) {
            disk.write(0, ByteBuffer.wrap(Images.filled(1000, 1)));
            disk.createSnapshot("one");
        }
        assertThatThrownBy(
                        () -> driver.amend(directory, "disk", AmendOptions.NOTHING.withRefcountOrder(0), Images.WRITE))
                .isInstanceOfSatisfying(RequestRefusedException.class, e -> assertThat(e.clause())
                        .isEqualTo(RefcountClause.QC_REF_11));
        driver.amend(directory, "disk", AmendOptions.NOTHING.withRefcountOrder(1), Images.WRITE);
        Images.assertClean(directory, "disk");
    }
}
