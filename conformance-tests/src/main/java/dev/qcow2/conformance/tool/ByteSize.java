package dev.qcow2.conformance.tool;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people type and read them: {@code 64k}, {@code 1.5G}, {@code 0x200}; 64 KiB, 1.5 GiB. */
public final class ByteSize {

    private static final Pattern DECIMAL = Pattern.compile("([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)([a-zA-Z]?)");
    private static final Pattern HEXADECIMAL = Pattern.compile("0[xX]([0-9a-fA-F]+)([gGkKmMpPtT]?)");
    private static final String SUFFIXES = "bkmgtpe";
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private ByteSize() {}

    /**
     * Reads a size.
     *
     * @param text a number, hexadecimal or decimal, with one of the suffixes b, k, M, G, T, P, E or none
     * @return bytes; empty if the text is no size, is negative, is no whole number of bytes, or does not fit
     */
    public static OptionalLong parse(String text) {
        Matcher hexadecimal = HEXADECIMAL.matcher(text);
        if (hexadecimal.matches()) {
            return scaled(new BigDecimal(new BigInteger(hexadecimal.group(1), 16)), hexadecimal.group(2));
        }
        Matcher decimal = DECIMAL.matcher(text);
        if (!decimal.matches()) {
            return OptionalLong.empty();
        }
        return scaled(new BigDecimal(decimal.group(1)), decimal.group(2));
    }

    /**
     * Says whether a text is a size that does not fit into 63 bits.
     *
     * @param text as for {@link #parse}
     * @return true for {@code 8E} and the like
     */
    public static boolean isTooLarge(String text) {
        boolean shaped =
                HEXADECIMAL.matcher(text).matches() || DECIMAL.matcher(text).matches();
        // What is left is a fraction of a byte or an unknown suffix.
        return shaped
                && !text.contains(".")
                && parse(text).isEmpty()
                && parse("1" + suffix(text)).isPresent();
    }

    private static String suffix(String text) {
        String last = text.substring(text.length() - 1);
        return Character.isDigit(last.charAt(0)) ? "" : last;
    }

    private static OptionalLong scaled(BigDecimal number, String suffix) {
        int power = suffix.isEmpty() ? 0 : SUFFIXES.indexOf(suffix.toLowerCase(Locale.ROOT));
        if (power < 0) {
            return OptionalLong.empty();
        }
        BigDecimal bytes = number.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(10 * power)));
        // A fraction of a byte is an error without a unit, and is cut off with one.
        if (power == 0 && bytes.stripTrailingZeros().scale() > 0) {
            return OptionalLong.empty();
        }
        BigInteger whole = bytes.toBigInteger();
        return whole.bitLength() > 63 ? OptionalLong.empty() : OptionalLong.of(whole.longValue());
    }

    /**
     * Writes a size with three significant digits and the largest unit that leaves at least 1 before the point.
     *
     * @param bytes 0 or more
     * @return for instance {@code 64 KiB} or {@code 1.5 GiB}
     */
    public static String text(long bytes) {
        int unit = 0;
        // 1000 KiB and more is written in the next unit, as QEMU does.
        while (unit < UNITS.length - 1 && bytes / scale(unit) >= 1000) {
            unit++;
        }
        return significant(bytes / scale(unit)) + " " + UNITS[unit];
    }

    private static double scale(int unit) {
        return Math.scalb(1.0, 10 * unit);
    }

    /** Three significant digits without trailing zeros, as C's format %0.3g writes numbers below 1000. */
    private static String significant(double number) {
        if (number == 0) {
            return "0";
        }
        BigDecimal rounded = new BigDecimal(number).round(new MathContext(3, RoundingMode.HALF_EVEN));
        BigDecimal stripped = rounded.stripTrailingZeros();
        return stripped.scale() < 0 ? stripped.setScale(0).toPlainString() : stripped.toPlainString();
    }
}
