package dev.qcow2.conformance.language;

import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Compression;
import dev.qcow2.spec.disk.FormatFeatures.DataFile;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.Passphrase;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The words of a layer that say what the image uses beyond the plain form; see {@link ScriptText}. */
public final class FeatureText {

    private static final int LEAST_ITERATIONS = 1000;

    private FeatureText() {}

    /** Writes the words, each after a blank; nothing for the plain form. */
    static String write(FormatFeatures features) {
        StringBuilder text = new StringBuilder();
        text.append(features.compression() == Compression.ZSTD ? " zstd" : "");
        text.append(features.extendedL2() ? " subclusters" : "");
        text.append(features.lazyRefcounts() ? " lazy-refcounts" : "");
        text.append(features.dataFile()
                .map(file -> file.raw() ? " raw-data-file" : " data-file")
                .orElse(""));
        features.encryption().ifPresent(encryption -> text.append(" encrypted ")
                .append(word(encryption.cipher()))
                .append(' ')
                .append(new String(encryption.passphrase().bytes(), StandardCharsets.UTF_8))
                .append(' ')
                .append(encryption.iterations()));
        if (features.preallocation() != Preallocation.OFF) {
            text.append(" preallocation ").append(word(features.preallocation()));
        }
        return text.toString();
    }

    /**
     * Says what an image is called that has one of the features alone, for reports.
     *
     * @param constant of an enum
     * @return lower case, without blanks
     */
    public static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static FormatFeatures parse(Words words) throws ScriptException {
        Compression compression = words.takes("zstd") ? Compression.ZSTD : Compression.ZLIB;
        boolean extended = words.takes("subclusters");
        boolean lazy = words.takes("lazy-refcounts");
        Optional<DataFile> dataFile = Optional.empty();
        if (words.takes("data-file")) {
            dataFile = Optional.of(new DataFile(Layer.DATA_FILE, false));
        } else if (words.takes("raw-data-file")) {
            dataFile = Optional.of(new DataFile(Layer.DATA_FILE, true));
        }
        Optional<Encryption> encryption = words.takes("encrypted") ? Optional.of(encryption(words)) : Optional.empty();
        Preallocation preallocation = words.takes("preallocation")
                ? constant(words, List.of(Preallocation.METADATA, Preallocation.FALLOC, Preallocation.FULL))
                : Preallocation.OFF;
        return new FormatFeatures(compression, extended, lazy, dataFile, encryption, preallocation);
    }

    private static Encryption encryption(Words words) throws ScriptException {
        Cipher cipher = constant(words, List.of(Cipher.values()));
        Passphrase passphrase = Passphrase.of(words.next("a passphrase"));
        int iterations = words.integer("a number of iterations");
        if (iterations < LEAST_ITERATIONS) {
            throw words.error("at least " + LEAST_ITERATIONS + " iterations", Integer.toString(iterations));
        }
        return new Encryption(cipher, passphrase, iterations);
    }

    static <E extends Enum<E>> E constant(Words words, List<E> values) throws ScriptException {
        List<String> texts = values.stream().map(FeatureText::word).toList();
        return values.get(texts.indexOf(words.choice(texts.toArray(new String[0]))));
    }
}
