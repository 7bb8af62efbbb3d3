package dev.qcow2.conformance.command;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The implementations that the command line knows.
 *
 * @param main those that take part in every sequence
 * @param rotating those of which each sequence gets one
 */
record Drivers(List<DiskDriver> main, List<DiskDriver> rotating) {

    static Drivers standard() {
        return new Drivers(List.of(new ReferenceDriver(), new OptimizedDriver()), List.of());
    }

    Optional<DiskDriver> named(String name) {
        return all().filter(driver -> driver.name().equals(name)).findFirst();
    }

    String names() {
        return all().map(DiskDriver::name).collect(Collectors.joining(", "));
    }

    private Stream<DiskDriver> all() {
        return Stream.concat(main.stream(), rotating.stream());
    }
}
