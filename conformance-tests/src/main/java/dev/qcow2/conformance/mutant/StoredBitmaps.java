package dev.qcow2.conformance.mutant;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.BitmapLayout;
import dev.qcow2.spec.layout.HeaderLayout;
import java.nio.ByteBuffer;

/** The directory of bitmaps of a closed image of version 3, for those who believe what they should not. */
record StoredBitmaps(HostFile file) {

    private static final int EXTENSION = 0x23852875;

    private int number(long at) throws DiskException {
        ByteBuffer bytes = ByteBuffer.allocate(4);
        file.readZeroPadded(at, bytes);
        return bytes.getInt(0);
    }

    /** Where the extension's data begin, or 0. */
    private long extension() throws DiskException {
        long at = number(HeaderLayout.HEADER_LENGTH.offset());
        while (number(at) != 0 && number(at) != EXTENSION) {
            at += 8 + (number(at + 4) + 7) / 8 * 8;
        }
        return number(at) == 0 ? 0 : at + 8;
    }

    /** Sets the autoclear bit if there is a directory. */
    void setBit() throws DiskException {
        if (extension() != 0) {
            file.write(
                    HeaderLayout.AUTOCLEAR_FEATURES.offset(),
                    ByteBuffer.allocate(8).putLong(0, 1));
        }
    }

    /** Clears the in-use flag of each bitmap. */
    void clearMarks() throws DiskException {
        long extension = extension();
        if (extension == 0) {
            return;
        }
        ByteBuffer offset = ByteBuffer.allocate(8);
        file.readZeroPadded(extension + 16, offset);
        long at = offset.getLong(0);
        for (int i = 0; i < number(extension); i++) {
            long flags = at + BitmapLayout.FLAGS.offset();
            file.write(flags, ByteBuffer.allocate(4).putInt(0, number(flags) & ~1));
            int name = number(at + BitmapLayout.NAME_SIZE.offset()) >>> 16;
            int extra = number(at + BitmapLayout.EXTRA_DATA_SIZE.offset());
            long length = (long) BitmapLayout.DIRECTORY_ENTRY.size() + name + extra;
            at += (length + 7) / 8 * 8;
        }
    }
}
