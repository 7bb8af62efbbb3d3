package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.ForwardingDisk;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.nio.ByteBuffer;

/** An implementation that goes wrong in its own way when a write of a certain length comes. */
public record WrongDriver(DiskDriver right, Fault fault) implements DiskDriver {

    /** What happens on a write of more than 600 bytes. */
    public enum Fault {
        /** Its last byte is lost. */
        LOSES_A_BYTE,
        /** A raw exception comes out. */
        CRASHES,
        /** It never returns. */
        HANGS,
        /** It is refused. */
        REFUSES
    }

    static final int LONGEST_RIGHT = 600;

    @Override
    public String name() {
        return "wrong";
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        right.create(directory, fileName, options);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        return new WrongDisk(right.open(directory, fileName, options), fault);
    }

    private static final class WrongDisk extends ForwardingDisk {

        private final Fault fault;

        WrongDisk(VirtualDisk disk, Fault fault) {
            super(disk);
            this.fault = fault;
        }

        @Override
        public void write(long guestOffset, ByteBuffer from) throws DiskException {
            if (from.remaining() <= LONGEST_RIGHT) {
                target().write(guestOffset, from);
                return;
            }
            switch (fault) {
                case LOSES_A_BYTE -> target().write(guestOffset, from.slice(0, from.remaining() - 1));
                case CRASHES -> throw new IllegalStateException("seeded crash");
                case HANGS -> sleepForEver();
                case REFUSES -> target().read(-1, ByteBuffer.allocate(1));
            }
        }

        private static void sleepForEver() {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
