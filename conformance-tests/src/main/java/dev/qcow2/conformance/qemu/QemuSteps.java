package dev.qcow2.conformance.qemu;

import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.conformance.language.FeatureText;
import dev.qcow2.conformance.language.Fill;
import dev.qcow2.conformance.language.MaintenanceStep.Amend;
import dev.qcow2.conformance.language.MaintenanceStep.Repair;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Operation.Change;
import dev.qcow2.conformance.language.Operation.Discard;
import dev.qcow2.conformance.language.Operation.SnapshotApply;
import dev.qcow2.conformance.language.Operation.SnapshotCreate;
import dev.qcow2.conformance.language.Operation.SnapshotDelete;
import dev.qcow2.conformance.language.Operation.Write;
import dev.qcow2.conformance.language.Operation.WriteZeroes;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Steps of the operation language as command lines of QEMU's tools. */
final class QemuSteps {

    private final QemuImage image;

    QemuSteps(QemuImage image) {
        this.image = image;
    }

    /** Returns the command line that does a step. */
    List<String> command(Operation step) throws IOException {
        if (step instanceof Change change) {
            return io(change);
        }
        if (step instanceof SnapshotCreate create) {
            return image("snapshot", List.of("-c", create.name()), "");
        }
        if (step instanceof SnapshotApply apply) {
            return image("snapshot", List.of("-a", apply.name()), "");
        }
        if (step instanceof SnapshotDelete delete) {
            return image("snapshot", List.of("-d", delete.name()), "");
        }
        if (step instanceof Resize resize) {
            String preallocation = "--preallocation=" + FeatureText.word(resize.preallocation());
            return image("resize", List.of("--shrink", preallocation), Long.toString(resize.size()));
        }
        if (step instanceof BitmapStep bitmap) {
            return image("bitmap", bitmap(bitmap), bitmap.name());
        }
        if (step instanceof Amend amend) {
            return image("amend", List.of("-o", String.join(",", changes(amend))), "");
        }
        if (step instanceof Repair repair) {
            return image("check", List.of("-r", FeatureText.word(repair.mode())), "");
        }
        throw new IOException("not a step that QEMU can do: " + step.text());
    }

    private List<String> image(String verb, List<String> options, String behind) {
        List<String> command = new ArrayList<>(List.of("qemu-img", verb));
        command.addAll(options);
        // qemu-img snapshot finds out the format itself, and does not let itself be told.
        List<String> own = image.options();
        command.addAll(verb.equals("snapshot") && own.contains("-f") ? List.of() : own);
        command.add(image.name());
        if (!behind.isEmpty()) {
            command.add(behind);
        }
        return command;
    }

    private static List<String> bitmap(BitmapStep step) {
        if (step instanceof BitmapStep.Add add) {
            List<String> options = new ArrayList<>(List.of("--add", "-g", Long.toString(1L << add.granularityBits())));
            if (!add.enabled()) {
                options.add("--disable");
            }
            return options;
        }
        return step instanceof BitmapStep.Merge merge
                ? List.of("--merge", merge.from())
                : List.of("--" + FeatureText.word(step.action()));
    }

    private static List<String> changes(Amend amend) {
        List<String> changes = new ArrayList<>();
        amend.changes().version().ifPresent(version -> changes.add("compat=" + (version == 2 ? "0.10" : "1.1")));
        amend.changes().refcountOrder().ifPresent(order -> changes.add("refcount_bits=" + (1 << order)));
        amend.changes().lazyRefcounts().ifPresent(lazy -> changes.add("lazy_refcounts=" + (lazy ? "on" : "off")));
        return changes;
    }

    private List<String> io(Change change) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-io"));
        command.addAll(image.options());
        command.addAll(List.of("-t", "unsafe", "-d", "unmap", "-c", request(change), image.name()));
        return command;
    }

    private String request(Change change) throws IOException {
        String range = change.offset() + " " + change.length();
        if (change instanceof Write write) {
            return "write -s " + pattern(write.fill(), change.length()) + " " + range;
        }
        if (change instanceof WriteCompressed write) {
            return "write -c -s " + pattern(write.fill(), change.length()) + " " + range;
        }
        if (change instanceof WriteZeroes zeroes) {
            return "write -z " + (zeroes.mode() == ZeroMode.MAY_UNMAP ? "-u " : "") + range;
        }
        return change instanceof Discard ? "discard " + range : "flush";
    }

    private Path pattern(int fill, long length) throws IOException {
        Path pattern = Files.createTempFile(image.path().toAbsolutePath().getParent(), "pattern", ".bin");
        Files.write(pattern, Fill.bytes(fill, Math.toIntExact(length)));
        return pattern;
    }
}
