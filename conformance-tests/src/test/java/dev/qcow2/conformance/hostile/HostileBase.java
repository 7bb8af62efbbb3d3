package dev.qcow2.conformance.hostile;

import dev.qcow2.conformance.mutant.MutantDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.CreateOptions.BackingFormat;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostDirectory;
import dev.qcow2.spec.layout.ByteField;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A valid image with something of everything in it, to be spoilt in one place. It is made by neither
 * of the implementations that are judged.
 *
 * @param name says which geometry
 * @param directory holds {@code image} and what it stands on
 */
public record HostileBase(String name, MemoryHostDirectory directory) {

    /** The name of each base's image. */
    public static final String IMAGE = "image";

    private static final String BACKING = "backing";

    /**
     * Makes the bases.
     *
     * @return versions, cluster sizes, refcount widths, with and without backing file and snapshots
     * @throws DiskException never, if the maker is right
     */
    public static List<HostileBase> all() throws DiskException {
        CreateOptions plain = CreateOptions.ofSize(1_000_001).withClusterBits(12);
        return List.of(
                filled("version 3", plain),
                filled("version 2", plain.withVersion(2)),
                filled("clusters of 512 bytes", CreateOptions.ofSize(90_000).withClusterBits(9)),
                filled("one-bit refcounts", plain.withRefcountOrder(0)),
                filled("64-bit refcounts", plain.withRefcountOrder(6)),
                filled("overlay", plain.withBacking(BACKING, Optional.of(BackingFormat.RAW))));
    }

    private static HostileBase filled(String name, CreateOptions options) throws DiskException {
        MemoryHostDirectory directory = new MemoryHostDirectory();
        byte[] behind = new byte[500_000];
        Arrays.fill(behind, (byte) 0xb5);
        directory.put(BACKING, MemoryFileContent.of(behind));
        MutantDriver driver = new MutantDriver();
        driver.create(directory, IMAGE, options);
        OpenOptions access = OpenOptions.readWrite().followingBacking();
        try (VirtualDisk disk = driver.open(directory, IMAGE, access)) {
            byte[] data = new byte[30_000];
            Arrays.fill(data, (byte) 0xda);
            disk.write(1000, ByteBuffer.wrap(data));
            if (options.refcountOrder() > 0) {
                disk.createSnapshot("kept");
            }
            disk.write(20_000, ByteBuffer.wrap(data));
            disk.writeZeroes(25_000, 10_000, ZeroMode.KEEP_ALLOCATION);
            disk.writeZeroes(60_000, 10_000, ZeroMode.MAY_UNMAP);
            disk.discard(8192, 8192);
            disk.write(options.size() - 100, ByteBuffer.wrap(data, 0, 100));
        }
        return new HostileBase(name, directory);
    }

    /**
     * Returns the image's bytes.
     *
     * @return a copy
     * @throws DiskException never
     */
    public byte[] bytes() throws DiskException {
        return directory.content(IMAGE).toByteArray();
    }

    /**
     * Reads a field of the header.
     *
     * @param field one of {@link HeaderLayout}
     * @return its value
     * @throws DiskException never
     */
    public long header(ByteField field) throws DiskException {
        return field.get(ByteBuffer.wrap(bytes()), 0);
    }

    /**
     * Returns the size of a cluster.
     *
     * @return bytes
     * @throws DiskException never
     */
    public int clusterSize() throws DiskException {
        return 1 << header(HeaderLayout.CLUSTER_BITS);
    }

    /**
     * Returns a spoilt copy.
     *
     * @param what says what is wrong with it
     * @param hostOffset where other bytes are put
     * @param bytes what is put there
     * @return an image that shares nothing with this one
     * @throws DiskException never
     */
    public HostileImage with(String what, long hostOffset, byte[] bytes) throws DiskException {
        MemoryHostDirectory copy = directory.copy();
        try (HostFile file = copy.open(IMAGE, OpenOptions.Access.READ_WRITE)) {
            file.write(hostOffset, ByteBuffer.wrap(bytes));
        }
        return new HostileImage(name + ": " + what, copy, IMAGE);
    }

    /**
     * Returns a copy that ends early or late.
     *
     * @param length bytes that the file has
     * @return an image that shares nothing with this one
     * @throws DiskException never
     */
    public HostileImage truncated(long length) throws DiskException {
        MemoryHostDirectory copy = directory.copy();
        try (HostFile file = copy.open(IMAGE, OpenOptions.Access.READ_WRITE)) {
            file.truncate(length);
        }
        return new HostileImage(name + ": truncated to " + length + " bytes", copy, IMAGE);
    }

    /**
     * Returns a copy in which an entry of 64 bits is another.
     *
     * @param what says which entry it is
     * @param hostOffset where the entry is
     * @param value what is put there
     * @return an image that shares nothing with this one
     * @throws DiskException never
     */
    public HostileImage withEntry(String what, long hostOffset, long value) throws DiskException {
        String name = what + " at " + hostOffset + " = 0x" + Long.toHexString(value);
        return with(name, hostOffset, ByteBuffer.allocate(8).putLong(value).array());
    }
}
