package dev.qcow2.conformance.tool;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The files of an image's chain, from the image itself to the last backing file, as they are named on the host. */
public final class ChainFiles implements AutoCloseable {

    private static final int MOST = 1000;

    /**
     * One image of the chain.
     *
     * @param name the file's name, with which its directory opens it
     * @param dataName the file that holds its guest clusters: the same, or an external data file
     * @param facts what its header says, if it is a qcow2 image
     * @param file open for reading
     * @param data open for reading
     */
    public record Link(String name, String dataName, Optional<HeaderFacts> facts, HostFile file, HostFile data) {}

    private final List<Link> links = new ArrayList<>();

    private ChainFiles() {}

    /**
     * Follows the names in the headers.
     *
     * @param location the image
     * @param backing whether backing files are followed
     * @return the chain's files, open for reading
     * @throws DiskException if a file can't be opened
     */
    public static ChainFiles of(ImageLocation location, boolean backing) throws DiskException {
        ChainFiles chain = new ChainFiles();
        boolean done = false;
        try {
            String name = location.fileName();
            boolean qcow2 = location.qcow2();
            while (!name.isEmpty() && chain.links.size() < MOST) {
                Link link = chain.add(location, name, qcow2);
                Optional<HeaderFacts> facts = backing ? link.facts() : Optional.empty();
                Optional<String> below = facts.flatMap(HeaderFacts::backingName);
                qcow2 = !facts.flatMap(HeaderFacts::backingFormat).equals(Optional.of("raw"));
                name = below.isEmpty() ? "" : location.directory().resolve(name, below.get());
            }
            done = true;
            return chain;
        } finally {
            if (!done) {
                chain.close();
            }
        }
    }

    private Link add(ImageLocation location, String name, boolean qcow2) throws DiskException {
        HostFile file = location.directory().open(name, Access.READ_ONLY);
        Optional<HeaderFacts> facts = qcow2 ? HeaderFacts.of(file) : Optional.empty();
        Optional<String> external = facts.flatMap(HeaderFacts::dataFileName);
        String dataName = external.isPresent() ? location.directory().resolve(name, external.get()) : name;
        HostFile data = external.isPresent() ? location.directory().open(dataName, Access.READ_ONLY) : file;
        Link link = new Link(name, dataName, facts, file, data);
        links.add(link);
        return link;
    }

    /**
     * Returns the images.
     *
     * @return the image itself first
     */
    public List<Link> links() {
        return List.copyOf(links);
    }

    /**
     * Turns the name by which a directory knows a file into the one by which its user does.
     *
     * @param name a plain name or {@code json:{…}}
     * @return the name of the file at the bottom
     */
    public static String shown(String name) {
        if (!name.startsWith("json:")) {
            return name;
        }
        try {
            ObjectNode tree = BlockOptions.json(name.substring("json:".length()));
            String innermost = NodeOpener.innermost(tree);
            return innermost.isEmpty() ? name : innermost;
        } catch (ToolException e) {
            return name;
        }
    }

    @Override
    public void close() throws DiskException {
        for (Link link : links) {
            try (HostFile file = link.file();
                    HostFile data = link.data()) {
                // The two may be one, which may be closed twice.
                assert file != null && data != null;
            }
        }
    }
}
