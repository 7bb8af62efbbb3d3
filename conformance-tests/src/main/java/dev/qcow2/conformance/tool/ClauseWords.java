package dev.qcow2.conformance.tool;

import dev.qcow2.spec.clause.Clause;
import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.LimitClause;
import dev.qcow2.spec.disk.MalformedImageException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What QEMU's users know as the name of a rule that a header breaks. */
final class ClauseWords {

    private static final Pattern NUMBER = Pattern.compile("-?\\d+");
    private static final int SHORTEST_HEADER = 104;
    private static final long TOO_BIG = 1L << 60;

    private ClauseWords() {}

    /** Returns the words, if the rule has some. */
    static Optional<String> of(MalformedImageException failure) {
        Clause clause = failure.clause();
        if (clause.equals(ExtensionClause.QC_EXT_03)) {
            return Optional.of("Header extension too large");
        }
        if (clause.equals(HeaderClause.QC_HDR_19)) {
            boolean missing = failure.found().equals("0") || failure.allowed().startsWith("not 0");
            return Optional.of(
                    "qcow2: Compression type incompatible feature bit must " + (missing ? "not be set" : "be set"));
        }
        long place = failure.hostOffset();
        return place < 112 ? header((int) place, clause, number(failure.found())) : Optional.empty();
    }

    private static long number(String found) {
        Matcher matcher = NUMBER.matcher(found);
        try {
            return matcher.find() ? Long.parseLong(matcher.group()) : 0;
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    private static Optional<String> header(int place, Clause clause, long found) {
        return Optional.ofNullable(
                switch (place) {
                    case 0 -> "Image is not in qcow2 format";
                    case 4 -> "Unsupported qcow2 version " + unsigned(found);
                    case 8 -> "Invalid backing file offset";
                    case 16 -> "Backing file name too long";
                    case 20 -> "Unsupported cluster size: 2^" + unsigned(found);
                    case 24 -> size(clause, found);
                    case 32 -> found == 2 ? null : "Unsupported encryption method " + unsigned(found);
                    case 36 ->
                        clause.equals(LimitClause.QC_LIM_02) ? "Active L1 table too large" : "L1 table is too small";
                    case 40 -> "Active L1 table offset invalid";
                    case 48 -> "Reference count table offset invalid";
                    case 56 ->
                        clause.equals(LimitClause.QC_LIM_03)
                                ? "Reference count table too large"
                                : "Image does not contain a reference count table";
                    case 60 -> "Snapshot table too large";
                    case 64 -> "Snapshot table offset invalid";
                    case 96 -> "Reference count entry width too large; may not exceed 64 bits";
                    case 100 ->
                        found >= 0 && found < SHORTEST_HEADER
                                ? "qcow2 header too short"
                                : "qcow2 header exceeds cluster size";
                    case 104 -> "qcow2: unknown compression type: " + found;
                    default -> null;
                });
    }

    private static String size(Clause clause, long found) {
        if (clause.equals(LimitClause.QC_LIM_06)) {
            return "Could not refresh total sector count: File too large";
        }
        return found >= TOO_BIG ? "Image is too big" : "L1 table is too small";
    }

    /** The fields of 32 bits are unsigned, whatever type held them. */
    private static long unsigned(long number) {
        return number < 0 ? number & 0xffff_ffffL : number;
    }
}
