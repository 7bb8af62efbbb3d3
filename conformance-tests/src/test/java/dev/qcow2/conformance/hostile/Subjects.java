package dev.qcow2.conformance.hostile;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.List;

/** Who is put to the test. */
final class Subjects {

    private Subjects() {}

    static List<DiskDriver> drivers() {
        return List.of(new ReferenceDriver(), new OptimizedDriver());
    }
}
