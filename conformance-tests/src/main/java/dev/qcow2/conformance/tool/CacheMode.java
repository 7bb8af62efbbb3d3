package dev.qcow2.conformance.tool;

import dev.qcow2.spec.host.RealHostDirectory.Caching;
import dev.qcow2.spec.host.RealHostFile.Durability;
import java.util.Locale;
import java.util.Optional;

/** How writes reach the host, by the names that QEMU's options have. */
public enum CacheMode {
    /** Past the page cache; a flush waits for the device. */
    NONE(Caching.DIRECT, Durability.FLUSH_TO_DEVICE, false),
    /** Through the page cache; a flush waits for the device. */
    WRITEBACK(Caching.PAGE_CACHE, Durability.FLUSH_TO_DEVICE, false),
    /** Through the page cache; each write waits for the device. */
    WRITETHROUGH(Caching.PAGE_CACHE, Durability.FLUSH_TO_DEVICE, true),
    /** Past the page cache; each write waits for the device. */
    DIRECTSYNC(Caching.DIRECT, Durability.FLUSH_TO_DEVICE, true),
    /** Through the page cache; a flush does nothing. */
    UNSAFE(Caching.PAGE_CACHE, Durability.NONE, false);

    private final Caching caching;
    private final Durability durability;
    private final boolean flushEachWrite;

    CacheMode(Caching caching, Durability durability, boolean flushEachWrite) {
        this.caching = caching;
        this.durability = durability;
        this.flushEachWrite = flushEachWrite;
    }

    /**
     * Finds a mode.
     *
     * @param name as QEMU's option -t has it
     * @return the mode, if there is one of that name
     */
    public static Optional<CacheMode> named(String name) {
        for (CacheMode mode : values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(name) || (mode == NONE && name.equals("off"))) {
                return Optional.of(mode);
            }
        }
        return Optional.empty();
    }

    /**
     * Says whether files pass through the page cache.
     *
     * @return how files are opened
     */
    public Caching caching() {
        return caching;
    }

    /**
     * Says what a flush does.
     *
     * @return what a flush waits for
     */
    public Durability durability() {
        return durability;
    }

    /**
     * Says whether each write is followed by a flush.
     *
     * @return true for the writethrough modes
     */
    public boolean flushEachWrite() {
        return flushEachWrite;
    }
}
