package dev.qcow2.conformance.concurrent;

import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * What the host had when a flush was answered while other requests were under way.
 *
 * @param files a copy of the host's files
 * @param flushSent when the flush was sent
 * @param copied when the copy was complete
 */
record FlushedImage(MemoryHostDirectory files, long flushSent, long copied) {

    /** Says what is missing of the requests that were answered before the flush was sent (QC-GUEST-06). */
    Optional<String> judge(byte[] before, List<Effect> effects, DiskDriver witness, String imageName) {
        List<Effect> flushed =
                effects.stream().filter(effect -> effect.finished() < flushSent).toList();
        List<Effect> underWay = effects.stream()
                .filter(effect -> effect.finished() >= flushSent && effect.started() <= copied)
                .toList();
        try (VirtualDisk disk =
                witness.open(files, imageName, OpenOptions.readOnly().followingBacking())) {
            ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(disk.size()));
            disk.read(0, all);
            return Explanation.missing(before, all.array(), flushed, underWay)
                    .map(reason -> "after a flush, on the host: " + reason);
        } catch (DiskException e) {
            return Optional.of("after a flush " + witness.name() + " can't read the image: " + e.getMessage());
        }
    }
}
