package dev.qcow2.conformance.io;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers as the commands of qemu-io take and print them. */
final class Numbers {

    private static final Pattern DECIMAL = Pattern.compile("\\s*\\+?([0-9]+)(\\.[0-9]*)?([bkmgtpeBKMGTPE]?)");
    private static final Pattern HEXADECIMAL = Pattern.compile("\\s*\\+?0[xX]([0-9a-fA-F]+)([gGkKmMpPtT]?)");
    private static final Pattern INTEGER = Pattern.compile("\\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)");
    private static final String SUFFIXES = "bkmgtpe";
    private static final String[] UNITS = {" bytes", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};

    private Numbers() {}

    /** Reads an offset or a length. */
    static long bytes(String text, IoOutput output) throws CommandFailure {
        return bytes(text, text, output);
    }

    /** Reads an offset or a length; a refusal quotes another word than the wrong one, where qemu-io does so. */
    static long bytes(String text, String quoted, IoOutput output) throws CommandFailure {
        Matcher hexadecimal = HEXADECIMAL.matcher(text);
        if (hexadecimal.matches()) {
            String suffix = hexadecimal.group(2);
            if (!suffix.isEmpty()) {
                output.warning("Using a multiplier suffix on hex numbers is deprecated: " + text);
            }
            return fitting(quoted, new BigDecimal(new BigInteger(hexadecimal.group(1), 16)).multiply(unit(suffix)));
        }
        Matcher decimal = DECIMAL.matcher(text);
        if (!decimal.matches() || splitsBytes(decimal.group(2), decimal.group(3))) {
            throw CommandFailure.result(
                    "Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- " + quoted);
        }
        String fraction = decimal.group(2) == null ? "" : decimal.group(2);
        BigDecimal number = new BigDecimal(decimal.group(1) + (fraction.equals(".") ? "" : fraction));
        return fitting(quoted, number.multiply(unit(decimal.group(3))));
    }

    private static boolean splitsBytes(@org.jspecify.annotations.Nullable String fraction, String suffix) {
        boolean bytes = suffix.isEmpty() || suffix.equalsIgnoreCase("b");
        return bytes && fraction != null && !fraction.matches("\\.0*");
    }

    private static BigDecimal unit(String suffix) {
        int power = suffix.isEmpty() ? 0 : SUFFIXES.indexOf(suffix.toLowerCase(Locale.ROOT));
        return new BigDecimal(BigInteger.ONE.shiftLeft(10 * power));
    }

    private static long fitting(String text, BigDecimal number) throws CommandFailure {
        BigInteger whole = number.setScale(0, RoundingMode.HALF_UP).toBigInteger();
        if (whole.bitLength() > 63) {
            throw CommandFailure.result("Parsing error: argument too large -- " + text);
        }
        return whole.longValue();
    }

    /** Reads a number as C's {@code strtol} does with base 0; empty if it is none. A number that does not fit is the nearest that does. */
    static OptionalLong integer(String text) {
        Matcher matcher = INTEGER.matcher(text);
        if (!matcher.matches()) {
            return OptionalLong.empty();
        }
        String digits = matcher.group(2);
        BigInteger number;
        if (digits.startsWith("0x") || digits.startsWith("0X")) {
            number = new BigInteger(digits.substring(2), 16);
        } else {
            number = new BigInteger(digits, digits.startsWith("0") ? 8 : 10);
        }
        BigInteger signed = matcher.group(1).equals("-") ? number.negate() : number;
        BigInteger most = BigInteger.valueOf(Long.MAX_VALUE);
        return OptionalLong.of(signed.min(most).max(most.negate()).longValue());
    }

    /** Reads a byte that memory is filled with. */
    static byte pattern(String text) throws CommandFailure {
        OptionalLong number = integer(text);
        if (number.isEmpty() || number.getAsLong() < 0 || number.getAsLong() > 0xff) {
            throw CommandFailure.result(text + " is not a valid pattern byte");
        }
        return (byte) number.getAsLong();
    }

    /** As {@link #size(double)}. */
    static String size(long bytes) {
        return size((double) bytes);
    }

    /** Writes a number of bytes with the largest unit that leaves at least 1. */
    static String size(double bytes) {
        int unit = 0;
        while (unit < UNITS.length - 1 && bytes >= Math.scalb(1.0, 10 * (unit + 1))) {
            unit++;
        }
        int digits = unit == 0 ? 6 : 3;
        String text = fixed(bytes / Math.scalb(1.0, 10 * unit), digits);
        String zeros = "." + "0".repeat(digits);
        return (text.endsWith(zeros) ? text.substring(0, text.length() - zeros.length()) : text) + UNITS[unit];
    }

    /** Writes a number with so many digits behind the point. */
    static String fixed(double number, int digits) {
        return BigDecimal.valueOf(number)
                .setScale(digits, RoundingMode.HALF_EVEN)
                .toPlainString();
    }
}
