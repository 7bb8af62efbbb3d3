package dev.qcow2.conformance.campaign;

import dev.qcow2.conformance.generate.Feature;
import dev.qcow2.conformance.generate.ImageFacts;
import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.qemu.QemuTools;
import dev.qcow2.spec.disk.DiskDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is looked up once before a campaign, and cleaned up after it. */
final class Surroundings implements AutoCloseable {

    private final Optional<QemuTools> qemu;
    private final Path scratch;
    private final Optional<ImageGround> image;
    private final Map<String, Set<Feature>> features;
    private final List<Set<Feature>> offers;
    private final List<String> notes;

    private Surroundings(
            Optional<QemuTools> qemu,
            Path scratch,
            Optional<ImageGround> image,
            Map<String, Set<Feature>> features,
            List<Set<Feature>> offers,
            List<String> notes) {
        this.qemu = qemu;
        this.scratch = scratch;
        this.image = image;
        this.features = features;
        this.offers = offers;
        this.notes = notes;
    }

    static Surroundings prepare(List<DiskDriver> drivers, Optional<QemuTools> qemu, Optional<Path> imagePath)
            throws IOException {
        List<String> notes = new ArrayList<>();
        if (qemu.isEmpty()) {
            notes.add("QEMU took no part: qemu-img and qemu-io are not installed, or it was not wanted");
        }
        Map<String, Set<Feature>> features = new ConcurrentHashMap<>();
        for (DiskDriver driver : drivers) {
            Set<Feature> supported = features.computeIfAbsent(driver.name(), name -> FeatureProbe.of(driver));
            missing(driver, supported).filter(note -> !notes.contains(note)).ifPresent(notes::add);
        }
        Path scratch = Files.createTempDirectory("qcow2-conform");
        try {
            Optional<ImageGround> ground = Optional.empty();
            if (imagePath.isPresent()) {
                ground = Optional.of(ImageGround.of(imagePath.get(), drivers.get(0), qemu, scratch));
                notes.add(ground.get().origin());
            }
            return new Surroundings(qemu, scratch, ground, features, offers(drivers, features), List.copyOf(notes));
        } catch (IOException | RuntimeException e) {
            delete(scratch);
            throw e;
        }
    }

    /** Returns what an implementation supports; asks it once. */
    Set<Feature> features(DiskDriver driver) {
        return features.computeIfAbsent(driver.name(), name -> FeatureProbe.of(driver));
    }

    /** What all support together first, then what each supports alone, if that is more. */
    List<Set<Feature>> offers() {
        return offers;
    }

    private static List<Set<Feature>> offers(List<DiskDriver> drivers, Map<String, Set<Feature>> features) {
        Set<Feature> common = EnumSet.allOf(Feature.class);
        drivers.forEach(driver -> common.retainAll(features.get(driver.name())));
        List<Set<Feature>> offers = new ArrayList<>(List.of(common));
        for (DiskDriver driver : drivers) {
            Set<Feature> own = features.get(driver.name());
            if (!offers.contains(own)) {
                offers.add(own);
            }
        }
        return List.copyOf(offers);
    }

    private static Optional<String> missing(DiskDriver driver, Set<Feature> supported) {
        String missing = EnumSet.complementOf(copy(supported)).stream()
                .map(Feature::words)
                .collect(Collectors.joining(", "));
        return missing.isEmpty()
                ? Optional.empty()
                : Optional.of(driver.name() + " takes no part in sequences with what it refuses: " + missing);
    }

    private static EnumSet<Feature> copy(Set<Feature> features) {
        EnumSet<Feature> copy = EnumSet.noneOf(Feature.class);
        copy.addAll(features);
        return copy;
    }

    Optional<QemuTools> qemu() {
        return qemu;
    }

    Optional<ImageFacts> facts() {
        return image.map(ImageGround::facts);
    }

    List<String> notes() {
        return notes;
    }

    /** What can be reached from here; where a backing file of an existing image ends is not looked at. */
    Coverage coverage() {
        Set<Feature> supported = EnumSet.noneOf(Feature.class);
        offers.forEach(supported::addAll);
        return new Coverage(transition -> image.map(ground -> isOf(transition, ground))
                .orElseGet(() -> supported.containsAll(neededBy(transition))));
    }

    private static boolean isOf(Transition transition, ImageGround ground) {
        boolean compressed =
                transition.state() == ClusterState.COMPRESSED || transition.request() == Request.WRITE_COMPRESSED;
        return transition.unit() == ground.unit()
                && !compressed
                && transition.below() != Transition.Below.SHORT
                && transition.below()
                        == Transition.Below.NOTHING
                        == ground.below().isEmpty();
    }

    private static Set<Feature> neededBy(Transition transition) {
        Set<Feature> needed = EnumSet.noneOf(Feature.class);
        if (transition.state() == ClusterState.COMPRESSED || transition.request() == Request.WRITE_COMPRESSED) {
            needed.add(Feature.COMPRESSED);
        }
        if (transition.unit() == Transition.Unit.SUBCLUSTER) {
            needed.add(Feature.SUBCLUSTERS);
        }
        if (transition.shared()) {
            needed.add(Feature.SNAPSHOTS);
        }
        return needed;
    }

    Panel panel(Coverage coverage) {
        return new Panel(AuditJudge.INSTANCE, qemu, scratch, image.map(ground -> (Ground) ground), coverage);
    }

    @Override
    public void close() throws IOException {
        if (image.isPresent()) {
            image.get().close();
        }
        delete(scratch);
    }

    private static void delete(Path directory) throws IOException {
        List<Path> paths;
        try (Stream<Path> listing = Files.walk(directory)) {
            paths = listing.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.deleteIfExists(path);
        }
    }
}
