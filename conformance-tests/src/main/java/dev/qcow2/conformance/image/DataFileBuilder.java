package dev.qcow2.conformance.image;

import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.MemoryFileContent;
import dev.qcow2.spec.host.MemoryHostFile;
import java.nio.ByteBuffer;

/** Writes files without metadata: raw images, and the data files of qcow2 images. */
public final class DataFileBuilder {

    private static final int SUBCLUSTERS = 32;

    private DataFileBuilder() {}

    /**
     * Builds a raw file.
     *
     * @param layer its size and content
     * @return the file
     * @throws DiskException never, for the file is in memory
     */
    public static MemoryFileContent buildRaw(Layer layer) throws DiskException {
        MemoryFileContent raw = new MemoryFileContent();
        MemoryHostFile file = new MemoryHostFile("raw", raw, Access.READ_WRITE, true);
        file.truncate(layer.size());
        for (Run run : layer.content()) {
            long start = run.first() << layer.clusterBits();
            long length = Math.min(run.count() << layer.clusterBits(), layer.size() - start);
            if (run.state() == ClusterState.NORMAL) {
                file.write(start, ByteBuffer.wrap(Fill.bytes(run.fill(), Math.toIntExact(length))));
            }
        }
        return raw;
    }

    /**
     * Builds the external data file of a layer.
     *
     * @param layer what its image is like
     * @return the bytes of its clusters, each at its guest offset (QC-DATA-02)
     * @throws DiskException never, for the file is in memory
     */
    public static MemoryFileContent build(Layer layer) throws DiskException {
        boolean raw = layer.features().dataFile().orElseThrow().raw();
        MemoryFileContent content = new MemoryFileContent();
        MemoryHostFile file = new MemoryHostFile("data", content, Access.READ_WRITE, true);
        file.truncate(layer.size());
        if (!raw) {
            file.truncate(layer.clusters() << layer.clusterBits());
        }
        int piece = layer.clusterSize() / (layer.features().extendedL2() ? SUBCLUSTERS : 1);
        for (Run run : layer.content()) {
            for (long at = run.first() << layer.clusterBits(); at < run.end() << layer.clusterBits(); at += piece) {
                long cluster = at >>> layer.clusterBits();
                int index = (int) ((at & (layer.clusterSize() - 1)) / piece);
                boolean normal =
                        run.state().ofSubcluster(index, ImageBuilder.turn(run, cluster)) == ClusterState.NORMAL;
                // QC-DATA-09: where the guest reads zeros a raw data file has zeros; in another one they may be stale.
                boolean stale = !raw && run.state().hasHostCluster();
                long end = Math.min(at + piece, normal || raw ? layer.size() : Long.MAX_VALUE);
                if ((normal || stale) && end > at) {
                    ByteBuffer bytes = ByteBuffer.allocate((int) (end - at));
                    Fill.write(run.fill(), at - (run.first() << layer.clusterBits()), bytes);
                    file.write(at, bytes.rewind());
                }
            }
        }
        return content;
    }
}
