package dev.qcow2.spec.host;

import com.sun.jna.Native;
import com.sun.jna.Platform;

/** Binds native methods to the C library, where its structures and types are those that are written down here. */
final class CLibrary {

    private CLibrary() {}

    /**
     * Binds the native methods of a class.
     *
     * @return false where that can't be; then none of them may be called
     */
    static boolean register(Class<?> type) {
        // off_t is a long, and locks have their layout, on 64-bit Linux only; elsewhere the caller does without.
        if (!Platform.isLinux() || !Platform.is64Bit()) {
            return false;
        }
        try {
            Native.register(type, Platform.C_LIBRARY_NAME);
            return true;
        } catch (UnsatisfiedLinkError e) {
            return false;
        }
    }
}
