package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.campaign.Difference.Kind;
import dev.qcow2.conformance.qemu.QemuImage;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.model.GuestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** QEMU as a judge of closed images: qemu-img check is clean, and the bytes are those of the model. */
final class QemuJudge {

    private static final int SECTOR = 512;
    private static final int MOST_AS_TEXT = 16 << 10;
    private static final int CHUNK = 1 << 20;

    private final QemuTools qemu;
    private final Path parent;
    private final GuestModel model;

    QemuJudge(QemuTools qemu, Path parent, GuestModel model) {
        this.qemu = qemu;
        this.parent = parent;
        this.model = model;
    }

    void judge(Subject subject) throws Objection, IOException {
        judge(subject.stage(), subject.name());
    }

    void judge(Stage stage, String maker) throws Objection, IOException {
        String who = "QEMU on the image of " + maker;
        try (Scratch scratch = Scratch.in(parent)) {
            QemuImage image = stage.exportTo(scratch.path());
            Optional<String> fault = qemu.check(image);
            if (fault.isPresent()) {
                throw new Objection(Kind.QEMU, who, fault.get());
            }
            // QEMU takes a disk to end at a multiple of 512.
            long size = model.size() / SECTOR * SECTOR;
            if (size > 0) {
                readWithQemuIo(image, size, who);
                readWithConvert(image, scratch.path().resolve("converted.raw"), size, who);
            }
        }
    }

    private void readWithQemuIo(QemuImage image, long size, String who) throws Objection, IOException {
        int length = (int) Math.min(size, MOST_AS_TEXT);
        byte[] bytes;
        try {
            bytes = qemu.read(image, size - length, length);
        } catch (IOException e) {
            throw new Objection(Kind.QEMU, who, String.valueOf(e.getMessage()));
        }
        if (bytes.length != length) {
            throw new Objection(Kind.QEMU, who, "qemu-io gave " + bytes.length + " bytes in place of " + length);
        }
        new Comparison(model).bytes(bytes, size - length, Kind.QEMU, who);
    }

    private void readWithConvert(QemuImage image, Path raw, long size, String who) throws Objection, IOException {
        try {
            qemu.convertToRaw(image, raw);
        } catch (IOException e) {
            throw new Objection(Kind.QEMU, who, String.valueOf(e.getMessage()));
        }
        try (FileChannel channel = FileChannel.open(raw)) {
            byte[] chunk = new byte[CHUNK];
            for (long at = 0; at < size; at += CHUNK) {
                int step = (int) Math.min(CHUNK, size - at);
                channel.read(ByteBuffer.wrap(chunk, 0, step), at);
                new Comparison(model).bytes(Arrays.copyOf(chunk, step), at, Kind.QEMU, who);
            }
        }
    }
}
