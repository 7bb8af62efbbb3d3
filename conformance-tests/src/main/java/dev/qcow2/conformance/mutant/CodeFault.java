package dev.qcow2.conformance.mutant;

import dev.qcow2.conformance.concurrent.RaceFault;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * A wrong implementation, whatever kind it is of.
 *
 * @param name unique among all kinds
 * @param kind how it shows itself
 * @param feature in which form of image, for the kind FEATURE
 * @param driver the implementation
 */
public record CodeFault(String name, Kind kind, Optional<FeatureFault> feature, DiskDriver driver) {

    /** How a fault shows itself. */
    public enum Kind {
        /** In a sequence of requests. */
        SEQUENCE,
        /** After a power cut. */
        ORDER,
        /** In images with features, by one sequence for each of their forms. */
        FEATURE,
        /** When requests overlap. */
        RACE,
        /** In bitmaps, chains of files or tables that the header names, mostly after a power cut. */
        STRUCTURE
    }

    /** Faults that nobody sees who lets the power on. */
    static final Set<Fault> ORDER_FAULTS = EnumSet.of(
            Fault.NO_FLUSH_BEFORE_LINK,
            Fault.LOWERED_BEFORE_UNLINKED,
            Fault.REUSED_BEFORE_FLUSH,
            Fault.SNAPSHOT_HEADER_FIRST,
            Fault.SNAPSHOT_WITHOUT_FLUSH,
            Fault.SNAPSHOT_FLAGS_LAST,
            Fault.SNAPSHOT_DELETE_LOWERS_FIRST,
            Fault.SNAPSHOT_DELETE_WITHOUT_FLUSH,
            Fault.SNAPSHOT_APPLY_WITHOUT_FLUSH,
            Fault.SNAPSHOT_APPLY_LOWERS_FIRST,
            Fault.FLUSH_FORGOTTEN);

    /**
     * Finds a fault by its name.
     *
     * @param name the name of a constant of {@link Fault}, {@link FeatureFault}, {@link StructureFault} or
     *     {@link RaceFault}
     * @return the fault
     * @throws IllegalArgumentException if there is none
     */
    public static CodeFault of(String name) {
        for (Fault fault : Fault.values()) {
            if (fault.name().equals(name)) {
                Kind kind = ORDER_FAULTS.contains(fault) ? Kind.ORDER : Kind.SEQUENCE;
                return new CodeFault(name, kind, Optional.empty(), new MutantDriver(fault));
            }
        }
        for (FeatureFault fault : FeatureFault.values()) {
            if (fault.name().equals(name)) {
                Optional<FeatureFault> feature = Optional.of(fault);
                return new CodeFault(name, Kind.FEATURE, feature, new FeatureFaultDriver(feature));
            }
        }
        for (RaceFault fault : RaceFault.values()) {
            if (fault.name().equals(name)) {
                return new CodeFault(name, Kind.RACE, Optional.empty(), fault.plant(new OptimizedDriver()));
            }
        }
        for (StructureFault fault : StructureFault.values()) {
            if (fault.name().equals(name)) {
                return new CodeFault(name, Kind.STRUCTURE, Optional.empty(), new StructureFaultDriver(fault));
            }
        }
        throw new IllegalArgumentException("there is no fault " + name);
    }
}
