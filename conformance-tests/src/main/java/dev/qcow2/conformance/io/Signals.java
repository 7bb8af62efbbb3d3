package dev.qcow2.conformance.io;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;

/** Sends signals to this very process, which then dies of them as a program in C does: nothing cleans up. */
interface Signals {

    /** The signal that ends a program that finds itself broken. */
    int ABORT = 6;

    /** Sends a signal. Returns if the process survives it. */
    void raise(int number);

    /** The process itself. */
    static Signals ofProcess() {
        return new OfProcess();
    }

    /** The C library's part. */
    interface CLibrary extends Library {
        /** Changes what a signal does. */
        Pointer signal(int number, Pointer handler);

        /** Sends a signal to a process. */
        int kill(int process, int number);
    }

    /** Signals through the C library; without it, through the virtual machine's sudden end. */
    final class OfProcess implements Signals {

        private static final int SHELL_BASE = 128;
        private static final long MOMENT = 20;

        @Override
        public void raise(int number) {
            if (number == 0) {
                return;
            }
            try {
                CLibrary library = Native.load(Platform.C_LIBRARY_NAME, CLibrary.class);
                // The virtual machine catches some signals to end in order; the host's own behaviour is wanted.
                library.signal(number, Pointer.NULL);
                library.kill(Math.toIntExact(ProcessHandle.current().pid()), number);
                Thread.sleep(MOMENT);
            } catch (UnsatisfiedLinkError e) {
                Runtime.getRuntime().halt(SHELL_BASE + number);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
