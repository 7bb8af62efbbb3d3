package dev.qcow2.conformance.img;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Images that QEMU's tools make, with all kinds of clusters in random places. */
final class SampleImages {

    private static final int[] CLUSTERS = {65536, 4096, 512, 65536, 262_144};
    private static final int SECTORS = 4096;

    private final SideBySide tools;

    SampleImages(SideBySide tools) {
        this.tools = tools;
    }

    /** Makes a chain: a raw base with holes, a middle image, and the top; any of them may be missing. Returns the top's name. */
    String make(int seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        long size = 512L * (SECTORS + random.nextInt(7));
        String below = "";
        if (random.nextInt(3) > 0) {
            below = "base" + seed + ".raw";
            tools.qemuDoes(
                    "create", "-q", "-f", "raw", "%" + below, String.valueOf(size / 2 + 512L * random.nextInt(9)));
            tools.io(below, List.of("write -P 7 64k 100k", "write -P 8 300k 4k"));
        }
        if (random.nextInt(3) == 0) {
            below = image("middle" + seed + ".qcow2", below, size * 3 / 4 / 512 * 512, random);
        }
        return image("top" + seed + ".qcow2", below, size, random);
    }

    private String image(String name, String below, long size, SplittableRandom random) throws IOException {
        int cluster = CLUSTERS[random.nextInt(CLUSTERS.length)];
        boolean extended = cluster >= 65536 && random.nextInt(3) == 0;
        boolean preallocated = below.isEmpty() && random.nextInt(4) == 0;
        String options = "cluster_size=" + cluster + (extended ? ",extended_l2=on" : "")
                + (preallocated ? ",preallocation=metadata" : "");
        List<String> create = new ArrayList<>(List.of("create", "-q", "-f", "qcow2", "-o", options));
        if (!below.isEmpty()) {
            create.addAll(List.of("-b", tools.file(below), "-F", below.endsWith(".raw") ? "raw" : "qcow2"));
        }
        create.addAll(List.of("%" + name, String.valueOf(size)));
        tools.qemuDoes(create.toArray(String[]::new));
        tools.io(name, changes(size, cluster, preallocated, random));
        return name;
    }

    private static List<String> changes(long size, int cluster, boolean preallocated, SplittableRandom random) {
        List<String> changes = new ArrayList<>();
        // QEMU refuses to compress over a cluster that has data.
        long middle = size / 2 / cluster * cluster;
        for (long at : preallocated ? new long[0] : new long[] {0, cluster, middle}) {
            changes.add("write -c -P 99 " + at + " " + cluster);
        }
        for (int i = 0; i < 12; i++) {
            long at = 512L * random.nextInt((int) (size / 512));
            long length = Math.min(size - at, 512L * (1 + random.nextInt(random.nextBoolean() ? 8 : 500)));
            String range = at + " " + length;
            changes.add(
                    switch (random.nextInt(5)) {
                        case 0 -> "write -z " + range;
                        case 1 -> "write -z -u " + range;
                        case 2 -> "discard " + range;
                        case 3 -> "write -P 0 " + range;
                        default -> "write -P " + (i + 1) + " " + range;
                    });
        }
        return changes;
    }
}
