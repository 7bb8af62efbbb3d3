package dev.qcow2.conformance.bench;

import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory.Caching;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A sparse raw file through the same door: the limit that no image format can pass. */
final class RawContender implements Contender {

    private final Caching caching;

    RawContender(Caching caching) {
        this.caching = caching;
    }

    @Override
    public String name() {
        return "raw";
    }

    @Override
    public boolean canRun(Workload workload) {
        return switch (workload.kind()) {
            case WRITE, READ, READ_COLD -> true;
            case DISCARD, AUDIT, STATUS, OPEN, HEAP -> false;
        };
    }

    @Override
    public boolean needsImage() {
        return false;
    }

    @Override
    public double run(Workload workload, Path directory) throws IOException {
        boolean full = isFull(workload);
        String name = fileName(workload);
        Path path = directory.resolve(name);
        RealHostDirectory files = new RealHostDirectory(directory, Durability.NONE, caching);
        if (!full || !Files.exists(path) || Files.size(path) != workload.diskSize()) {
            make(files, name, workload.diskSize(), full);
        }
        if (workload.kind() == Workload.Kind.READ_COLD) {
            PageCache.drop(path);
        }
        try (HostFile file = files.open(name, Access.READ_WRITE)) {
            RequestLoop.Request request = workload.kind() == Workload.Kind.WRITE ? file::write : file::read;
            return RequestLoop.run(workload, request);
        }
    }

    /** Names the file that a workload meets; a full one is kept for the next run. */
    static String fileName(Workload workload) {
        return isFull(workload) ? "full.img" : "sparse.img";
    }

    /** Where images have data everywhere the raw file has, too: holes are quicker to read, and slower to write. */
    private static boolean isFull(Workload workload) {
        return switch (workload.preparation()) {
            case DATA, CHAIN_OF_8, COMPRESSED, SNAPSHOT -> true;
            case ZERO_PLAIN,
                    ZERO_ALLOCATED,
                    UNALLOCATED,
                    ZERO_BACKING,
                    DATA_BACKING,
                    SUBCLUSTERS_ZERO,
                    SUBCLUSTERS_OVER_DATA,
                    FRAGMENTED_1M -> false;
        };
    }

    private static void make(RealHostDirectory files, String name, long size, boolean full) throws IOException {
        try (HostFile file = files.create(name)) {
            file.truncate(size);
            if (full) {
                ByteBuffer data = ByteBuffer.allocateDirect(1 << 20);
                while (data.hasRemaining()) {
                    data.put((byte) 0x5a);
                }
                for (long at = 0; at < size; at += data.capacity()) {
                    data.clear().limit((int) Math.min(data.capacity(), size - at));
                    file.write(at, data);
                }
            }
        }
    }
}
