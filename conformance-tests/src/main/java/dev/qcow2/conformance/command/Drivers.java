package dev.qcow2.conformance.command;

import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The implementations that the command line knows. */
final class Drivers {

    private Drivers() {}

    /** Those that take part in every sequence. */
    static List<DiskDriver> main() {
        return List.of(new ReferenceDriver());
    }

    /** Those of which each sequence gets one. */
    static List<DiskDriver> rotating() {
        return List.of();
    }

    static String names() {
        return all().stream().map(DiskDriver::name).collect(Collectors.joining(", "));
    }

    private static List<DiskDriver> all() {
        List<DiskDriver> all = new ArrayList<>(main());
        all.addAll(rotating());
        return all;
    }

    static Optional<DiskDriver> named(String name) {
        return all().stream().filter(driver -> driver.name().equals(name)).findFirst();
    }
}
