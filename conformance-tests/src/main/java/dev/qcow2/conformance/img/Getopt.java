package dev.qcow2.conformance.img;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Reads a command line as C's {@code getopt_long} does: clustered and attached short options, {@code --opt=value} and {@code --opt value},
 * long options cut short, options behind operands. The result is a command line in one form that the parser of commands can't take for
 * anything else, so that the definitions of the commands stay the only list of options.
 */
final class Getopt {

    private final CommandSpec command;
    private final List<String> arguments;
    private final List<String> options = new ArrayList<>();
    private final List<String> operands = new ArrayList<>();
    private int next;

    private Getopt(CommandSpec command, List<String> arguments) {
        this.command = command;
        this.arguments = arguments;
    }

    /**
     * Brings arguments into one form.
     *
     * @param command its options count
     * @param arguments as the user typed them, behind the command's name
     * @return options as {@code name=value} or {@code name}, then {@code --}, then operands
     * @throws UsageException if there is no such option, or its value is missing
     */
    static List<String> normalised(CommandSpec command, List<String> arguments) throws UsageException {
        Getopt getopt = new Getopt(command, arguments);
        getopt.read();
        List<String> all = new ArrayList<>(getopt.options);
        all.add("--");
        all.addAll(getopt.operands);
        return all;
    }

    private void read() throws UsageException {
        while (next < arguments.size()) {
            String argument = arguments.get(next++);
            if (argument.equals("--")) {
                operands.addAll(arguments.subList(next, arguments.size()));
                return;
            }
            if (argument.startsWith("--")) {
                readLong(argument);
            } else if (argument.length() > 1 && argument.startsWith("-")) {
                readShort(argument);
            } else {
                operands.add(argument);
            }
        }
    }

    private void readLong(String argument) throws UsageException {
        int equals = argument.indexOf('=');
        String typed = equals < 0 ? argument : argument.substring(0, equals);
        OptionSpec option = find(typed).orElseThrow(() -> unrecognized(argument));
        boolean takesValue = takesValue(option);
        if (equals >= 0 && !takesValue) {
            throw unrecognized(argument);
        }
        if (!takesValue) {
            options.add(option.longestName());
        } else {
            options.add(
                    option.longestName() + "=" + (equals >= 0 ? argument.substring(equals + 1) : operandOf(argument)));
        }
    }

    /** A long option may be cut short as long as only one begins so. */
    private Optional<OptionSpec> find(String typed) {
        OptionSpec exact = command.optionsMap().get(typed);
        if (exact != null) {
            return Optional.of(exact);
        }
        List<OptionSpec> candidates = command.options().stream()
                .filter(option -> option.longestName().startsWith("--")
                        && option.longestName().startsWith(typed))
                .toList();
        return candidates.size() == 1 ? Optional.of(candidates.get(0)) : Optional.empty();
    }

    private void readShort(String argument) throws UsageException {
        for (int i = 1; i < argument.length(); i++) {
            String name = "-" + argument.charAt(i);
            OptionSpec option = command.optionsMap().get(name);
            if (option == null) {
                throw unrecognized(argument);
            }
            if (takesValue(option)) {
                String attached = argument.substring(i + 1);
                options.add(name + "=" + (attached.isEmpty() ? operandOf(name) : attached));
                return;
            }
            options.add(name);
        }
    }

    private static boolean takesValue(OptionSpec option) {
        return option.arity().max() > 0;
    }

    private String operandOf(String option) throws UsageException {
        if (next >= arguments.size()) {
            throw new UsageException("missing argument for option '" + option + "'");
        }
        return arguments.get(next++);
    }

    private static UsageException unrecognized(String argument) {
        return new UsageException("unrecognized option '" + argument + "'");
    }
}
