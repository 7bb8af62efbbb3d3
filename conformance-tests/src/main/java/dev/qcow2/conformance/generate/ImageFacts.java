package dev.qcow2.conformance.generate;

import dev.qcow2.conformance.image.ImageInspector;
import dev.qcow2.conformance.image.ImageInspector.View;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What sequences on an existing image have to know of it.
 *
 * @param name as the user gave it
 * @param size bytes of the disk
 * @param clusterBits of the image
 * @param interesting guest offsets near which something changes
 */
public record ImageFacts(String name, long size, int clusterBits, List<Long> interesting) {

    private static final int LOOKS = 2000;
    private static final int MOST_CHANGES = 200;

    /**
     * Looks at an image.
     *
     * @param name as the user gave it
     * @param file its bytes
     * @return what was found
     * @throws DiskException if the host fails
     */
    public static ImageFacts of(String name, HostFile file) throws DiskException {
        ImageInspector inspector = new ImageInspector(file);
        long size = inspector.size();
        int bits = inspector.clusterBits();
        List<Long> offsets = new ArrayList<>(ScriptGenerator.boundaries(size, bits));
        long clusters = (size + (1L << bits) - 1) >>> bits;
        long stride = Math.max(1, clusters / LOOKS);
        @Nullable View before = null;
        for (long cluster = 0; cluster < clusters && offsets.size() < MOST_CHANGES; cluster += stride) {
            View view = inspector.view(cluster);
            if (!view.equals(before)) {
                offsets.add(cluster << bits);
            }
            before = view;
        }
        return new ImageFacts(name, size, bits, List.copyOf(offsets));
    }
}
