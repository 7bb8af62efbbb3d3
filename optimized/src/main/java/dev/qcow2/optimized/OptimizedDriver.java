package dev.qcow2.optimized;

import static dev.qcow2.spec.clause.MaintenanceClause.QC_MNT_06;

import dev.qcow2.spec.disk.AmendOptions;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.Backing;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.RepairReport;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.trace.EventSource;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Optional;
import java.util.Random;

/** The fast implementation: writes only what must be written, and keeps metadata in memory between flushes. */
public final class OptimizedDriver implements MaintenanceDriver {

    private final OptimizedOptions options;
    private final Clock clock;
    private final Random random;
    private final EventSource events;

    /** Makes a driver with every optimisation on. */
    public OptimizedDriver() {
        this(OptimizedOptions.allOn());
    }

    /**
     * Makes a driver with some optimisations.
     *
     * @param options which of them are on
     */
    public OptimizedDriver(OptimizedOptions options) {
        this(options, Clock.systemUTC());
    }

    /**
     * Makes a driver with a clock of the caller's, which dates new snapshots.
     *
     * @param options which optimisations are on
     * @param clock the time
     */
    public OptimizedDriver(OptimizedOptions options, Clock clock) {
        this(options, clock, new SecureRandom());
    }

    /**
     * Makes a driver with a clock and randomness of the caller's.
     *
     * @param options which optimisations are on
     * @param clock the time, which dates new snapshots
     * @param random makes keys and salts of new encrypted images (QC-CRY-18); to be a secure one but for tests
     */
    public OptimizedDriver(OptimizedOptions options, Clock clock, Random random) {
        this(options, clock, random, EventSource.SILENT);
    }

    private OptimizedDriver(OptimizedOptions options, Clock clock, Random random, EventSource events) {
        this.options = options;
        this.clock = clock;
        this.random = random;
        this.events = events;
    }

    /**
     * Makes a driver that tells what it does to the disks that it opens. Those serve one change at a time, for a trace has
     * no words for requests that overlap.
     *
     * @param options which optimisations are on
     * @param events chooses who hears what is done to an image
     * @return the driver
     */
    public static OptimizedDriver tracing(OptimizedOptions options, EventSource events) {
        return new OptimizedDriver(options, Clock.systemUTC(), new SecureRandom(), events);
    }

    @Override
    public String name() {
        return "optimized";
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions createOptions) throws DiskException {
        Preallocation preallocation = createOptions.features().preallocation();
        if (preallocation != Preallocation.OFF && createOptions.backing().isPresent()) {
            throw new RequestRefusedException(fileName, QC_MNT_06, "preallocated clusters would hide the backing file");
        }
        ImageCreator.create(directory, fileName, createOptions, random);
        if (preallocation != Preallocation.OFF) {
            OpenOptions.Secrets secrets =
                    name -> createOptions.features().encryption().map(FormatFeatures.Encryption::passphrase);
            OpenOptions openOptions =
                    OpenOptions.readWrite().followingDataFile().withSecrets(secrets);
            try (OptimizedDisk disk = new ChainOpener(directory, openOptions, options, clock).openDisk(fileName)) {
                disk.preallocate(preallocation);
            }
        }
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions openOptions) throws DiskException {
        return new ChainOpener(directory, openOptions, options, clock).openTold(fileName, events);
    }

    @Override
    public RepairReport repair(HostDirectory directory, String fileName, RepairMode mode, OpenOptions openOptions)
            throws DiskException {
        return new Maintenance(directory, openOptions, options, clock).repair(fileName, mode);
    }

    @Override
    public void commit(HostDirectory directory, String fileName, OpenOptions openOptions) throws DiskException {
        new Maintenance(directory, openOptions, options, clock).commit(fileName);
    }

    @Override
    public void rebase(
            HostDirectory directory,
            String fileName,
            Optional<Backing> backing,
            RebaseMode mode,
            OpenOptions openOptions)
            throws DiskException {
        new Maintenance(directory, openOptions, options, clock).rebase(fileName, backing, mode);
    }

    @Override
    public void amend(HostDirectory directory, String fileName, AmendOptions changes, OpenOptions openOptions)
            throws DiskException {
        new Maintenance(directory, openOptions, options, clock).amend(fileName, changes, random);
    }
}
