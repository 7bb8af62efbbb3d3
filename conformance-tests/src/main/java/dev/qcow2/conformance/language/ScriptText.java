package dev.qcow2.conformance.language;

import dev.qcow2.conformance.language.Layer.Format;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.conformance.language.Layer.Traits;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.spec.disk.FormatFeatures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The text form of scripts. Blank lines and lines that begin with {@code #} have no meaning.
 *
 * <pre>
 * qcow2-script 1
 * checks each|flush
 * zeroing on|off
 * qemu on|off
 * subjects NAME...
 * image FILE                                  (or layers, the disk's own image first)
 * layer qcow2 SIZE version 2|3 cluster BYTES refcount BITS [FEATURE...] [kit] [snapshot tables|clusters] [short-l1] [unnamed]
 * layer raw SIZE [unnamed]
 * content STATE FIRST COUNT FILL [shared]     (see {@link ClusterState})
 * operations
 * ...                                         (see {@link OperationText})
 * </pre>
 *
 * <p>A FEATURE is one of these, in this order: {@code zstd}, {@code subclusters}, {@code lazy-refcounts}, {@code data-file} or
 * {@code raw-data-file}, {@code encrypted METHOD PASSPHRASE ITERATIONS}, {@code preallocation metadata|falloc|full}.
 */
public final class ScriptText {

    private static final String MAGIC = "qcow2-script";
    private static final int LEAST_SUBCLUSTER_BITS = 14;

    private ScriptText() {}

    /**
     * Writes a script.
     *
     * @param script what to write
     * @return lines that {@link #parse} reads back
     */
    public static String write(Script script) {
        List<String> lines = new ArrayList<>();
        lines.add(MAGIC + " 1");
        lines.add("checks " + lower(script.rigour()));
        lines.add("zeroing " + (script.efficientZeroing() ? "on" : "off"));
        lines.add("qemu " + (script.qemuJudges() ? "on" : "off"));
        if (!script.subjects().isEmpty()) {
            lines.add("subjects " + String.join(" ", script.subjects()));
        }
        script.image().ifPresent(file -> lines.add("image " + file));
        for (Layer layer : script.layers()) {
            lines.add(layerLine(layer));
            layer.content().forEach(run -> lines.add(runLine(run)));
        }
        lines.add("operations");
        script.operations().forEach(operation -> lines.add(operation.text()));
        return String.join("\n", lines) + "\n";
    }

    private static String layerLine(Layer layer) {
        Traits traits = layer.traits();
        StringBuilder line = new StringBuilder("layer ");
        if (layer.format() == Format.RAW) {
            line.append("raw ").append(layer.size());
        } else {
            line.append("qcow2 ").append(layer.size());
            line.append(" version ").append(layer.version());
            line.append(" cluster ").append(layer.clusterSize());
            line.append(" refcount ").append(1 << layer.refcountOrder());
            line.append(FeatureText.write(layer.features()));
            line.append(traits.maker() == Maker.KIT ? " kit" : "");
            line.append(traits.sharing() == Sharing.NONE ? "" : " snapshot " + lower(traits.sharing()));
            line.append(traits.shortL1() ? " short-l1" : "");
        }
        return line.append(traits.formatNamed() ? "" : " unnamed").toString();
    }

    private static String runLine(Run run) {
        return "content " + run.state().word() + " " + run.first() + " " + run.count() + " " + run.fill()
                + (run.shared() ? " shared" : "");
    }

    /**
     * Reads a script.
     *
     * @param text all lines
     * @return the script
     * @throws ScriptException if a line is wrong
     */
    public static Script parse(String text) throws ScriptException {
        return new Reader().read(text);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static final class Reader {
        private Optional<String> image = Optional.empty();
        private final List<Layer> layers = new ArrayList<>();
        private boolean efficientZeroing = true;
        private Rigour rigour = Rigour.EACH;
        private boolean qemuJudges;
        private List<String> subjects = List.of();
        private final List<Operation> operations = new ArrayList<>();
        private boolean magicSeen;
        private boolean inOperations;

        Script read(String text) throws ScriptException {
            String[] lines = text.split("\n", -1);
            for (int i = 0; i < lines.length; i++) {
                Words words = new Words(i + 1, lines[i]);
                if (words.hasNext() && !lines[i].strip().startsWith("#")) {
                    line(words);
                    words.end();
                }
            }
            if (image.isPresent() == !layers.isEmpty()) {
                throw new ScriptException(lines.length, "expected either an image or layers");
            }
            for (int i = 0; i < layers.size(); i++) {
                boolean raw = layers.get(i).format() == Format.RAW;
                if (raw && (i == 0 || i + 1 < layers.size())) {
                    throw new ScriptException(lines.length, "expected a raw layer at the end of a chain only");
                }
            }
            return new Script(image, layers, efficientZeroing, rigour, qemuJudges, subjects, operations);
        }

        private void line(Words words) throws ScriptException {
            if (!magicSeen) {
                words.choice(MAGIC);
                words.choice("1");
                magicSeen = true;
            } else if (inOperations) {
                operations.add(OperationText.parse(words));
            } else {
                header(words);
            }
        }

        private void header(Words words) throws ScriptException {
            switch (words.choice("checks", "zeroing", "qemu", "subjects", "image", "layer", "content", "operations")) {
                case "checks" -> rigour = words.choice("each", "flush").equals("each") ? Rigour.EACH : Rigour.FLUSH;
                case "zeroing" -> efficientZeroing = words.choice("on", "off").equals("on");
                case "qemu" -> qemuJudges = words.choice("on", "off").equals("on");
                case "subjects" -> subjects = Arrays.asList(words.rest("names").split(" ", -1));
                case "image" -> image = Optional.of(words.rest("a file name"));
                case "layer" -> layers.add(layer(words));
                case "content" -> addRun(words);
                default -> inOperations = true;
            }
        }

        private void addRun(Words words) throws ScriptException {
            if (layers.isEmpty()) {
                throw words.error("a layer before its content", "none");
            }
            int last = layers.size() - 1;
            List<Run> runs = new ArrayList<>(layers.get(last).content());
            runs.add(run(words, layers.get(last)));
            layers.set(last, layers.get(last).withContent(runs));
        }
    }

    private static Layer layer(Words words) throws ScriptException {
        if (words.choice("qcow2", "raw").equals("raw")) {
            long size = size(words);
            boolean named = !words.takes("unnamed");
            return Layer.raw(size, List.of()).withTraits(new Traits(Maker.KIT, Sharing.NONE, false, named));
        }
        long size = size(words);
        words.choice("version");
        int version = Integer.parseInt(words.choice("2", "3"));
        words.choice("cluster");
        int clusterBits = words.logarithm(9, 21);
        words.choice("refcount");
        int refcountOrder = words.logarithm(0, 6);
        if (version == 2 && refcountOrder != 4) {
            throw words.error("refcount 16 with version 2", "another width");
        }
        FormatFeatures features = FeatureText.parse(words);
        if (version == 2 && !features.fitsVersion2()) {
            throw words.error("features of version 2", features.toString());
        }
        if (features.extendedL2() && clusterBits < LEAST_SUBCLUSTER_BITS) {
            throw words.error("clusters of 16 KiB or more with subclusters", Integer.toString(1 << clusterBits));
        }
        return Layer.qcow2(size, version, clusterBits, refcountOrder)
                .withFeatures(features)
                .withTraits(traits(words));
    }

    private static Traits traits(Words words) throws ScriptException {
        Maker maker = words.takes("kit") ? Maker.KIT : Maker.DRIVER;
        Sharing sharing = Sharing.NONE;
        if (words.takes("snapshot")) {
            sharing = words.choice("tables", "clusters").equals("tables") ? Sharing.TABLES : Sharing.CLUSTERS;
        }
        boolean shortL1 = words.takes("short-l1");
        return new Traits(maker, sharing, shortL1, !words.takes("unnamed"));
    }

    private static Run run(Words words, Layer layer) throws ScriptException {
        String word = words.choice(
                Arrays.stream(ClusterState.values()).map(ClusterState::word).toArray(String[]::new));
        ClusterState state = Arrays.stream(ClusterState.values())
                .filter(candidate -> candidate.word().equals(word))
                .findFirst()
                .orElseThrow();
        long first = words.number("a cluster index");
        long count = words.number("a number of clusters");
        long free = layer.content().isEmpty()
                ? 0
                : layer.content().get(layer.content().size() - 1).end();
        if (first < free || count <= 0 || count > layer.clusters() - first) {
            throw words.error("clusters from " + free + " inside the layer", first + " " + count);
        }
        if (state.needsSubclusters() && !layer.features().extendedL2()) {
            throw words.error("a layer with subclusters", word);
        }
        return new Run(state, first, count, false, words.integer("a fill")).withShared(words.takes("shared"));
    }

    private static long size(Words words) throws ScriptException {
        long size = words.number("a size");
        if (size < 0) {
            throw words.error("a size of 0 or more", Long.toString(size));
        }
        return size;
    }
}
