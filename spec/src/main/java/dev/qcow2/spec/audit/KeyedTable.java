package dev.qcow2.spec.audit;

import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A hash table whose values carry their own key of type {@code long}. The JDK's maps would make an object of each key,
 * and an audit looks up millions.
 */
final class KeyedTable<T extends KeyedTable.Keyed> {

    /** A value with its key. */
    abstract static class Keyed {
        final long key;

        Keyed(long key) {
            this.key = key;
        }
    }

    private final IntFunction<@Nullable T[]> arrays;
    private @Nullable T[] slots;
    private int size;

    KeyedTable(IntFunction<@Nullable T[]> arrays) {
        this.arrays = arrays;
        this.slots = arrays.apply(16);
    }

    @Nullable
    T find(long key) {
        return slots[slot(slots, key)];
    }

    /** Adds a value whose key is not there yet. */
    void add(T value) {
        if (2 * size >= slots.length) {
            grow();
        }
        slots[slot(slots, value.key)] = value;
        size++;
    }

    void clear() {
        slots = arrays.apply(16);
        size = 0;
    }

    void forEach(Consumer<? super T> action) {
        for (T value : slots) {
            if (value != null) {
                action.accept(value);
            }
        }
    }

    private void grow() {
        @Nullable T[] larger = arrays.apply(2 * slots.length);
        for (T value : slots) {
            if (value != null) {
                larger[slot(larger, value.key)] = value;
            }
        }
        slots = larger;
    }

    private int slot(@Nullable T[] array, long key) {
        int mask = array.length - 1;
        int at = Scatter.hash(key) & mask;
        T value = array[at];
        while (value != null && value.key != key) {
            at = (at + 1) & mask;
            value = array[at];
        }
        return at;
    }
}
