package dev.qcow2.spec.layout;

import java.util.List;

/**
 * Fields that stand together on disk.
 *
 * @param <F> whether the fields are bytes or bits
 * @param name what the format calls it
 * @param size bytes or bits, in the unit of the fields; what varies in length after that is not counted
 * @param fields in ascending order, without overlap
 */
public record Structure<F extends Field>(String name, int size, List<F> fields) {

    /** Keeps the list from changing. */
    public Structure {
        fields = List.copyOf(fields);
    }

    /**
     * Finds a field.
     *
     * @param fieldName its name
     * @return the field
     * @throws IllegalArgumentException if the structure has no such field
     */
    public F field(String fieldName) {
        return fields.stream()
                .filter(field -> field.name().equals(fieldName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name + " has no field " + fieldName));
    }
}
