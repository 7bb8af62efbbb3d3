package dev.qcow2.conformance.io;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A sequence of commands.
 *
 * @param kind the image
 * @param options of the program
 * @param commands in order
 * @param anyOrder whether the lines of the answer may come in any order
 */
record IoCase(String kind, List<String> options, List<String> commands, boolean anyOrder) {

    /** Copies the lists. */
    IoCase {
        options = List.copyOf(options);
        commands = List.copyOf(commands);
    }

    /** Reads a line of the table. */
    static IoCase parse(String line) {
        boolean anyOrder = line.startsWith("~");
        int colon = line.indexOf(": ");
        List<String> head =
                Arrays.asList(line.substring(anyOrder ? 1 : 0, colon).split(" "));
        List<String> commands = new ArrayList<>();
        for (String command : (line.substring(colon + 2) + " ").split(" \\| ", -1)) {
            commands.add(command.endsWith(" ") && !command.isBlank() ? command.stripTrailing() : command);
        }
        return new IoCase(head.get(0), head.subList(1, head.size()), commands, anyOrder);
    }

    /** Returns the arguments of the program for an image in a folder. */
    List<String> arguments(String folder) {
        List<String> arguments = new ArrayList<>(options);
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command.replace("@", folder));
        }
        if (options.contains("--image-opts")) {
            arguments.add("driver=qcow2,file.filename=" + folder + "/disk.qcow2");
        } else if (!kind.equals("none")) {
            arguments.add(folder + "/disk.qcow2");
        }
        return arguments;
    }

    @Override
    public String toString() {
        return (anyOrder ? "~" : "") + kind + " " + String.join(" ", options) + ": " + String.join(" | ", commands);
    }
}
