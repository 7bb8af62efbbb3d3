package dev.qcow2.conformance.command;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.optimized.OptimizedOptions;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.ArrayList;
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

    /**
     * Reference, optimized, and in turn other points of its lattice: no optimisation, each alone,
     * each pair, all but one.
     */
    static Drivers standard() {
        int all = (1 << OptimizedOptions.SWITCHES) - 1;
        List<DiskDriver> rotating = new ArrayList<>();
        for (int bits = 0; bits < all; bits++) {
            int on = Integer.bitCount(bits);
            if (on <= 2 || on == OptimizedOptions.SWITCHES - 1) {
                rotating.add(optimized(bits));
            }
        }
        return new Drivers(List.of(new ReferenceDriver(), new OptimizedDriver()), List.copyOf(rotating));
    }

    /** The name says which switches are on: bit i for the i-th. */
    private static DiskDriver optimized(int bits) {
        return new NamedDriver("optimized-" + bits, new OptimizedDriver(OptimizedOptions.of(bits)));
    }

    Optional<DiskDriver> named(String name) {
        return all().filter(driver -> driver.name().equals(name)).findFirst();
    }

    /** Who reads what that implementation wrote: another one, if there is another. */
    DiskDriver witness(DiskDriver subject) {
        return main.stream()
                .filter(driver -> !driver.name().equals(subject.name()))
                .findFirst()
                .orElse(subject);
    }

    String names() {
        return all().map(DiskDriver::name).collect(Collectors.joining(", "));
    }

    private Stream<DiskDriver> all() {
        return Stream.concat(main.stream(), rotating.stream());
    }
}
