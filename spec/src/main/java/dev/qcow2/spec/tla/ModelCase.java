package dev.qcow2.spec.tla;

import java.util.List;

/**
 * One model in one bound: a row of the file {@code models.txt}.
 *
 * @param name name of the configuration, unique within its scope
 * @param module name of the TLA+ module
 * @param scope how far it is explored
 * @param distinctStates how many different states TLC must find, so that a model cannot shrink unseen
 * @param clauses the ids of the clauses that it stands for
 * @param meaning what it shows, in one sentence
 */
public record ModelCase(
        String name, String module, ModelScope scope, long distinctStates, List<String> clauses, String meaning) {

    /** Makes a row; the list is copied. */
    public ModelCase {
        clauses = List.copyOf(clauses);
    }

    /**
     * Returns the configuration file of this row.
     *
     * @return a path beside the modules
     */
    public String configuration() {
        return scope.folder() + "/" + name + ".cfg";
    }
}
