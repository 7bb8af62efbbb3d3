package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.concurrent.ConcurrentDifference;
import java.util.Optional;

/**
 * What a campaign did and found with requests that overlap in time.
 *
 * @param sequences scenarios that were run
 * @param requests of all their threads
 * @param mostInFlight threads of the largest of them
 * @param difference what was found
 */
public record ConcurrentResult(
        long sequences, long requests, int mostInFlight, Optional<ConcurrentDifference> difference) {}
