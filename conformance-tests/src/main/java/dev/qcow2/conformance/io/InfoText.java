package dev.qcow2.conformance.io;

import dev.qcow2.conformance.tool.HeaderFacts;
import dev.qcow2.spec.disk.Bitmaps.BitmapInfo;
import dev.qcow2.spec.disk.DiskException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What {@code info} says of an open image. */
final class InfoText {

    private static final String INDENT = "    ";

    private InfoText() {}

    static String of(OpenImage image) throws DiskException {
        StringBuilder text = new StringBuilder();
        Optional<HeaderFacts> facts = image.facts();
        long cluster = facts.map(HeaderFacts::clusterSize).orElse(0L);
        text.append("cluster size: ").append(Numbers.size(cluster)).append('\n');
        long machineState =
                facts.isPresent() ? machineState(facts.get(), image.disk().size()) : 0;
        text.append("vm state offset: ").append(Numbers.size(machineState)).append('\n');
        if (facts.isPresent()) {
            text.append("Format specific information:\n");
            for (String line : lines(image, facts.get())) {
                text.append(INDENT).append(line).append('\n');
            }
        }
        return text.toString();
    }

    /** Saved machine state starts behind what the last L2 table can hold. */
    private static long machineState(HeaderFacts facts, long size) {
        long entryBytes = facts.extendedL2() ? 16 : 8;
        long perTable = facts.clusterSize() / entryBytes * facts.clusterSize();
        return (size + perTable - 1) / perTable * perTable;
    }

    private static List<String> lines(OpenImage image, HeaderFacts facts) throws DiskException {
        List<String> lines = new ArrayList<>();
        boolean old = facts.version() < 3;
        lines.add("compat: " + (old ? "0.10" : "1.1"));
        lines.add("compression type: " + facts.compression());
        if (!old) {
            lines.add("lazy refcounts: " + facts.lazyRefcounts());
            lines.addAll(bitmaps(image));
        }
        lines.add("refcount bits: " + facts.refcountBits());
        facts.dataFileName().ifPresent(name -> lines.add("data file: " + name));
        if (facts.hasDataFile()) {
            lines.add("data file raw: " + facts.rawDataFile());
        }
        if (!old) {
            lines.add("corrupt: " + facts.corrupt());
            lines.add("extended l2: " + facts.extendedL2());
        }
        return lines;
    }

    private static List<String> bitmaps(OpenImage image) throws DiskException {
        List<BitmapInfo> bitmaps = image.disk().bitmaps().list();
        List<String> lines = new ArrayList<>();
        if (!bitmaps.isEmpty()) {
            lines.add("bitmaps:");
        }
        for (int i = 0; i < bitmaps.size(); i++) {
            BitmapInfo bitmap = bitmaps.get(i);
            lines.add(INDENT + "[" + i + "]:");
            lines.add(INDENT.repeat(2) + "flags:");
            int flag = 0;
            // An image that is open for writing has its bitmaps in use.
            if (bitmap.inUse() || image.node().writable()) {
                lines.add(INDENT.repeat(3) + "[" + flag++ + "]: in-use");
            }
            if (bitmap.enabled()) {
                lines.add(INDENT.repeat(3) + "[" + flag + "]: auto");
            }
            lines.add(INDENT.repeat(2) + "name: " + bitmap.name());
            lines.add(INDENT.repeat(2) + "granularity: " + (1L << bitmap.granularityBits()));
        }
        return lines;
    }
}
