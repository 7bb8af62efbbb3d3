package dev.qcow2.conformance.bench;

import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.BlockStatus;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory.Caching;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * An implementation of ours, in this process. Like QEMU beside it, it works through the page cache or
 * past it; its flushes reach the page cache only, so that the always-copying one, which orders its
 * writes by flushing, is not charged for the device.
 */
final class DiskContender implements Contender {

    private final String name;
    private final DiskDriver driver;
    private final boolean audits;
    private final Caching caching;
    private final UnaryOperator<HostDirectory> wrapper;

    DiskContender(String name, DiskDriver driver, boolean audits, Caching caching) {
        this(name, driver, audits, caching, UnaryOperator.identity());
    }

    /** The wrapper stands between implementation and files, to count. */
    DiskContender(
            String name, DiskDriver driver, boolean audits, Caching caching, UnaryOperator<HostDirectory> wrapper) {
        this.name = name;
        this.driver = driver;
        this.audits = audits;
        this.caching = caching;
        this.wrapper = wrapper;
    }

    /** Returns the same contender on another door to the host. */
    DiskContender through(UnaryOperator<HostDirectory> otherWrapper) {
        return new DiskContender(name, driver, audits, caching, otherWrapper);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean canRun(Workload workload) {
        // The auditor belongs to the spec: it is measured once, under the optimized one's name.
        return workload.kind() != Workload.Kind.HEAP && (workload.kind() != Workload.Kind.AUDIT || audits);
    }

    @Override
    public double run(Workload workload, Path directory) throws IOException {
        HostDirectory files = wrapper.apply(new RealHostDirectory(directory, Durability.NONE, caching));
        return switch (workload.kind()) {
            case AUDIT -> audit(files);
            case OPEN -> open(files);
            case READ_COLD -> {
                PageCache.drop(directory.resolve(Preparation.IMAGE));
                yield requests(workload, files);
            }
            case WRITE, READ, DISCARD, STATUS -> requests(workload, files);
            case HEAP -> throw new IllegalArgumentException("this runs in a JVM of its own");
        };
    }

    private static double audit(HostDirectory files) throws DiskException {
        try (HostFile file = files.open(Preparation.IMAGE, OpenOptions.Access.READ_ONLY)) {
            long start = System.nanoTime();
            var report = new Auditor().audit(file);
            double seconds = (System.nanoTime() - start) / 1e9;
            if (!report.clean()) {
                throw new IllegalStateException("the prepared image does not audit clean");
            }
            return seconds;
        }
    }

    private double open(HostDirectory files) throws DiskException {
        long start = System.nanoTime();
        openDisk(files, false).close();
        return (System.nanoTime() - start) / 1e9;
    }

    private double requests(Workload workload, HostDirectory files) throws IOException {
        try (VirtualDisk disk = openDisk(files, workload.kind().changes())) {
            if (workload.kind() == Workload.Kind.STATUS) {
                long start = System.nanoTime();
                List<BlockStatus> extents = disk.status(0, disk.size());
                double seconds = (System.nanoTime() - start) / 1e9;
                if (extents.isEmpty()) {
                    throw new IllegalStateException("no block status");
                }
                return seconds;
            }
            return RequestLoop.run(workload, request(workload, disk));
        }
    }

    private VirtualDisk openDisk(HostDirectory files, boolean writable) throws DiskException {
        OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
        return driver.open(files, Preparation.IMAGE, options.followingBacking());
    }

    private static RequestLoop.Request request(Workload workload, VirtualDisk disk) {
        return switch (workload.kind()) {
            case WRITE -> disk::write;
            case READ, READ_COLD -> disk::read;
            case DISCARD -> (offset, buffer) -> disk.discard(offset, workload.requestSize());
            case AUDIT, STATUS, OPEN, HEAP -> throw new IllegalArgumentException("not a guest request");
        };
    }
}
