package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.OpenNode;
import dev.qcow2.spec.disk.DiskException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the commands of one run share: the open image, the requests in the background, the streams. */
final class Session {

    private final IoOutput output;
    private final ImageOpening opening;
    private final Signals signals;
    private final Background background;
    private @Nullable OpenImage image;
    private @Nullable Transfers transfers;
    private boolean ended;

    Session(IoOutput output, ImageOpening opening, Signals signals) {
        this.output = output;
        this.opening = opening;
        this.signals = signals;
        this.background = new Background(output);
    }

    IoOutput output() {
        return output;
    }

    ImageOpening opening() {
        return opening;
    }

    Signals signals() {
        return signals;
    }

    Background background() {
        return background;
    }

    /** Says whether an image is open. */
    boolean isOpen() {
        return image != null;
    }

    /** Returns the open image; there must be one. */
    OpenImage image() {
        return Objects.requireNonNull(image);
    }

    /** Returns what moves bytes of the open image; there must be one. */
    Transfers transfers() {
        return Objects.requireNonNull(transfers);
    }

    /** Lets commands work on an image from now on. */
    void use(OpenImage opened) {
        image = opened;
        transfers = new Transfers(opened);
    }

    /** Says whether the open image may be written. */
    boolean isWritable() {
        OpenNode node = image().node();
        return node.writable();
    }

    /** Waits for what is in the background and closes the image, if one is open. */
    void closeImage() throws CommandFailure {
        background.finish();
        OpenImage closing = image;
        image = null;
        transfers = null;
        if (closing == null) {
            return;
        }
        try {
            closing.close();
        } catch (DiskException e) {
            throw CommandFailure.named("Failed to close the image: " + RequestErrors.words(e));
        }
    }

    /** No command is to follow. */
    void end() {
        ended = true;
    }

    boolean hasEnded() {
        return ended;
    }
}
