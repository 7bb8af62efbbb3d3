package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.spec.audit.AuditReport;
import dev.qcow2.spec.audit.Auditor;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/** What tests do with images again and again. */
final class Images {

    static final OpenOptions WRITE = OpenOptions.readWrite().followingBacking();

    private Images() {}

    static byte[] readAll(VirtualDisk disk) throws DiskException {
        byte[] bytes = new byte[(int) disk.size()];
        Arrays.fill(bytes, (byte) 0xaa);
        disk.read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    static AuditReport audit(HostDirectory directory, String name) throws DiskException {
        try (HostFile file = directory.open(name, Access.READ_ONLY)) {
            return new Auditor().audit(file);
        }
    }

    static void assertClean(HostDirectory directory, String name) throws DiskException {
        AuditReport report = audit(directory, name);
        assertThat(report.clean()).as(report.toText()).isTrue();
    }

    static byte[] bytes(HostDirectory directory, String name, long offset, int length) throws DiskException {
        byte[] bytes = new byte[length];
        try (HostFile file = directory.open(name, Access.READ_ONLY)) {
            file.readZeroPadded(offset, ByteBuffer.wrap(bytes));
        }
        return bytes;
    }

    static void poke(HostDirectory directory, String name, long offset, byte... bytes) throws DiskException {
        try (HostFile file = directory.open(name, Access.READ_WRITE)) {
            file.write(offset, ByteBuffer.wrap(bytes));
        }
    }

    /** Does random requests of some kinds to a disk of version 3, and to an array. */
    static void change(VirtualDisk disk, byte[] model, int clusterSize, int seed, Action.Kind... kinds)
            throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 50; i++) {
            Action action = new Action(
                            kinds[random.nextInt(kinds.length)],
                            random.nextInt(model.length),
                            random.nextInt(random.nextBoolean() ? 5_000 : 300_000),
                            (byte) (seed * 60 + i))
                    .inside(model.length, clusterSize);
            action.applyTo(disk);
            action.applyTo(model, clusterSize, true);
        }
    }

    static byte[] filled(int length, int fill) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) fill);
        return bytes;
    }

    /** A directory whose file of one name is wrapped when it is opened. */
    static HostDirectory wrapping(MemoryHostDirectory directory, String name, UnaryOperator<HostFile> wrapper) {
        return new HostDirectory() {
            @Override
            public HostFile open(String fileName, Access access) throws DiskException {
                HostFile file = directory.open(fileName, access);
                return fileName.equals(name) ? wrapper.apply(file) : file;
            }

            @Override
            public HostFile create(String fileName) {
                return directory.create(fileName);
            }

            @Override
            public String resolve(String imageName, String reference) {
                return directory.resolve(imageName, reference);
            }

            @Override
            public Object identity(String fileName) {
                return directory.identity(fileName);
            }
        };
    }
}
