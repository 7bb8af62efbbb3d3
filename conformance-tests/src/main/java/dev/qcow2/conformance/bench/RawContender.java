package dev.qcow2.conformance.bench;

import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A sparse raw file through the same door: the limit that no image format can pass. */
final class RawContender implements Contender {

    private static final String FILE = "raw.img";

    @Override
    public String name() {
        return "raw";
    }

    @Override
    public boolean canRun(Workload workload) {
        return switch (workload.kind()) {
            case WRITE, READ, READ_COLD -> true;
            case DISCARD, AUDIT, STATUS, OPEN -> false;
        };
    }

    @Override
    public boolean needsImage() {
        return false;
    }

    @Override
    public double run(Workload workload, Path directory) throws IOException {
        boolean full = workload.preparation() == Preparation.DATA;
        Path path = directory.resolve(FILE);
        RealHostDirectory files = new RealHostDirectory(directory, Durability.NONE);
        if (!full || !Files.exists(path) || Files.size(path) != workload.diskSize()) {
            make(files, workload.diskSize(), full);
        }
        if (workload.kind() == Workload.Kind.READ_COLD) {
            PageCache.drop(path);
        }
        try (HostFile file = files.open(FILE, Access.READ_WRITE)) {
            RequestLoop.Request request = workload.kind() == Workload.Kind.WRITE ? file::write : file::read;
            return RequestLoop.run(workload, request);
        }
    }

    private static void make(RealHostDirectory files, long size, boolean full) throws IOException {
        try (HostFile file = files.create(FILE)) {
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
