package dev.qcow2.conformance.language;

import dev.qcow2.conformance.language.Layer.Format;
import java.util.List;
import java.util.Optional;

/**
 * A sequence with all that is needed to run it again.
 *
 * @param image an existing image to start from, in place of layers
 * @param layers the chain, the disk's own image first; empty if there is an image
 * @param efficientZeroing false to run on a host that refuses to zero efficiently
 * @param rigour when files are judged
 * @param qemuJudges true if QEMU checks and reads all images at the end
 * @param subjects names of the implementations; empty for those that the runner has
 * @param operations what is done
 */
public record Script(
        Optional<String> image,
        List<Layer> layers,
        boolean efficientZeroing,
        Rigour rigour,
        boolean qemuJudges,
        List<String> subjects,
        List<Operation> operations) {

    /** When the files are audited and opened by the others. */
    public enum Rigour {
        /** After each operation; so each operation is followed by a flush. */
        EACH,
        /** After operations that flush, and at the end; so caches stay dirty meanwhile. */
        FLUSH
    }

    /** Copies the lists. */
    public Script {
        layers = List.copyOf(layers);
        subjects = List.copyOf(subjects);
        operations = List.copyOf(operations);
    }

    /**
     * Returns the script with other operations.
     *
     * @param steps what is done
     * @return a copy
     */
    public Script withOperations(List<? extends Operation> steps) {
        return new Script(image, layers, efficientZeroing, rigour, qemuJudges, subjects, List.copyOf(steps));
    }

    /**
     * Returns the script with another chain.
     *
     * @param chain the disk's own image first
     * @return a copy
     */
    public Script withLayers(List<Layer> chain) {
        return new Script(image, chain, efficientZeroing, rigour, qemuJudges, subjects, operations);
    }

    /**
     * Returns the script with other moments of judgement.
     *
     * @param when files are judged
     * @return a copy
     */
    public Script withRigour(Rigour when) {
        return new Script(image, layers, efficientZeroing, when, qemuJudges, subjects, operations);
    }

    /**
     * Returns the script with other implementations.
     *
     * @param names as the drivers say them
     * @return a copy
     */
    public Script withSubjects(List<String> names) {
        return new Script(image, layers, efficientZeroing, rigour, qemuJudges, names, operations);
    }

    /**
     * Returns the script with or without QEMU's judgement at the end.
     *
     * @param wanted true if QEMU checks and reads all images
     * @return a copy
     */
    public Script withQemuJudging(boolean wanted) {
        return new Script(image, layers, efficientZeroing, rigour, wanted, subjects, operations);
    }

    /**
     * Says whether QEMU can open the chain and see the same bytes: it takes a qcow2 disk to end at a
     * multiple of 512, and refuses an L1 table that is too short.
     *
     * @return true if QEMU can be asked
     */
    public boolean suitsQemu() {
        return layers.stream()
                .allMatch(layer -> layer.format() == Format.RAW
                        || (layer.size() % 512 == 0 && !layer.traits().shortL1()));
    }
}
