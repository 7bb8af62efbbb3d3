package dev.qcow2.reference;

import dev.qcow2.reference.ImageOpener.Opened;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.EventSource;
import dev.qcow2.spec.trace.ImageObserver;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** The front door of the reference implementation. */
public final class ReferenceDriver implements MaintenanceDriver {

    private final InstantSource clock;
    private final PlanObserver observer;
    private final Random random;
    private final EventSource events;

    /** Makes a driver that takes the time from the system, and whose plans nobody watches. */
    public ReferenceDriver() {
        this(InstantSource.system(), (plan, step) -> {}, new SecureRandom());
    }

    /**
     * Makes a driver.
     *
     * @param clock tells the time of new snapshots
     * @param observer watches the plans of the disks that are opened
     */
    public ReferenceDriver(InstantSource clock, PlanObserver observer) {
        this(clock, observer, new SecureRandom());
    }

    /**
     * Makes a driver.
     *
     * @param clock tells the time of new snapshots
     * @param observer watches the plans of the disks that are opened
     * @param random where the keys of new encrypted images come from; must be hard to guess outside tests
     */
    public ReferenceDriver(InstantSource clock, PlanObserver observer, Random random) {
        this(clock, observer, random, EventSource.SILENT);
    }

    private ReferenceDriver(InstantSource clock, PlanObserver observer, Random random, EventSource events) {
        this.clock = clock;
        this.observer = observer;
        this.random = random;
        this.events = events;
    }

    /**
     * Makes a driver that takes the time from the system, and tells what it does.
     *
     * @param events chooses who hears what is done to an image
     * @return the driver
     */
    public static ReferenceDriver tracing(EventSource events) {
        return new ReferenceDriver(InstantSource.system(), (plan, step) -> {}, new SecureRandom(), events);
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        Preallocation preallocation = options.features().preallocation();
        if (preallocation != Preallocation.OFF && options.backing().isPresent()) {
            throw new RequestRefusedException(
                    fileName, MaintenanceClause.QC_MNT_06, "preallocated clusters would hide the backing file");
        }
        new ImageCreator(fileName, options, random).create(directory);
        if (preallocation != Preallocation.OFF) {
            OpenOptions.Secrets secrets =
                    name -> options.features().encryption().map(Encryption::passphrase);
            OpenOptions writable = OpenOptions.readWrite().followingDataFile().withSecrets(secrets);
            Opened opened = new ImageOpener(directory, writable, clock, observer).openChain(fileName);
            try (Resolver resolver = opened.resolver()) {
                ImageWriter writer = new ImageWriter(opened.image(), resolver, observer);
                new Preallocator(opened.image(), writer).preallocate(0, options.size(), preallocation);
                opened.image().flush();
            }
        }
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        EventSink sink = events.sinkFor(directory, fileName);
        return sink == null
                ? new ImageOpener(directory, options, clock, observer).open(fileName)
                : openTraced(directory, fileName, options, sink);
    }

    private VirtualDisk openTraced(HostDirectory directory, String fileName, OpenOptions options, EventSink sink)
            throws DiskException {
        List<HostFile> image = new ArrayList<>();
        WrappingHostDirectory<HostFile> watched = new WrappingHostDirectory<>(directory, file -> {
            if (file.name().equals(fileName)) {
                image.add(file);
            }
            return file;
        });
        PlanTracer tracer = new PlanTracer(sink);
        VirtualDisk disk = new ImageOpener(watched, options, clock, tracer).open(fileName);
        HostFile file = image.get(0);
        Header header = Image.of(file).header();
        if ((header.incompatible() & FeatureBits.DATA_FILE) != 0) {
            // Of data files no model speaks.
            return disk;
        }
        ImageObserver.description(file).forEach(sink::event);
        tracer.watch(header.geometry());
        return new TracedDisk(disk, file, tracer, sink);
    }

    @Override
    public RepairReport repair(HostDirectory directory, String fileName, RepairMode mode, OpenOptions options)
            throws DiskException {
        try (HostFile file = directory.open(fileName, Access.READ_WRITE)) {
            Image image = Image.of(file);
            FeatureBits.requireSupported(file, image.header(), options.withAccess(Access.READ_ONLY));
            return new Repair(image, observer).run(mode);
        }
    }

    @Override
    public void commit(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        OpenOptions writable = options.withAccess(Access.READ_WRITE);
        Opened overlay = new ImageOpener(directory, writable, clock, observer).openChain(fileName);
        try (Resolver resolver = overlay.resolver()) {
            BackingChanger changer = new BackingChanger(overlay.image(), resolver, observer);
            changer.requireCommittable();
            Header header = overlay.image().header();
            String name =
                    HeaderExtension.text(overlay.image().read(header.backingNameOffset(), header.backingNameLength()));
            String target = directory.resolve(fileName, name);
            if (resolver.backing().filter(Layer.Raw.class::isInstance).isPresent()) {
                try (HostFile file = directory.open(target, Access.READ_WRITE)) {
                    changer.commitTo(file);
                }
            } else {
                try (VirtualDisk disk = open(directory, target, writable)) {
                    changer.commitTo(disk);
                }
            }
        }
    }

    @Override
    public void rebase(
            HostDirectory directory, String fileName, Optional<Backing> backing, RebaseMode mode, OpenOptions options)
            throws DiskException {
        OpenOptions writable = options.withAccess(Access.READ_WRITE);
        ImageOpener opener = new ImageOpener(directory, writable, clock, observer);
        boolean safe = mode == RebaseMode.SAFE;
        Opened opened = safe ? opener.openChain(fileName) : opener.openAlone(fileName);
        try (Resolver resolver = opened.resolver()) {
            BackingChanger changer = new BackingChanger(opened.image(), resolver, observer);
            if (safe && backing.isPresent()) {
                ImageOpener other = new ImageOpener(directory, writable, clock, observer);
                try (Layer layer = other.openOther(fileName, backing.get()).orElseThrow()) {
                    changer.keepBytesOver(Optional.of(layer));
                }
            } else if (safe) {
                changer.keepBytesOver(Optional.empty());
            }
            changer.rename(backing);
        }
    }

    @Override
    public void amend(HostDirectory directory, String fileName, AmendOptions changes, OpenOptions options)
            throws DiskException {
        OpenOptions writable = options.withAccess(Access.READ_WRITE);
        Opened opened = new ImageOpener(directory, writable, clock, observer).openAlone(fileName);
        try (Resolver resolver = opened.resolver()) {
            Image image = opened.image();
            Optional<Plan> keys = changes.keys().isPresent()
                    ? Optional.of(KeyAmender.plan(
                            image, writable.secrets(), changes.keys().get(), random))
                    : Optional.empty();
            new Amender(image, resolver, observer).amend(changes);
            if (keys.isPresent()) {
                new ImageWriter(image, resolver, observer).apply(keys.get());
            }
        }
    }
}
