package dev.qcow2.conformance.bench;

import dev.qcow2.conformance.program.HostProgram;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Random reads and writes all over a disk of 1 TiB, in a JVM whose heap is bounded: the default caches
 * must be content with it. A sparse file on the host holds the image.
 */
public final class HeapProbe {

    /** Bytes of the disk. */
    public static final long DISK_SIZE = 1L << 40;

    private static final int BLOCK = 4096;
    private static final long BLOCKS = DISK_SIZE / BLOCK;
    private static final int MEASUREMENTS = 8;
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Pattern FIGURES = Pattern.compile("heap ([0-9.]+) MiB, ([0-9.]+) s");

    /**
     * What a run took.
     *
     * @param heapMib heap in use right after a collection, the largest of several moments
     * @param seconds wall time of the requests
     */
    public record Figures(double heapMib, double seconds) {}

    private HeapProbe() {}

    /**
     * Runs the probe in a JVM of its own.
     *
     * @param directory where the image is made; it takes some KiB for each request
     * @param requests half of them writes
     * @param heapMib the bound of the heap
     * @return what it took
     * @throws IOException if the JVM dies, for instance because the heap does not suffice, or a read is wrong
     */
    public static Figures run(Path directory, int requests, int heapMib) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heapMib + "m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                HeapProbe.class.getName(),
                directory.toString(),
                Integer.toString(requests));
        String output = HostProgram.run(command, "", PATIENCE).orThrow().output();
        Matcher matcher = FIGURES.matcher(output);
        if (!matcher.find()) {
            throw new IOException("the probe did not say what it took: " + output.strip());
        }
        return new Figures(Double.parseDouble(matcher.group(1)), Double.parseDouble(matcher.group(2)));
    }

    /**
     * Does the requests and prints what they took.
     *
     * @param arguments directory and number of requests
     * @throws IOException if a request fails or a read is wrong
     */
    public static void main(String[] arguments) throws IOException {
        RealHostDirectory directory = new RealHostDirectory(Path.of(arguments[0]), Durability.NONE);
        int requests = Integer.parseInt(arguments[1]);
        OptimizedDriver driver = new OptimizedDriver();
        driver.create(directory, Preparation.IMAGE, CreateOptions.ofSize(DISK_SIZE));
        double heap = 0;
        long nanos = 0;
        try (VirtualDisk disk = driver.open(directory, Preparation.IMAGE, OpenOptions.readWrite())) {
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < MEASUREMENTS; i++) {
                long start = System.nanoTime();
                requests(disk, random, requests / MEASUREMENTS);
                nanos += System.nanoTime() - start;
                heap = Math.max(heap, heapAfterCollection());
            }
        }
        System.out.printf(Locale.ROOT, "heap %.1f MiB, %.3f s%n", heap, nanos / 1e9);
    }

    private static void requests(VirtualDisk disk, SplittableRandom random, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BLOCK);
        for (int i = 0; i < count; i++) {
            long offset = random.nextLong(BLOCKS) * BLOCK;
            if (i % 2 == 0) {
                // Each block says where it is, so that a read can tell whether it got the right one.
                disk.write(offset, buffer.clear().putLong(0, offset));
            } else {
                disk.read(offset, buffer.clear());
                long found = buffer.getLong(0);
                if (found != 0 && found != offset) {
                    throw new IOException("block " + offset + " reads as block " + found);
                }
            }
        }
    }

    private static double heapAfterCollection() {
        var memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed() / (double) (1 << 20);
    }
}
