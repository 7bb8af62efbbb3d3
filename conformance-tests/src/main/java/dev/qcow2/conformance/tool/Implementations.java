package dev.qcow2.conformance.tool;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.MaintenanceDriver;

/** The implementations that {@code --impl} names. */
public final class Implementations {

    /** The environment variable that chooses where the option doesn't. */
    public static final String VARIABLE = "QCOW2_IMPL";

    /** What is used if nobody chooses. */
    public static final String DEFAULT = "optimized";

    private Implementations() {}

    /**
     * Finds an implementation.
     *
     * @param name {@code reference} or {@code optimized}
     * @return its driver
     * @throws ToolException if there is none of that name
     */
    public static MaintenanceDriver named(String name) throws ToolException {
        return switch (name) {
            case "reference" -> new ReferenceDriver();
            case "optimized" -> new OptimizedDriver();
            default ->
                throw new ToolException("there is no implementation '" + name + "'; choose reference or optimized");
        };
    }
}
