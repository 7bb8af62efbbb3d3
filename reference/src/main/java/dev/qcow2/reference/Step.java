package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/**
 * One thing that a plan does to the image file. Each does it when told to and decides nothing. Chapters of their own have
 * more of them.
 */
interface Step {

    /** Does it. */
    void perform(Workbench bench) throws DiskException;

    /** Says something to the reader of the plan, and does nothing. */
    record Note(String text) implements Step {
        @Override
        public void perform(Workbench bench) {}

        @Override
        public String toString() {
            return text;
        }
    }

    /** Changes the count of a host cluster, in the block that counts it. */
    record SetCount(HostCluster host, long blockOffset, long from, long to) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            Geometry geometry = bench.image().geometry();
            int order = geometry.refcountOrder();
            int place = geometry.placeInBlock(host);
            long at = blockOffset + Counts.byteOf(place, order);
            // Narrow counts share a byte with their neighbours, which must stay.
            ByteBuffer bytes = bench.image().read(at, Counts.bytesPerCount(order));
            Counts.put(bytes, Counts.placeInByte(place, order), order, to);
            bench.file().write(at, bytes);
            if (to == 0) {
                bench.allocator().freed(host);
            }
        }

        @Override
        public String toString() {
            return "count of " + host + ": " + from + " -> " + to;
        }
    }

    /** Reads a guest cluster as the guest sees it now, through the whole chain, into the workbench's buffer. */
    record ReadOld(GuestCluster guest) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            Geometry geometry = bench.image().geometry();
            ByteBuffer part = bench.buffer().clear().limit(geometry.lengthOf(guest));
            bench.resolver().read(geometry.guestOffset(guest), part);
        }

        @Override
        public String toString() {
            return "read " + guest + " as the guest sees it";
        }
    }

    /** Lays the guest's new bytes over the buffer. */
    record LayOver(int offsetInCluster, ByteBuffer payload) implements Step {
        @Override
        public void perform(Workbench bench) {
            bench.buffer().clear().position(offsetInCluster).put(payload.duplicate());
        }

        @Override
        public String toString() {
            return "lay " + payload.remaining() + " new bytes over it at " + offsetInCluster;
        }
    }

    /** Writes the whole buffer into the host cluster that a guest cluster is to have. */
    record WriteBuffer(GuestCluster guest, HostCluster host) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            Geometry geometry = bench.image().geometry();
            // A raw data file is as long as the disk, also if that ends inside a cluster.
            int length = bench.image().hasDataFile() ? geometry.lengthOf(guest) : geometry.clusterSize();
            ByteBuffer bytes = bench.buffer().clear().limit(length);
            bench.image().data().write(geometry.hostOffset(host), geometry.guestOffset(guest), bytes);
        }

        @Override
        public String toString() {
            return "write the whole cluster to " + host;
        }
    }

    /** Writes bytes of the guest into a guest cluster that has its own host cluster. */
    record WriteGuest(GuestCluster guest, long hostOffset, int offsetInCluster, ByteBuffer payload) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            long guestOffset = bench.image().geometry().guestOffset(guest) + offsetInCluster;
            bench.image().data().write(hostOffset + offsetInCluster, guestOffset, payload.duplicate());
        }

        @Override
        public String toString() {
            return "write data: " + payload.remaining() + " bytes at host offset " + (hostOffset + offsetInCluster);
        }
    }

    /** Writes given bytes of metadata. */
    record Write(String what, long hostOffset, ByteBuffer bytes) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            bench.file().write(hostOffset, bytes.duplicate());
        }

        @Override
        public String toString() {
            return "write " + what + ": " + bytes.remaining() + " bytes at host offset " + hostOffset;
        }
    }

    /** Points the L2 entry of a guest cluster at something else. */
    record LinkL2(Mapping mapping, L2Entry entry, ByteBuffer bytes) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            bench.file().write(mapping.l2At(), bytes.duplicate());
        }

        @Override
        public String toString() {
            return "write L2 entry, " + entry + ": " + bytes.remaining() + " bytes at host offset " + mapping.l2At();
        }
    }

    /** Points an L1 entry at another L2 table. */
    record LinkL1(int index, L1Entry old, L1Entry entry, long hostOffset) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            bench.file().write(hostOffset, PlanParts.entryBytes(entry.encode()));
        }

        @Override
        public String toString() {
            return "write L1 entry, " + entry + ": 8 bytes at host offset " + hostOffset;
        }
    }

    /** Writes fields of the header, in one write so that they change together. */
    record WriteHeader(String what, int field, ByteBuffer bytes) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            bench.file().write(field, bytes.duplicate());
            bench.image().reloadHeader();
        }

        @Override
        public String toString() {
            return "write header fields from byte " + field + ": " + what;
        }
    }

    /** Waits until everything before this step is safe on the disk. */
    record Flush() implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            bench.image().flush();
        }

        @Override
        public String toString() {
            return "flush";
        }
    }

    /** Gives a freed cluster back to the host. It can't be in use again yet: plans follow each other. */
    record Punch(HostCluster host) implements Step {
        @Override
        public void perform(Workbench bench) throws DiskException {
            Geometry geometry = bench.image().geometry();
            HostFile file = bench.file();
            long offset = geometry.hostOffset(host);
            if (offset < file.size()) {
                // The answer does not matter: a host that can't do it keeps the space.
                boolean unused = file.punchHole(offset, geometry.clusterSize());
            }
        }

        @Override
        public String toString() {
            return "punch a hole for " + host;
        }
    }
}
