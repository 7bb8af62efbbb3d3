package dev.qcow2.spec.audit;

import java.util.List;

/**
 * The verdict on one image.
 *
 * <p>The counts are complete; the list of findings stops at {@link Auditor.Limits#findings()}.
 * {@code corruptions}, {@code leaks}, and the cluster numbers are those of {@code qemu-img check}: one leak is one
 * cluster whose stored count is above its references, and one broken L2 entry is counted again for each table
 * that leads to it.
 *
 * @param corruptions what {@code qemu-img check} counts as corruptions
 * @param leaks leaked clusters
 * @param breaches broken rules that {@code qemu-img check} does not look at
 * @param warnings things that are allowed, but worth to know
 * @param stopReason empty if all was looked at; else which of the limits the image exceeds, and the counts are lower
 *     bounds
 * @param clusters the file's size and what the active tables map
 * @param findings the first findings, in the order in which they were met
 */
public record AuditReport(
        long corruptions,
        long leaks,
        long breaches,
        long warnings,
        String stopReason,
        Clusters clusters,
        List<Finding> findings) {

    /**
     * How an image uses its clusters.
     *
     * @param total guest clusters of the disk
     * @param allocated entries of the active tables that have a host cluster or compressed data
     * @param compressed those with compressed data
     * @param fragmented those that do not lie directly behind the one before
     * @param imageEnd host offset behind the last cluster in use, in bytes
     */
    public record Clusters(long total, long allocated, long compressed, long fragmented, long imageEnd) {}

    /** Keeps the list from changing. */
    public AuditReport {
        findings = List.copyOf(findings);
    }

    /**
     * Says whether all was looked at.
     *
     * @return false if the image asked for more work than the limits permit
     */
    public boolean complete() {
        return stopReason.isEmpty();
    }

    /**
     * Says whether the image is right: everything was looked at, and no rule is broken. Warnings do not count.
     *
     * @return true if there is no corruption, no leak and no breach
     */
    public boolean clean() {
        return sound() && leaks == 0;
    }

    /**
     * Says whether the image is safe to use: everything was looked at, and nothing is wrong but leaks.
     *
     * @return true if there is no corruption and no breach
     */
    public boolean sound() {
        return complete() && corruptions == 0 && breaches == 0;
    }

    /**
     * Writes the verdict for a person.
     *
     * @return several lines, each ended by a line feed
     */
    public String toText() {
        StringBuilder text = new StringBuilder();
        text.append(verdict()).append('\n');
        text.append(corruptions).append(" corruptions, ").append(leaks).append(" leaked clusters, ");
        text.append(breaches).append(" other broken rules, ").append(warnings).append(" warnings\n");
        text.append(clusters.allocated())
                .append(" of ")
                .append(clusters.total())
                .append(" clusters allocated, ");
        text.append(clusters.fragmented()).append(" fragmented, ");
        text.append(clusters.compressed()).append(" compressed; image end at ");
        text.append(clusters.imageEnd()).append('\n');
        findings.forEach(finding -> text.append(finding).append('\n'));
        long unlisted = corruptions + leaks + breaches + warnings - findings.size();
        if (unlisted > 0) {
            text.append("... and ").append(unlisted).append(" more\n");
        }
        return text.toString();
    }

    private String verdict() {
        if (corruptions + breaches > 0) {
            return "The image is broken.";
        }
        if (!complete()) {
            return "The audit stopped before its end: " + stopReason + ".";
        }
        return leaks == 0 ? "The image is right." : "The image only leaks.";
    }
}
