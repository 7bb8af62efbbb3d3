package dev.qcow2.conformance.img;

import dev.qcow2.conformance.tool.SecretStore;
import dev.qcow2.conformance.tool.ToolException;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.FormatFeatures.Encryption;
import java.security.GeneralSecurityException;
import java.util.Optional;
import java.util.OptionalLong;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** What the options {@code encryption} and {@code encrypt.…} of a new image come to. */
final class EncryptionChoice {

    private static final int FEWEST_ITERATIONS = 1000;
    private static final int MOST_ITERATIONS = 10_000_000;
    private static final int TRIAL_ITERATIONS = 20_000;
    private static final long STANDARD_MILLISECONDS = 2000;

    private final FormatOptions options;
    private final SecretStore secrets;

    EncryptionChoice(FormatOptions options, SecretStore secrets) {
        this.options = options;
        this.secrets = secrets;
    }

    /** Refuses options that exclude each other. */
    void requireConsistent() throws ToolException {
        if (options.given("encryption").isPresent()
                && options.given("encrypt.format").isPresent()) {
            throw new ToolException("'encrypt.format' and its alias 'encryption' can't be used at the same time");
        }
        boolean details = options.names().stream().anyMatch(name -> name.startsWith("encrypt."));
        if (details && format().isEmpty()) {
            throw new ToolException("Parameter 'encrypt.format' is missing");
        }
    }

    private Optional<String> format() {
        return options.on("encryption") ? Optional.of("aes") : options.given("encrypt.format");
    }

    /** Returns the encryption, if there is to be any. */
    Optional<Encryption> chosen() throws ToolException {
        Optional<String> format = format();
        if (format.isEmpty()) {
            return Optional.empty();
        }
        Cipher cipher =
                switch (format.get()) {
                    case "aes" -> Cipher.LEGACY_AES_128_CBC;
                    case "luks" -> luks();
                    default ->
                        throw new ToolException("Parameter 'format' does not accept value '" + format.get() + "'");
                };
        String id = options.given("encrypt.key-secret")
                .orElseThrow(() -> new ToolException("Parameter 'encrypt.key-secret' is required for cipher"));
        int iterations = cipher == Cipher.LEGACY_AES_128_CBC
                ? FEWEST_ITERATIONS
                : iterations(options.amount("encrypt.iter-time"));
        return Optional.of(new Encryption(cipher, secrets.require(id), iterations));
    }

    private Cipher luks() throws ToolException {
        String algorithm = options.given("encrypt.cipher-alg").orElse("aes-256");
        String mode = options.given("encrypt.cipher-mode").orElse("xts");
        String vector = options.given("encrypt.ivgen-alg").orElse("plain64");
        String hash = options.given("encrypt.hash-alg").orElse("sha256");
        String vectorHash = options.given("encrypt.ivgen-hash-alg").orElse("sha256");
        String wanted = algorithm + " " + mode + " " + vector + " " + hash + " " + vectorHash;
        return switch (wanted) {
            case "aes-256 xts plain64 sha256 sha256" -> Cipher.LUKS_AES_256_XTS_PLAIN64;
            case "aes-128 xts plain64 sha256 sha256" -> Cipher.LUKS_AES_128_XTS_PLAIN64;
            case "aes-256 cbc essiv sha256 sha256" -> Cipher.LUKS_AES_256_CBC_ESSIV_SHA256;
            case "aes-128 cbc essiv sha256 sha256" -> Cipher.LUKS_AES_128_CBC_ESSIV_SHA256;
            default ->
                throw new ToolException("Algorithm '" + algorithm + "' with mode '" + mode + "', initial vectors '"
                        + vector + ":" + vectorHash + "' and hash '" + hash
                        + "' is not supported; aes-256 and aes-128 with xts and plain64, or with cbc and"
                        + " essiv:sha256, and sha256 are");
        };
    }

    /** So many rounds that deriving a key takes the time that was asked for, on this machine and now. */
    static int iterations(OptionalLong time) throws ToolException {
        long milliseconds = time.orElse(STANDARD_MILLISECONDS);
        if (milliseconds <= 10) {
            return FEWEST_ITERATIONS;
        }
        long rounds = milliseconds * 1_000_000 * TRIAL_ITERATIONS / Math.max(1, trialNanoseconds());
        return (int) Math.max(FEWEST_ITERATIONS, Math.min(MOST_ITERATIONS, rounds));
    }

    private static long trialNanoseconds() throws ToolException {
        try {
            SecretKeyFactory factory = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256");
            byte[] salt = new byte[32];
            long start = System.nanoTime();
            factory.generateSecret(new PBEKeySpec("trial".toCharArray(), salt, TRIAL_ITERATIONS, 256));
            return System.nanoTime() - start;
        } catch (GeneralSecurityException e) {
            throw new ToolException("Key derivation is not there: " + e.getMessage(), 1, e);
        }
    }
}
