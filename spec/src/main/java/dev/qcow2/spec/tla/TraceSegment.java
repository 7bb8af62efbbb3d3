package dev.qcow2.spec.tla;

import dev.qcow2.spec.trace.TraceEvent;
import dev.qcow2.spec.trace.TraceEvent.Image;
import java.util.ArrayList;
import java.util.List;

/**
 * A part of a trace that begins with the description of an image and ends before the next one.
 *
 * @param trace index of the trace
 * @param first index of its first event in the trace
 * @param image what kind of image it is about
 * @param events from the description on
 */
record TraceSegment(int trace, int first, Image image, List<TraceEvent> events) {

    static List<TraceSegment> of(int trace, List<TraceEvent> events) {
        List<TraceSegment> segments = new ArrayList<>();
        int start = -1;
        for (int i = 0; i <= events.size(); i++) {
            if (i == events.size() || events.get(i) instanceof Image) {
                if (start >= 0 && events.get(start) instanceof Image image) {
                    segments.add(new TraceSegment(trace, start, image, events.subList(start, i)));
                }
                start = i;
            }
        }
        return segments;
    }

    /** Segments of the same kind can be judged in one run. */
    String kind() {
        return image.version() + " " + image.subclusters() + " " + image.backed();
    }
}
