package dev.qcow2.reference;

import dev.qcow2.spec.clause.ExtensionClause;
import dev.qcow2.spec.clause.HeaderClause;
import dev.qcow2.spec.clause.MaintenanceClause;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.RequestRefusedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All that stands in the first cluster: the header, the extensions, the name of the backing file. It is taken apart into
 * bytes, so that what is not the matter of a change is kept as it is, known or not (QC-MNT-29). Immutable.
 *
 * @param fileName for messages
 * @param header the header's bytes, with fields that nobody knows (QC-HDR-25)
 * @param extensions in the order of the file (QC-EXT-04)
 * @param backingName the name of the backing file, if there is one
 */
record HeaderArea(String fileName, ByteBuffer header, List<Extension> extensions, Optional<ByteBuffer> backingName) {

    private static final int BACKING_FIELDS = 8;
    private static final int VERSION_FIELD = 4;
    private static final int LENGTH_FIELD = 100;
    private static final int HIGHEST_NAME_LENGTH = 1023;

    /** An extension with its data. */
    record Extension(int type, ByteBuffer data) {}

    /** Takes the first cluster apart. */
    static HeaderArea of(Image image) throws DiskException {
        Header header = image.header();
        List<Extension> extensions = new ArrayList<>();
        for (HeaderExtension found : HeaderExtension.list(image.file(), header)) {
            extensions.add(new Extension(found.type(), found.data(image.file())));
        }
        boolean named = header.backingNameOffset() != 0 && header.backingNameLength() != 0;
        Optional<ByteBuffer> name = named
                ? Optional.of(image.read(header.backingNameOffset(), header.backingNameLength()))
                : Optional.empty();
        return new HeaderArea(image.file().name(), image.read(0, header.length()), List.copyOf(extensions), name);
    }

    /** The area with another data in an extension, which is added, kept at its place, or removed. */
    HeaderArea withExtension(int type, Optional<byte[]> data) {
        List<Extension> others = new ArrayList<>();
        boolean done = false;
        for (Extension extension : extensions) {
            if (extension.type() != type) {
                others.add(extension);
            } else if (data.isPresent() && !done) {
                others.add(new Extension(type, ByteBuffer.wrap(data.get())));
                done = true;
            }
        }
        if (data.isPresent() && !done) {
            others.add(new Extension(type, ByteBuffer.wrap(data.get())));
        }
        return new HeaderArea(fileName, header, List.copyOf(others), backingName);
    }

    /** The area with another backing file, or none. */
    HeaderArea withBackingName(Optional<String> name) throws DiskException {
        Optional<ByteBuffer> bytes = name.map(n -> ByteBuffer.wrap(n.getBytes(StandardCharsets.UTF_8)));
        int length = bytes.map(ByteBuffer::remaining).orElse(0);
        if (length > HIGHEST_NAME_LENGTH || (length == 0 && name.isPresent())) {
            throw new RequestRefusedException(
                    fileName, HeaderClause.QC_HDR_05, "a backing file's name of " + length + " bytes");
        }
        return new HeaderArea(fileName, header, extensions, bytes);
    }

    /** The area with another number in the header. */
    HeaderArea with(int field, long value) {
        ByteBuffer changed = copyOf(header, header.limit());
        changed.putLong(field, value);
        return new HeaderArea(fileName, changed, extensions, backingName);
    }

    /** The area of version 3: no features, 16-bit counts, and no field more than is needed if the cluster is small. */
    HeaderArea asVersion3(int clusterSize) throws DiskException {
        HeaderArea longest = asVersion3WithLength(Header.KNOWN_LENGTH);
        return longest.length() <= clusterSize ? longest : asVersion3WithLength(Header.VERSION_3_LENGTH);
    }

    private HeaderArea asVersion3WithLength(int length) {
        ByteBuffer longer = copyOf(header, length);
        longer.putInt(VERSION_FIELD, 3).putInt(Header.ORDER_FIELD, 4).putInt(LENGTH_FIELD, length);
        return new HeaderArea(fileName, longer, extensions, backingName);
    }

    /** The area of version 2, which has none of the later fields, and no names of features. */
    HeaderArea asVersion2() {
        ByteBuffer shorter = copyOf(header, Header.VERSION_2_LENGTH).putInt(VERSION_FIELD, 2);
        return new HeaderArea(fileName, shorter, extensions, backingName)
                .withExtension(HeaderExtension.FEATURE_NAMES, Optional.empty());
    }

    private static ByteBuffer copyOf(ByteBuffer bytes, int length) {
        ByteBuffer copy = ByteBuffer.allocate(length);
        copy.put(0, bytes, 0, Math.min(length, bytes.limit()));
        return copy;
    }

    private int length() {
        int end = header.limit()
                + HeaderExtension.encode(HeaderExtension.END, new byte[0]).limit();
        for (Extension extension : extensions) {
            end += encode(extension).limit();
        }
        return end + backingName.map(ByteBuffer::remaining).orElse(0);
    }

    private static ByteBuffer encode(Extension extension) {
        byte[] data = new byte[extension.data().limit()];
        extension.data().get(0, data);
        return HeaderExtension.encode(extension.type(), data);
    }

    /** Puts the area together again. What stood behind the old one does not count (QC-EXT-08). */
    ByteBuffer encode(int clusterSize) throws DiskException {
        if (length() > clusterSize) {
            throw new RequestRefusedException(
                    fileName, ExtensionClause.QC_EXT_08, "the first cluster has no room for the header");
        }
        ByteBuffer bytes = ByteBuffer.allocate(length());
        bytes.put(header.duplicate().rewind());
        extensions.forEach(extension -> bytes.put(encode(extension)));
        bytes.put(HeaderExtension.encode(HeaderExtension.END, new byte[0]));
        int nameLength = backingName.map(ByteBuffer::remaining).orElse(0);
        bytes.putLong(BACKING_FIELDS, nameLength == 0 ? 0 : bytes.position()).putInt(BACKING_FIELDS + 8, nameLength);
        backingName.ifPresent(name -> bytes.put(name.duplicate()));
        return bytes.flip();
    }

    /** Plans to write the area in one write, after all that it names is safe on disk. */
    Plan plan(String what, int clusterSize) throws DiskException {
        Plan.Builder plan = new Plan.Builder("rewrite the header: " + what);
        plan.flush(Plan.Section.LINK, MaintenanceClause.QC_MNT_29);
        plan.add(Plan.Section.LINK, MaintenanceClause.QC_MNT_29, new Step.WriteHeader(what, 0, encode(clusterSize)));
        return plan.flush(Plan.Section.LINK, MaintenanceClause.QC_MNT_29).build();
    }
}
