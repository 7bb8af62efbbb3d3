package dev.qcow2.reference;

import dev.qcow2.spec.clause.Clause;
import java.util.ArrayList;
import java.util.List;

/**
 * What one operation will do to the image file, step by step, before any of it is done. Immutable.
 *
 * <p>The steps stand in six sections, always in the same order. Whatever prefix of them reaches the disk, the image has
 * no corruption, only leaks; the section LINK is where the new state becomes visible. A plan that is done leaves an
 * image that is right, and so the next plan needs nothing but the file.
 */
public final class Plan {

    /** The parts of every operation. */
    public enum Section {
        /** What the metadata says now. */
        LOCATE,
        /** Which way is taken, and why. */
        DECIDE,
        /** Free clusters are taken: their counts are raised. */
        ALLOCATE,
        /** New bytes go where nothing points at yet. */
        COPY,
        /** One pointer changes. */
        LINK,
        /** What nothing points at any more is given up. */
        RELEASE
    }

    /** A step with its place and the rule behind it. */
    record Line(Section section, Clause clause, Step step) {
        @Override
        public String toString() {
            return String.format("%-8s %s [%s]", section, step, clause.id());
        }
    }

    private final String title;
    private final List<Line> lines;

    private Plan(String title, List<Line> lines) {
        this.title = title;
        this.lines = List.copyOf(lines);
    }

    /**
     * Says what the operation is.
     *
     * @return one line
     */
    public String title() {
        return title;
    }

    /**
     * Says how many steps there are.
     *
     * @return steps, the notes of LOCATE and DECIDE included
     */
    public int size() {
        return lines.size();
    }

    List<Line> lines() {
        return lines;
    }

    /** The plan as a reader wants it: its title, then a line per step with section and clause. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(title);
        for (int i = 0; i < lines.size(); i++) {
            text.append(String.format("%n%3d  %s", i + 1, lines.get(i)));
        }
        return text.toString();
    }

    /** Collects the steps of a plan and holds them to the order of the sections. */
    static final class Builder {

        private final String title;
        private final List<Line> lines = new ArrayList<>();
        private Section current = Section.LOCATE;

        Builder(String title) {
            this.title = title;
        }

        Builder add(Section section, Clause clause, Step step) {
            if (section.compareTo(current) < 0) {
                throw new IllegalStateException(section + " after " + current);
            }
            current = section;
            lines.add(new Line(section, clause, step));
            return this;
        }

        Builder note(Section section, Clause clause, String text) {
            return add(section, clause, new Step.Note(text));
        }

        /** Adds a flush, unless the step before is one. */
        Builder flush(Section section, Clause clause) {
            boolean flushed = !lines.isEmpty() && lines.get(lines.size() - 1).step() instanceof Step.Flush;
            return flushed ? this : add(section, clause, new Step.Flush());
        }

        Plan build() {
            return new Plan(title, lines);
        }
    }
}
