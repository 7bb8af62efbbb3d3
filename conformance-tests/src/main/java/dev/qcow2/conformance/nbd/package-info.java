/**
 * A disk over the network block device protocol (NBD), so that QEMU, the kernel and every other client can use either
 * implementation.
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.nbd.Greeting}, {@link dev.qcow2.conformance.nbd.OptionRequest},
 *       {@link dev.qcow2.conformance.nbd.OptionReply}: the messages of the handshake, each with its field table;
 *       {@link dev.qcow2.conformance.nbd.ExportQuestion} and {@link dev.qcow2.conformance.nbd.ContextQuestion} are what
 *       the options for exports and for block status carry
 *   <li>{@link dev.qcow2.conformance.nbd.Handshake}: fixed newstyle, option after option, until the client says go
 *   <li>{@link dev.qcow2.conformance.nbd.CommandHeader}, {@link dev.qcow2.conformance.nbd.Answer}: the messages
 *       of the transmission
 *   <li>{@link dev.qcow2.conformance.nbd.Transmission}: reads requests, and refuses those that break the protocol
 *   <li>{@link dev.qcow2.conformance.nbd.Performer}: what a request does to the disk
 *   <li>{@link dev.qcow2.conformance.nbd.AnswerQueue}: answers leave in the order in which they are ready
 *   <li>{@link dev.qcow2.conformance.nbd.Memory}: what clients can make the server hold is bounded
 *   <li>{@link dev.qcow2.conformance.nbd.NbdServer}: listens, counts clients, and ends in good order
 *   <li>{@link dev.qcow2.conformance.nbd.ServeCommand}: the command line
 * </ol>
 *
 * <p>One thread per client reads its requests; a bounded number of workers perform them, several of one client at the
 * same time. All numbers on the wire have their most significant byte first.
 */
@NullMarked
package dev.qcow2.conformance.nbd;

import org.jspecify.annotations.NullMarked;
