package dev.qcow2.conformance.command;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** An implementation that is right with one request at a time, and loses writes that meet another request. */
record Racing() implements DiskDriver {

    @Override
    public String name() {
        return "racing";
    }

    @Override
    public void create(HostDirectory directory, String fileName, CreateOptions options) throws DiskException {
        new ReferenceDriver().create(directory, fileName, options);
    }

    @Override
    public VirtualDisk open(HostDirectory directory, String fileName, OpenOptions options) throws DiskException {
        VirtualDisk right = new ReferenceDriver().open(directory, fileName, options);
        AtomicInteger inFlight = new AtomicInteger();
        return (VirtualDisk) Proxy.newProxyInstance(
                VirtualDisk.class.getClassLoader(), new Class<?>[] {VirtualDisk.class}, (proxy, method, arguments) -> {
                    boolean alone = inFlight.incrementAndGet() == 1;
                    try {
                        // Long enough for another request to come, else few campaigns would see the race.
                        LockSupport.parkNanos(20_000);
                        return alone || !method.getName().equals("write") ? pass(right, method, arguments) : null;
                    } finally {
                        inFlight.decrementAndGet();
                    }
                });
    }

    private static @Nullable Object pass(VirtualDisk right, Method method, Object @Nullable [] arguments)
            throws Throwable {
        try {
            return method.invoke(right, arguments);
        } catch (InvocationTargetException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }
}
