package dev.qcow2.conformance.campaign;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a campaign did and found.
 *
 * @param seed from which everything was drawn
 * @param sequences that were run to their end or to a difference
 * @param guestOperations operations of those sequences, each counted once whatever the number of implementations
 * @param qemuSequences of which QEMU took part in so many
 * @param elapsed how long it took
 * @param oracles who took part
 * @param notes what the reader has to know, for instance that an oracle was missing
 * @param coverage what was met
 * @param concurrent what was done and found with requests that overlap in time
 * @param difference what was found, with its minimal script
 */
public record CampaignResult(
        long seed,
        long sequences,
        long guestOperations,
        long qemuSequences,
        Duration elapsed,
        List<String> oracles,
        List<String> notes,
        Coverage coverage,
        ConcurrentResult concurrent,
        Optional<Difference> difference) {

    /** Copies the lists. */
    public CampaignResult {
        oracles = List.copyOf(oracles);
        notes = List.copyOf(notes);
    }
}
