package dev.qcow2.optimized;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.time.Clock;

/** The fast implementation: writes only what must be written, and keeps metadata in memory between flushes. */
public final class OptimizedDriver implements DiskDriver {

    private final OptimizedOptions options;
    private final Clock clock;

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
        this.options = options;
        this.clock = clock;
    }

    @Override
    public String name() {
        return "optimized";
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions createOptions) throws DiskException {
        ImageCreator.create(directory, fileName, createOptions);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions openOptions) throws DiskException {
        return new ChainOpener(directory, openOptions, options, clock).openDisk(fileName);
    }
}
