package dev.qcow2.conformance.support;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.VirtualDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Persistent bitmaps: each side makes one, both follow what either side writes, and both sides say the same of them. */
final class BitmapFeature {

    private static final int GRANULARITY_BITS = 16;

    private BitmapFeature() {}

    static void ours(Workshop workshop, VirtualDisk disk) throws Exception {
        Bitmaps bitmaps = disk.bitmaps();
        bitmaps.add("ours", GRANULARITY_BITS, true);
        workshop.expectBitmap("ours");
        Workshop.write(disk, 200_000, 70_000, 0x31);
        workshop.expect(200_000, 70_000, 0x31);
        for (Map.Entry<String, BitSet> bitmap : workshop.bitmaps().entrySet()) {
            BitSet actual = new BitSet();
            for (Dirty range : bitmaps.dirty(bitmap.getKey())) {
                long end = range.guestOffset() + range.length();
                actual.set((int) (range.guestOffset() >> GRANULARITY_BITS), (int) ((end - 1) >> GRANULARITY_BITS) + 1);
            }
            assertThat(actual).as("dirty in %s", bitmap.getKey()).isEqualTo(bitmap.getValue());
        }
    }

    static void qemu(Workshop workshop) throws Exception {
        workshop.img("bitmap", "--add", "-g", "64k", "-f", "qcow2", Workshop.DISK, "theirs");
        workshop.expectBitmap("theirs");
        workshop.io("write -P 0x32 524288 4096");
        workshop.expect(524_288, 4096, 0x32);
        for (Map.Entry<String, BitSet> bitmap : workshop.bitmaps().entrySet()) {
            assertThat(dirtyByQemu(workshop, bitmap.getKey()))
                    .as("dirty in %s, says QEMU", bitmap.getKey())
                    .isEqualTo(bitmap.getValue());
        }
    }

    /** QEMU shows the content of a bitmap only through its NBD server. */
    private static BitSet dirtyByQemu(Workshop workshop, String name) throws Exception {
        Path socket = workshop.path().resolve("nbd");
        Process server = new ProcessBuilder(
                        List.of("qemu-nbd", "-r", "-f", "qcow2", "-B", name, "-k", socket.toString(), Workshop.DISK))
                .directory(workshop.path().toFile())
                .redirectErrorStream(true)
                .redirectOutput(workshop.path().resolve("nbd.txt").toFile())
                .start();
        try {
            for (int i = 0; i < 200 && !Files.exists(socket); i++) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
            String map = workshop.img(
                    "map",
                    "--output=json",
                    "--image-opts",
                    "driver=nbd,server.type=unix,server.path=" + socket + ",x-dirty-bitmap=qemu:dirty-bitmap:" + name);
            BitSet dirty = new BitSet();
            for (JsonNode extent : new ObjectMapper().readTree(map)) {
                // With a bitmap asked for, extents that are dirty come out as holes.
                if (!extent.get("data").asBoolean()) {
                    long start = extent.get("start").asLong();
                    long end = start + extent.get("length").asLong();
                    dirty.set((int) (start >> GRANULARITY_BITS), (int) ((end - 1) >> GRANULARITY_BITS) + 1);
                }
            }
            return dirty;
        } finally {
            server.destroy();
            assertThat(server.waitFor(20, TimeUnit.SECONDS)).isTrue();
            Files.deleteIfExists(socket);
        }
    }
}
