package dev.qcow2.conformance.io;

/** The texts that tell what a request did: how much in what time, and the bytes themselves. */
final class Report {

    private static final int BYTES_PER_LINE = 16;
    private static final int OFFSET_DIGITS = 8;

    private Report() {}

    /** How results are told. */
    enum Style {
        /** Two lines for people. */
        PEOPLE,
        /** One line with commas, for programs. */
        PROGRAMS,
        /** Nothing. */
        QUIET
    }

    /** Tells how many bytes went where and how long it took. */
    static String statistics(Style style, String verb, long offset, long bytes, long nanoseconds) {
        double seconds = Math.max(1, nanoseconds) / 1e9;
        double byteRate = bytes / seconds;
        double requestRate = 1 / seconds;
        return switch (style) {
            case PEOPLE ->
                verb + " " + bytes + "/" + bytes + " bytes at offset " + offset + "\n" + Numbers.size(bytes)
                        + ", 1 ops; " + duration(nanoseconds) + " (" + Numbers.size(byteRate) + "/sec and "
                        + Numbers.fixed(requestRate, 4) + " ops/sec)\n";
            case PROGRAMS ->
                bytes + ",1," + clock(nanoseconds) + "," + Numbers.fixed(byteRate, 3) + ","
                        + Numbers.fixed(requestRate, 3) + "\n";
            case QUIET -> "";
        };
    }

    private static String duration(long nanoseconds) {
        long minute = 60_000_000_000L;
        return nanoseconds >= minute ? clock(nanoseconds) : seconds(nanoseconds) + " sec";
    }

    /** Hours, minutes and seconds with hundredths. */
    private static String clock(long nanoseconds) {
        long minutes = nanoseconds / 60_000_000_000L;
        return minutes / 60 + ":" + twoDigits(minutes % 60) + ":" + seconds(nanoseconds);
    }

    private static String seconds(long nanoseconds) {
        long hundredths = nanoseconds / 10_000_000 % 6000;
        return twoDigits(hundredths / 100) + "." + twoDigits(hundredths % 100);
    }

    private static String twoDigits(long number) {
        return number < 10 ? "0" + number : Long.toString(number);
    }

    /** Shows bytes as hexadecimal numbers, and as letters and digits where they are such. */
    static String dump(byte[] bytes, int count, long offset) {
        StringBuilder text = new StringBuilder(count * 5);
        for (int line = 0; line < count; line += BYTES_PER_LINE) {
            String start = Long.toHexString(offset + line);
            text.append("0".repeat(Math.max(0, OFFSET_DIGITS - start.length())))
                    .append(start)
                    .append(":  ");
            int end = Math.min(count, line + BYTES_PER_LINE);
            for (int i = line; i < end; i++) {
                text.append(Character.forDigit(bytes[i] >> 4 & 0xf, 16))
                        .append(Character.forDigit(bytes[i] & 0xf, 16))
                        .append(' ');
            }
            text.append(' ');
            for (int i = line; i < end; i++) {
                text.append(isLetterOrDigit(bytes[i]) ? (char) bytes[i] : '.');
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static boolean isLetterOrDigit(byte value) {
        return (value >= '0' && value <= '9') || (value >= 'A' && value <= 'Z') || (value >= 'a' && value <= 'z');
    }
}
