package dev.qcow2.conformance.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The power is cut under requests about bitmaps, chains of files and tables that the header names. */
class StructureFaultTest {

    private static final List<DiskDriver> RIGHT = List.of(new ReferenceDriver(), new OptimizedDriver());

    @TestFactory
    Stream<DynamicTest> rightImplementationsSurviveEveryCut() {
        return RIGHT.stream().flatMap(driver -> Arrays.stream(StructureFault.Scene.values())
                .map(scene -> DynamicTest.dynamicTest(
                        driver.name() + ", " + scene,
                        () -> assertThat(StructureCuts.damage(scene, driver, 5)).isEmpty())));
    }

    @TestFactory
    Stream<DynamicTest> everyFaultIsFound() {
        return Arrays.stream(StructureFault.values())
                .map(fault -> DynamicTest.dynamicTest(fault.clause().id() + " " + fault, () -> assertThat(
                                StructureCuts.damage(fault.scene(), new StructureFaultDriver(fault), 1))
                        .as(fault.story())
                        .isNotEmpty()));
    }
}
