package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.trace.TraceStore;
import dev.qcow2.spec.disk.DiskDriver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How much a campaign does, and with whose help.
 *
 * @param seed from which everything is drawn
 * @param sequences how many sequences are run at most
 * @param time after which no further sequence is begun; empty for no limit
 * @param workers threads
 * @param rotating further implementations, of which each sequence gets one in turn
 * @param concurrentEvery one of so many sequences is followed by one whose requests overlap in time; 0 for never
 * @param qemuEvery QEMU takes part in one of so many sequences; 0 for never
 * @param patience how long one sequence may take before it counts as a hang
 * @param shrinking how long a difference is shrunk
 * @param image an existing image to start from
 * @param traces where the traces of all images go, if anywhere
 */
public record CampaignOptions(
        long seed,
        long sequences,
        Optional<Duration> time,
        int workers,
        List<DiskDriver> rotating,
        int concurrentEvery,
        int qemuEvery,
        Duration patience,
        Duration shrinking,
        Optional<Path> image,
        Optional<TraceStore> traces) {

    /** Sequences of the default budget. */
    public static final long DEFAULT_SEQUENCES = 2000;

    /** Share of concurrent sequences of the default budget: one of so many. */
    public static final int DEFAULT_CONCURRENT_EVERY = 15;

    /** Copies the list. */
    public CampaignOptions {
        rotating = List.copyOf(rotating);
    }

    /**
     * Returns the default budget.
     *
     * @param seed from which everything is drawn
     * @return two workers, QEMU in one of forty sequences, nobody who rotates, nothing concurrent
     */
    public static CampaignOptions ofSeed(long seed) {
        return new CampaignOptions(
                seed,
                DEFAULT_SEQUENCES,
                Optional.empty(),
                2,
                List.of(),
                0,
                40,
                Duration.ofMinutes(1),
                Duration.ofSeconds(20),
                Optional.empty(),
                Optional.empty());
    }

    /**
     * Returns these options with another number of sequences.
     *
     * @param count how many at most
     * @return a copy
     */
    public CampaignOptions withSequences(long count) {
        return new CampaignOptions(
                seed, count, time, workers, rotating, concurrentEvery, qemuEvery, patience, shrinking, image, traces);
    }

    /**
     * Returns these options with a time limit.
     *
     * @param limit after which no further sequence is begun
     * @return a copy
     */
    public CampaignOptions withTime(Duration limit) {
        return new CampaignOptions(
                seed,
                sequences,
                Optional.of(limit),
                workers,
                rotating,
                concurrentEvery,
                qemuEvery,
                patience,
                shrinking,
                image,
                traces);
    }

    /**
     * Returns these options with another number of threads.
     *
     * @param threads 1 or more
     * @return a copy
     */
    public CampaignOptions withWorkers(int threads) {
        return new CampaignOptions(
                seed,
                sequences,
                time,
                threads,
                rotating,
                concurrentEvery,
                qemuEvery,
                patience,
                shrinking,
                image,
                traces);
    }

    /**
     * Returns these options with implementations that take turns.
     *
     * @param drivers of which each sequence gets one
     * @return a copy
     */
    public CampaignOptions withRotating(List<DiskDriver> drivers) {
        return new CampaignOptions(
                seed,
                sequences,
                time,
                workers,
                drivers,
                concurrentEvery,
                qemuEvery,
                patience,
                shrinking,
                image,
                traces);
    }

    /**
     * Returns these options with another share of concurrent sequences.
     *
     * @param every one of so many; 0 for never
     * @return a copy
     */
    public CampaignOptions withConcurrentEvery(int every) {
        return new CampaignOptions(
                seed, sequences, time, workers, rotating, every, qemuEvery, patience, shrinking, image, traces);
    }

    /**
     * Returns these options with QEMU in another share of the sequences.
     *
     * @param every one of so many; 0 for never
     * @return a copy
     */
    public CampaignOptions withQemuEvery(int every) {
        return new CampaignOptions(
                seed, sequences, time, workers, rotating, concurrentEvery, every, patience, shrinking, image, traces);
    }

    /**
     * Returns these options with other limits for a sequence and for shrinking.
     *
     * @param hang how long one sequence may take
     * @param shrink how long a difference is shrunk
     * @return a copy
     */
    public CampaignOptions withPatience(Duration hang, Duration shrink) {
        return new CampaignOptions(
                seed, sequences, time, workers, rotating, concurrentEvery, qemuEvery, hang, shrink, image, traces);
    }

    /**
     * Returns these options with an existing image to start from.
     *
     * @param file a qcow2 image; it is never written
     * @return a copy
     */
    public CampaignOptions withImage(Path file) {
        return new CampaignOptions(
                seed,
                sequences,
                time,
                workers,
                rotating,
                concurrentEvery,
                qemuEvery,
                patience,
                shrinking,
                Optional.of(file),
                traces);
    }

    /**
     * Returns these options with a place for the traces of all images.
     *
     * @param store keeps them
     * @return a copy
     */
    public CampaignOptions withTraces(TraceStore store) {
        return new CampaignOptions(
                seed,
                sequences,
                time,
                workers,
                rotating,
                concurrentEvery,
                qemuEvery,
                patience,
                shrinking,
                image,
                Optional.of(store));
    }
}
