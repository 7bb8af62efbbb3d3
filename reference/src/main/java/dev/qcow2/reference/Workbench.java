package dev.qcow2.reference;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import java.nio.ByteBuffer;

/** What the steps of a plan work with, and the loop that performs them. It decides nothing. */
final class Workbench {

    private final Image image;
    private final Resolver resolver;
    private final Allocator allocator;
    private final PlanObserver observer;
    private ByteBuffer buffer = ByteBuffer.allocate(0);

    Workbench(Image image, Resolver resolver, Allocator allocator, PlanObserver observer) {
        this.image = image;
        this.resolver = resolver;
        this.allocator = allocator;
        this.observer = observer;
    }

    Image image() {
        return image;
    }

    HostFile file() {
        return image.file();
    }

    Resolver resolver() {
        return resolver;
    }

    Allocator allocator() {
        return allocator;
    }

    /** One cluster, zeros at the start of each plan: what no step fills is zero. */
    ByteBuffer buffer() {
        if (buffer.capacity() == 0) {
            buffer = ByteBuffer.allocate(image.geometry().clusterSize());
        }
        return buffer;
    }

    /** Performs the steps in their order. What fails in the middle leaves leaks at most. */
    void apply(Plan plan) throws DiskException {
        buffer = ByteBuffer.allocate(0);
        for (int i = 0; i < plan.size(); i++) {
            observer.before(plan, i);
            plan.lines().get(i).step().perform(this);
        }
    }
}
