package dev.qcow2.conformance.img;

import java.util.List;
import java.util.Set;

/**
 * An option of a format, as {@code -o name=value} has it.
 *
 * @param name as users type it
 * @param kind what values it takes
 * @param standard the value that counts if none is given; empty if there is none
 * @param help what {@code -o help} says of it
 * @param protocol whether it is the file's and not the format's
 */
record FormatOption(String name, Kind kind, String standard, String help, boolean protocol) {

    /** What values an option takes. */
    enum Kind {
        /** Any text. */
        TEXT("<str>"),
        /** A size with a suffix. */
        SIZE("<size>"),
        /** A number without a suffix. */
        NUMBER("<num>"),
        /** On or off. */
        SWITCH("<bool (on/off)>");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    /** What both words for yes and for no are. */
    static final Set<String> YES = Set.of("on", "yes", "true", "y");

    /** What both words for yes and for no are. */
    static final Set<String> NO = Set.of("off", "no", "false", "n");

    /** The options of a qcow2 image, in the order in which they are shown when one is made. */
    static final List<FormatOption> QCOW2 = List.of(
            of(
                    "encryption",
                    Kind.SWITCH,
                    "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)"),
            of("encrypt.format", Kind.TEXT, "Encrypt the image, format choices: 'aes', 'luks'"),
            of("encrypt.key-secret", Kind.TEXT, "ID of secret providing qcow AES key or LUKS passphrase"),
            of("encrypt.cipher-alg", Kind.TEXT, "Name of encryption cipher algorithm"),
            of("encrypt.cipher-mode", Kind.TEXT, "Name of encryption cipher mode"),
            of("encrypt.ivgen-alg", Kind.TEXT, "Name of IV generator algorithm"),
            of("encrypt.ivgen-hash-alg", Kind.TEXT, "Name of IV generator hash algorithm"),
            of("encrypt.hash-alg", Kind.TEXT, "Name of encryption hash algorithm"),
            of("encrypt.iter-time", Kind.NUMBER, "Time to spend in PBKDF in milliseconds"),
            with("cluster_size", Kind.SIZE, "65536", "qcow2 cluster size"),
            with("extended_l2", Kind.SWITCH, "off", "Extended L2 tables"),
            of("preallocation", Kind.TEXT, "Preallocation mode (allowed values: off, metadata, falloc, full)"),
            with("compression_type", Kind.TEXT, "zlib", "Compression method used for image cluster compression"),
            of("size", Kind.SIZE, "Virtual disk size"),
            of("compat", Kind.TEXT, "Compatibility level (v2 [0.10] or v3 [1.1])"),
            of("backing_file", Kind.TEXT, "File name of a base image"),
            of("backing_fmt", Kind.TEXT, "Image format of the base image"),
            of("data_file", Kind.TEXT, "File name of an external data file"),
            of("data_file_raw", Kind.SWITCH, "The external data file must stay valid as a raw image"),
            with("lazy_refcounts", Kind.SWITCH, "off", "Postpone refcount updates"),
            with("refcount_bits", Kind.NUMBER, "16", "Width of a reference count entry in bits"),
            ofFile("nocow", Kind.SWITCH, "Turn off copy-on-write (valid only on btrfs)"),
            ofFile("extent_size_hint", Kind.SIZE, "Extent size hint for the image file, 0 to disable"));

    /** The options of a raw image; the preallocation is the file's. */
    static final List<FormatOption> RAW = List.of(
            of("size", Kind.SIZE, "Virtual disk size"),
            ofFile("preallocation", Kind.TEXT, "Preallocation mode (allowed values: off, falloc, full)"),
            ofFile("nocow", Kind.SWITCH, "Turn off copy-on-write (valid only on btrfs)"),
            ofFile("extent_size_hint", Kind.SIZE, "Extent size hint for the image file, 0 to disable"));

    /** What can be changed of an image that exists. */
    static final List<FormatOption> AMENDABLE = List.of(
            of("backing_file", Kind.TEXT, "File name of a base image"),
            of("backing_fmt", Kind.TEXT, "Image format of the base image"),
            of("compat", Kind.TEXT, "Compatibility level (v2 [0.10] or v3 [1.1])"),
            of("data_file", Kind.TEXT, "File name of an external data file"),
            of("data_file_raw", Kind.SWITCH, "The external data file must stay valid as a raw image"),
            of("encrypt.iter-time", Kind.NUMBER, "Time to spend in PBKDF in milliseconds"),
            of("encrypt.keyslot", Kind.NUMBER, "Select a single keyslot to modify explicitly"),
            of("encrypt.new-secret", Kind.TEXT, "New secret to set in the matching keyslots. Empty string to erase"),
            of("encrypt.old-secret", Kind.TEXT, "Select all keyslots that match this password"),
            of("encrypt.state", Kind.TEXT, "Select new state of affected keyslots (active/inactive)"),
            of("lazy_refcounts", Kind.SWITCH, "Postpone refcount updates"),
            of("refcount_bits", Kind.NUMBER, "Width of a reference count entry in bits"),
            of("size", Kind.SIZE, "Virtual disk size"));

    private static FormatOption of(String name, Kind kind, String help) {
        return new FormatOption(name, kind, "", help, false);
    }

    private static FormatOption with(String name, Kind kind, String standard, String help) {
        return new FormatOption(name, kind, standard, help, false);
    }

    private static FormatOption ofFile(String name, Kind kind, String help) {
        return new FormatOption(name, kind, "", help, true);
    }
}
