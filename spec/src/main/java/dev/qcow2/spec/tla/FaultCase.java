package dev.qcow2.spec.tla;

/**
 * An error that is seeded into a model and must be found: a row of the file {@code faults.txt}.
 *
 * @param fault the value of the constant Fault
 * @param model name of the small model into which it is seeded
 * @param property the property that it must break first
 * @param greatestLength how many states the counterexample may have
 * @param resembles the error of the real world that it resembles, or "-"
 * @param meaning what goes wrong, in one sentence
 */
public record FaultCase(
        String fault, String model, String property, int greatestLength, String resembles, String meaning) {

    /**
     * Returns the name of this row.
     *
     * @return unique in the table
     */
    public String name() {
        return model + "/" + fault;
    }
}
