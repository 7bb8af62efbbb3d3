package dev.qcow2.conformance.tool;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that every command on images has. */
public final class ToolOptions {

    @Option(
            names = "--impl",
            paramLabel = "NAME",
            defaultValue = "${env:" + Implementations.VARIABLE + ":-" + Implementations.DEFAULT + "}",
            description = "which implementation works: reference or optimized; also by the variable "
                    + Implementations.VARIABLE)
    private String implementation = Implementations.DEFAULT;

    @Option(
            names = "--object",
            paramLabel = "OBJECT",
            description = "a secret: secret,id=ID,data=TEXT or secret,id=ID,file=PATH, with format=base64 if it is")
    private List<String> objects = new ArrayList<>();

    @Option(names = "--image-opts", description = "images are named by options: driver=qcow2,file.filename=PATH")
    private boolean imageOptions;

    /** For picocli. */
    public ToolOptions() {}

    /**
     * Says whether images are named by options.
     *
     * @return true if {@code --image-opts} was given
     */
    public boolean imageOptions() {
        return imageOptions;
    }

    /**
     * Returns what holds for all images of the command.
     *
     * @param cache how writes reach the host
     * @param forceShare whether images that somebody else writes to may be read
     * @return the settings
     * @throws ToolException if an option is wrong
     */
    public ToolSettings settings(CacheMode cache, boolean forceShare) throws ToolException {
        SecretStore secrets = new SecretStore();
        for (String object : objects) {
            secrets.add(object);
        }
        return new ToolSettings(Implementations.named(implementation), Path.of(""), secrets, cache, forceShare);
    }

    /**
     * Returns a cache mode.
     *
     * @param option what the option is about, for the message: {@code source}, or empty
     * @param name the mode's name; null for the usual one
     * @param otherwise the usual one
     * @return the mode
     * @throws ToolException if there is none of that name
     */
    public static CacheMode cache(String option, @Nullable String name, CacheMode otherwise) throws ToolException {
        if (name == null) {
            return otherwise;
        }
        return CacheMode.named(name)
                .orElseThrow(() -> new ToolException(
                        "Invalid " + (option.isEmpty() ? "" : option + " ") + "cache option: " + name));
    }
}
