package dev.qcow2.conformance.img;

import java.io.PrintWriter;
import java.util.Locale;

/** Shows how much is done, on the stream of results, as qemu-img's option -p does; shows nothing without that option. */
final class ImgProgress implements AutoCloseable {

    private final PrintWriter out;
    private final boolean shown;
    private final double step;
    private double last = -1;
    private double percent;

    private ImgProgress(PrintWriter out, boolean shown, double step) {
        this.out = out;
        this.shown = shown;
        this.step = step;
        print(0);
    }

    /** Starts at nothing. The step is what must have been done, in percent, before another figure is shown. */
    static ImgProgress start(ImgConsole console, boolean shown, double step) {
        return new ImgProgress(console.out(), shown, step);
    }

    /** Whether anybody sees it. */
    boolean shown() {
        return shown;
    }

    /** So much of so much is done. */
    void show(long done, long whole) {
        print(whole == 0 ? 100 : 100.0 * done / whole);
    }

    private void print(double now) {
        percent = now;
        if (shown && (last < 0 || now >= last + step || (now >= 100 && last < 100))) {
            last = now;
            write(now);
        }
    }

    private void write(double now) {
        out.print(String.format(Locale.ROOT, "    (%.2f/100%%)\r", now));
        out.flush();
    }

    /** All is done. */
    void done() {
        percent = 100;
        if (shown) {
            write(percent);
        }
    }

    @Override
    public void close() {
        if (shown) {
            out.print('\n');
            out.flush();
        }
    }
}
