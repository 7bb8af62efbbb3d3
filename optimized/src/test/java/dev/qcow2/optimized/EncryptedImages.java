package dev.qcow2.optimized;

import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.Passphrase;
import java.time.Clock;
import java.util.Random;

/** What tests do with encrypted images again and again. */
final class EncryptedImages {

    static final int ITERATIONS = 1000;
    static final Passphrase SECRET = Passphrase.of("open sesame");
    static final OpenOptions UNLOCKED = Images.WRITE.withPassphrase(SECRET);

    private EncryptedImages() {}

    static OptimizedDriver driver(int switches) {
        return new OptimizedDriver(OptimizedOptions.of(switches), Clock.systemUTC(), new Random(switches));
    }

    static OptimizedDriver driver() {
        return new OptimizedDriver(OptimizedOptions.allOn(), Clock.systemUTC(), new Random(7));
    }

    static FormatFeatures features(Cipher cipher, Passphrase passphrase) {
        return FormatFeatures.PLAIN.withEncryption(new Encryption(cipher, passphrase, ITERATIONS));
    }

    static CreateOptions options(long size, Cipher cipher) {
        return CreateOptions.ofSize(size).withFeatures(features(cipher, SECRET));
    }
}
