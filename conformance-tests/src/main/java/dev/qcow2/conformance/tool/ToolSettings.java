package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.MaintenanceDriver;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.RealHostDirectory;
import dev.qcow2.spec.host.RealHostDirectory.Locking;
import java.nio.file.Path;

/**
 * What holds for all images that one command opens.
 *
 * @param driver the implementation that reads and writes qcow2
 * @param base where relative names start
 * @param secrets what the user gave to unlock images
 * @param cache how writes reach the host
 * @param forceShare whether images that somebody else writes to may be read
 */
public record ToolSettings(
        MaintenanceDriver driver, Path base, SecretStore secrets, CacheMode cache, boolean forceShare) {

    /**
     * Returns the host's files under these settings.
     *
     * @return a directory whose relative names start at the base; one user of images, see {@link RealHostDirectory}
     */
    public HostDirectory files() {
        return new RealHostDirectory(base, cache.durability(), cache.caching())
                .withLocking(forceShare ? Locking.FORCE_SHARE : Locking.LIKE_QEMU);
    }

    /**
     * Returns these settings with another cache mode.
     *
     * @param other how writes reach the host
     * @return a copy
     */
    public ToolSettings withCache(CacheMode other) {
        return new ToolSettings(driver, base, secrets, other, forceShare);
    }

    /**
     * Returns these settings with or without forced sharing.
     *
     * @param other whether images that somebody else writes to may be read
     * @return a copy
     */
    public ToolSettings withForceShare(boolean other) {
        return new ToolSettings(driver, base, secrets, cache, other);
    }
}
