package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.Bitmaps;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.VirtualDisk;
import java.util.ArrayList;
import java.util.List;

/** Takes the persistent bitmaps of one image over into another one. */
final class BitmapCopy {

    private final List<BitmapInfo> chosen = new ArrayList<>();

    /** Chooses the bitmaps of a source; those that were left in use can't be copied. */
    void choose(ImgConsole console, VirtualDisk source, boolean skipBroken) throws ToolException, DiskException {
        for (BitmapInfo bitmap : source.bitmaps().list()) {
            if (!bitmap.inUse()) {
                chosen.add(bitmap);
            } else if (skipBroken) {
                console.warning("Skipping inconsistent bitmap '" + bitmap.name() + "'");
            } else {
                throw new ToolException(
                        "Cannot copy inconsistent bitmap '" + bitmap.name() + "'\nTry --skip-broken-bitmaps, or use '"
                                + ImgConsole.PROGRAM + " bitmap --remove' to delete it");
            }
        }
    }

    /** Adds the chosen bitmaps to a target that has its data already. */
    void copy(VirtualDisk source, VirtualDisk target) throws ToolException, DiskException {
        Bitmaps from = source.bitmaps();
        Bitmaps into = target.bitmaps();
        for (BitmapInfo bitmap : chosen) {
            try {
                into.add(bitmap.name(), bitmap.granularityBits(), bitmap.enabled());
            } catch (DiskException e) {
                throw new ToolException("Failed to create bitmap " + bitmap.name() + ": " + e.getMessage(), 1, e);
            }
            for (Dirty range : from.dirty(bitmap.name())) {
                into.mark(bitmap.name(), range.guestOffset(), range.length());
            }
        }
    }
}
