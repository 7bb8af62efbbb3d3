package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.layout.HeaderLayout;
import dev.qcow2.spec.layout.SnapshotLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A snapshot of an image as it is listed.
 *
 * @param id unique in the image
 * @param name as the user gave it
 * @param vmStateSize bytes of saved machine state
 * @param seconds when it was taken, since the epoch
 * @param nanoseconds the fraction of that second
 * @param vmClock nanoseconds that the guest had run
 * @param instructions that the guest had run, where they were counted
 */
public record SnapshotRow(
        String id,
        String name,
        long vmStateSize,
        long seconds,
        long nanoseconds,
        long vmClock,
        OptionalLong instructions) {

    private static final int MOST = 65536;
    private static final long NANOSECONDS = 1_000_000_000L;
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

    /**
     * Reads the snapshot table of an image that an implementation has opened, and thereby checked.
     *
     * @param file the image
     * @param facts its header
     * @return snapshots in the order of the table
     * @throws DiskException if the host fails
     */
    public static List<SnapshotRow> of(HostFile file, HeaderFacts facts) throws DiskException {
        long at = facts.value(HeaderLayout.SNAPSHOTS_OFFSET);
        long count = Math.min(MOST, facts.value(HeaderLayout.NB_SNAPSHOTS));
        List<SnapshotRow> rows = new ArrayList<>();
        for (long i = 0; i < count && at < file.size(); i++) {
            ByteBuffer fixed = bytes(file, at, SnapshotLayout.ENTRY.size());
            int extra = (int) Math.min(1 << 16, SnapshotLayout.EXTRA_DATA_SIZE.get(fixed, 0));
            int id = (int) SnapshotLayout.ID_SIZE.get(fixed, 0);
            int name = (int) SnapshotLayout.NAME_SIZE.get(fixed, 0);
            ByteBuffer rest = bytes(file, at + fixed.limit(), extra + id + name);
            rows.add(row(fixed, rest, extra, id, name));
            at += (fixed.limit() + rest.limit() + 7L) / 8 * 8;
        }
        return rows;
    }

    private static ByteBuffer bytes(HostFile file, long offset, int length) throws DiskException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        file.readZeroPadded(offset, buffer);
        return buffer.flip();
    }

    private static SnapshotRow row(ByteBuffer fixed, ByteBuffer rest, int extra, int id, int name) {
        long vmState = extra >= 8
                ? SnapshotLayout.LARGE_VM_STATE_SIZE.get(rest, 0)
                : SnapshotLayout.VM_STATE_SIZE.get(fixed, 0);
        long counted = extra >= 24 ? SnapshotLayout.INSTRUCTION_COUNT.get(rest, 0) : -1;
        return new SnapshotRow(
                text(rest, extra, id),
                text(rest, extra + id, name),
                vmState,
                SnapshotLayout.DATE_SECONDS.get(fixed, 0),
                SnapshotLayout.DATE_NANOSECONDS.get(fixed, 0),
                SnapshotLayout.VM_CLOCK.get(fixed, 0),
                counted == -1 ? OptionalLong.empty() : OptionalLong.of(counted));
    }

    private static String text(ByteBuffer bytes, int from, int length) {
        return StandardCharsets.UTF_8.decode(bytes.slice(from, length)).toString();
    }

    /**
     * Returns the line above all rows.
     *
     * @return names of columns
     */
    public static String heading() {
        return String.format("%-10s%-17s%8s%20s%13s%11s", "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
    }

    /**
     * Returns the row as people read it.
     *
     * @return one line
     */
    public String line() {
        long milliseconds = vmClock / 1_000_000;
        String clock = String.format(
                Locale.ROOT,
                "%02d:%02d:%02d.%03d",
                milliseconds / 3_600_000,
                milliseconds / 60_000 % 60,
                milliseconds / 1000 % 60,
                milliseconds % 1000);
        String date = DATE.format(Instant.ofEpochSecond(seconds).atZone(ZoneId.systemDefault()));
        String counted = instructions.isPresent() ? String.valueOf(instructions.getAsLong()) : "";
        return String.format("%-9s %-16s %8s%20s%13s%11s", id, name, ByteSize.text(vmStateSize), date, clock, counted);
    }

    /**
     * Returns the row as programs read it.
     *
     * @return members by name
     */
    public Map<String, Object> members() {
        Map<String, Object> members = new LinkedHashMap<>();
        instructions.ifPresent(count -> members.put("icount", count));
        members.put("vm-clock-nsec", vmClock % NANOSECONDS);
        members.put("name", name);
        members.put("date-sec", seconds);
        members.put("date-nsec", nanoseconds);
        members.put("vm-clock-sec", vmClock / NANOSECONDS);
        members.put("id", id);
        members.put("vm-state-size", vmStateSize);
        return members;
    }
}
