package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.CacheMode;

/**
 * How an image is opened.
 *
 * @param writable whether it may be written
 * @param overlay whether changes go to a temporary overlay
 * @param copyOnRead whether what is read from backing files is kept in the image
 * @param discards whether discards do anything
 * @param forceShare whether somebody else may write at the same time
 * @param nativeAio whether the user asked for the kernel's own asynchronous requests
 * @param cache how writes reach the host
 */
record ImageSettings(
        boolean writable,
        boolean overlay,
        boolean copyOnRead,
        boolean discards,
        boolean forceShare,
        boolean nativeAio,
        CacheMode cache) {

    /** What holds if the user says nothing. */
    static final ImageSettings STANDARD =
            new ImageSettings(true, false, false, true, false, false, CacheMode.WRITEBACK);

    /** The letters of the options that change settings, for {@link OptionScanner}. */
    static final String LETTERS = "rsnCkUi:t:d:";

    /** Returns these settings as one option changes them. */
    ImageSettings with(int letter, String value) throws CommandFailure {
        return switch (letter) {
            case 'r' -> new ImageSettings(false, overlay, copyOnRead, discards, forceShare, nativeAio, cache);
            case 's' -> new ImageSettings(writable, true, copyOnRead, discards, forceShare, nativeAio, cache);
            case 'C' -> new ImageSettings(writable, overlay, true, discards, forceShare, nativeAio, cache);
            case 'U' -> new ImageSettings(writable, overlay, copyOnRead, discards, true, nativeAio, cache);
            case 'n' -> withCache(CacheMode.NONE);
            case 'k' -> withNativeAio(true);
            case 'i' -> withNativeAio(aio(value));
            case 't' -> withCache(cache(value));
            case 'd' -> withDiscards(discard(value));
            default -> this;
        };
    }

    /** Returns these settings with another cache mode. */
    ImageSettings withCache(CacheMode other) {
        return new ImageSettings(writable, overlay, copyOnRead, discards, forceShare, nativeAio, other);
    }

    /** Returns these settings for reading and writing or for reading alone. */
    ImageSettings withWritable(boolean other) {
        return new ImageSettings(other, overlay, copyOnRead, discards, forceShare, nativeAio, cache);
    }

    /** Returns these settings with or without an effect of discards. */
    ImageSettings withDiscards(boolean other) {
        return new ImageSettings(writable, overlay, copyOnRead, other, forceShare, nativeAio, cache);
    }

    private ImageSettings withNativeAio(boolean other) {
        return new ImageSettings(writable, overlay, copyOnRead, discards, forceShare, other, cache);
    }

    /** Reads the name of a cache mode. */
    static CacheMode cache(String name) throws CommandFailure {
        return CacheMode.named(name).orElseThrow(() -> CommandFailure.named("Invalid cache option: " + name));
    }

    private static boolean discard(String mode) throws CommandFailure {
        return switch (mode) {
            case "unmap", "on" -> true;
            case "ignore", "off" -> false;
            default -> throw CommandFailure.named("Invalid discard option: " + mode);
        };
    }

    private static boolean aio(String mode) throws CommandFailure {
        return switch (mode) {
            case "native" -> true;
            case "threads", "io_uring" -> false;
            default -> throw CommandFailure.named("Invalid aio option: " + mode);
        };
    }

    /** Says whether files are opened past the page cache. */
    boolean direct() {
        return cache == CacheMode.NONE || cache == CacheMode.DIRECTSYNC;
    }
}
