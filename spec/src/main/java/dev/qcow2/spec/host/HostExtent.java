package dev.qcow2.spec.host;

/**
 * A run of bytes of a file that the host stores alike.
 *
 * @param hole true if the host stores nothing for the run, which then reads as zero; false if it may hold anything
 * @param end first offset behind the run
 */
public record HostExtent(boolean hole, long end) {}
