package dev.qcow2.conformance.concurrent;

import java.util.List;
import java.util.Optional;

/**
 * What a read saw while others wrote.
 *
 * @param offset first byte, as an index into the disk
 * @param bytes what was seen
 * @param finished when it was answered
 */
@SuppressWarnings("ArrayRecordComponent")
record ReadBack(int offset, byte[] bytes, long finished) {

    /**
     * Says which byte of which read comes from nowhere: it must be what stood there before, or what a
     * request put there that was sent before the read was answered.
     */
    static Optional<String> foreign(byte[] before, List<Effect> effects, List<ReadBack> reads) {
        return reads.stream()
                .map(read -> read.foreignByte(before, effects))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private Optional<String> foreignByte(byte[] before, List<Effect> effects) {
        boolean[] known = new boolean[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            known[i] = bytes[i] == before[offset + i];
        }
        for (Effect effect : effects) {
            if (effect.started() < finished) {
                int to = Math.min(effect.end(), offset + bytes.length);
                for (int at = Math.max(effect.offset(), offset); at < to; at++) {
                    known[at - offset] |= bytes[at - offset] == effect.bytes()[at - effect.offset()];
                }
            }
        }
        for (int i = 0; i < bytes.length; i++) {
            if (!known[i]) {
                return Optional.of(
                        String.format("a read saw 0x%02x at byte %d, which nobody wrote", bytes[i], offset + i));
            }
        }
        return Optional.empty();
    }
}
