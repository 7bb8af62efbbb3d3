package dev.qcow2.conformance.qemu;

import dev.qcow2.spec.disk.FormatFeatures;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A qcow2 image as QEMU's tools have to be told of it.
 *
 * @param path the image
 * @param dataFile its external data file, which QEMU would look for in the present directory
 * @param passphrase unlocks it; ASCII without commas
 */
public record QemuImage(Path path, Optional<Path> dataFile, Optional<String> passphrase) {

    /**
     * An image that needs nothing to be told.
     *
     * @param path the image
     * @return without a data file and a passphrase
     */
    public static QemuImage of(Path path) {
        return new QemuImage(path, Optional.empty(), Optional.empty());
    }

    /**
     * An image with features.
     *
     * @param path the image; a data file stands beside it
     * @param features what it uses
     * @return what has to be told of it
     */
    public static QemuImage of(Path path, FormatFeatures features) {
        return new QemuImage(
                path,
                features.dataFile().map(file -> path.resolveSibling(file.name())),
                features.encryption()
                        .map(encryption -> new String(encryption.passphrase().bytes(), StandardCharsets.US_ASCII)));
    }

    /** Options that stand before the name. */
    List<String> options() {
        if (isPlain()) {
            return List.of("-f", "qcow2");
        }
        return passphrase
                .map(secret -> List.of("--object", "secret,id=key,data=" + secret, "--image-opts"))
                .orElse(List.of("--image-opts"));
    }

    /** The name, or what stands in its place. */
    String name() {
        if (isPlain()) {
            return path.toString();
        }
        StringBuilder name = new StringBuilder("driver=qcow2,file.driver=file,file.filename=").append(path);
        dataFile.ifPresent(file ->
                name.append(",data-file.driver=file,data-file.filename=").append(file));
        if (passphrase.isPresent()) {
            name.append(",encrypt.key-secret=key");
        }
        return name.toString();
    }

    private boolean isPlain() {
        return dataFile.isEmpty() && passphrase.isEmpty();
    }
}
