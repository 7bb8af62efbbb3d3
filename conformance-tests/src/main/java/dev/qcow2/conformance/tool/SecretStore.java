package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.Passphrase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The secrets that the user gave with {@code --object secret,id=…}. */
public final class SecretStore {

    private final Map<String, Passphrase> secrets = new LinkedHashMap<>();

    /** Makes a store without secrets. */
    public SecretStore() {}

    /**
     * Adds what an option says.
     *
     * @param option {@code secret,id=ID,data=TEXT[,format=base64]} or {@code secret,id=ID,file=PATH}; also a JSON object with the
     *     member {@code qom-type}
     * @throws ToolException if the option is no secret, or its file can't be read
     */
    public void add(String option) throws ToolException {
        Map<String, String> fields = option.startsWith("{")
                ? BlockOptions.flat(BlockOptions.json(option))
                : KeyValues.parse(option, "qom-type");
        String type = fields.getOrDefault("qom-type", "");
        if (!type.equals("secret")) {
            throw new ToolException("Parameter 'qom-type' does not accept value '" + type + "'");
        }
        String id = fields.get("id");
        if (id == null) {
            throw new ToolException("Parameter 'id' is missing");
        }
        secrets.put(id, Passphrase.of(bytes(fields)));
    }

    private static byte[] bytes(Map<String, String> fields) throws ToolException {
        if (fields.containsKey("keyid")) {
            throw new ToolException("secrets that are encrypted with another secret are not supported");
        }
        boolean base64 = fields.getOrDefault("format", "raw").equals("base64");
        String data = fields.get("data");
        String file = fields.get("file");
        if ((data == null) == (file == null)) {
            throw new ToolException(
                    data == null
                            ? "Either 'file' or 'data' must be provided"
                            : "'file' and 'data' are mutually exclusive");
        }
        byte[] raw = data != null ? data.getBytes(StandardCharsets.UTF_8) : content(String.valueOf(file));
        return base64 ? decoded(raw) : raw;
    }

    private static byte[] content(String file) throws ToolException {
        try {
            return Files.readAllBytes(Path.of(file));
        } catch (IOException e) {
            throw new ToolException("Unable to read " + file + ": " + HostWords.of(e), 1, e);
        }
    }

    private static byte[] decoded(byte[] raw) throws ToolException {
        try {
            return Base64.getMimeDecoder().decode(raw);
        } catch (IllegalArgumentException e) {
            throw new ToolException("Base64 data '" + new String(raw, StandardCharsets.UTF_8) + "' is not valid", 1, e);
        }
    }

    /**
     * Finds a secret.
     *
     * @param id as the user named it
     * @return the secret, if there is one of that name
     */
    public Optional<Passphrase> find(String id) {
        return Optional.ofNullable(secrets.get(id));
    }

    /**
     * Finds a secret that must be there.
     *
     * @param id as the user named it
     * @return the secret
     * @throws ToolException if there is none of that name
     */
    public Passphrase require(String id) throws ToolException {
        return find(id).orElseThrow(() -> new ToolException("No secret with id '" + id + "'"));
    }
}
