package dev.qcow2.conformance.small;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An image of the bound, sound or with one rule broken.
 *
 * @param image what it is
 * @param rule the broken rule, or empty
 * @param where what was changed
 * @param file its bytes
 */
record SmallCase(SmallImage image, Optional<BrokenRule> rule, String where, SmallFile file) {

    /** All sound images. */
    static List<SmallCase> sound() {
        List<SmallCase> cases = new ArrayList<>();
        SmallImage.all().forEach(image -> cases.add(new SmallCase(image, Optional.empty(), "", new SmallFile(image))));
        return cases;
    }

    /** All images with one broken rule. */
    static List<SmallCase> broken(BrokenRule rule) {
        return SmallImage.all().stream()
                .flatMap(image -> rule.cases(image).stream())
                .toList();
    }

    @Override
    public String toString() {
        return rule.map(broken -> broken + " at " + where + " of ").orElse("") + image;
    }
}
