package dev.qcow2.conformance.language;

/** A step on a persistent bitmap. Its line begins with {@code bitmap}, the action and the bitmap's name. */
public sealed interface BitmapStep extends Operation {

    /** What is done. */
    enum Action {
        /** {@link BitmapStep.Add}. */
        ADD,
        /** {@link BitmapStep.Simple}: the bitmap goes. */
        REMOVE,
        /** {@link BitmapStep.Simple}: nothing is dirty any more. */
        CLEAR,
        /** {@link BitmapStep.Simple}: it follows changes from now on. */
        ENABLE,
        /** {@link BitmapStep.Simple}: it does not follow changes any more. */
        DISABLE,
        /** {@link BitmapStep.Simple}: what is dirty is compared. */
        ASK,
        /** {@link BitmapStep.Merge}. */
        MERGE
    }

    @Override
    default Kind kind() {
        return Kind.BITMAP;
    }

    @Override
    default <R, E extends Exception> R accept(OperationVisitor<R, E> visitor) throws E {
        return visitor.bitmap(this);
    }

    /**
     * Returns what is done.
     *
     * @return one of the actions of the class
     */
    Action action();

    /**
     * Returns the bitmap that it is done to.
     *
     * @return its name, without blanks
     */
    String name();

    /**
     * Adds a bitmap with nothing dirty. All implementations have to refuse it, or none.
     *
     * @param name unique in the image
     * @param granularityBits 9 to 31
     * @param enabled whether it follows changes
     */
    record Add(String name, int granularityBits, boolean enabled) implements BitmapStep {
        @Override
        public Action action() {
            return Action.ADD;
        }
    }

    /**
     * Does something to one bitmap; nothing happens if there is none of the name.
     *
     * @param action all but {@code ADD} and {@code MERGE}
     * @param name the bitmap
     */
    record Simple(Action action, String name) implements BitmapStep {}

    /**
     * Adds to a bitmap what is dirty in another one; nothing happens if one of them is missing.
     *
     * @param name the bitmap that changes
     * @param from the other one
     */
    record Merge(String name, String from) implements BitmapStep {
        @Override
        public Action action() {
            return Action.MERGE;
        }
    }
}
