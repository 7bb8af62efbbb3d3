package dev.qcow2.conformance.generate;

/**
 * What a sequence may ask for.
 *
 * @param snapshots true if every implementation can take internal snapshots
 * @param qemu true if QEMU takes part in the sequence
 */
public record Abilities(boolean snapshots, boolean qemu) {}
