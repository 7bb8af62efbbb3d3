package dev.qcow2.conformance.tool;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The host's files as an implementation of qcow2 sees them: plain names are files, {@code json:} names are what they say, and a
 * backing or data file that the user named stands in for the one that the image names.
 */
final class NodeDirectory implements HostDirectory {

    private static final Pattern PROTOCOL = Pattern.compile("[A-Za-z0-9_.+-]+:.*", Pattern.DOTALL);

    /** Opens the file behind a name that is none of the host's. */
    @FunctionalInterface
    interface Source {
        HostFile open(Access access) throws DiskException;
    }

    private record Reference(String imageName, String name) {}

    private final HostDirectory files;
    private final HostDirectory unlocked;
    private final NodeOpener opener;
    private final Map<String, Source> sources = new HashMap<>();
    private final Map<String, String> bases = new HashMap<>();
    private final Map<Reference, String> standIns = new HashMap<>();

    /** The second directory shows the same files without locking them. */
    NodeDirectory(HostDirectory files, HostDirectory unlocked, NodeOpener opener) {
        this.files = files;
        this.unlocked = unlocked;
        this.opener = opener;
    }

    /** Lets a name stand for a source; relative references of an image of that name start where the base is. */
    void register(String name, String base, Source source) {
        sources.put(name, source);
        bases.put(name, base);
    }

    /** Lets one name stand in for what an image calls by another. */
    void standIn(String imageName, String reference, String name) {
        standIns.put(new Reference(imageName, reference), name);
    }

    @Override
    public HostFile open(String fileName, Access access) throws DiskException {
        Source source = sources.get(fileName);
        return source == null ? files.open(fileName, access) : source.open(access);
    }

    /** Opens a file to look at its header: not yet in the user's name, so that it is the user's own access that may be refused. */
    HostFile peek(String fileName) throws DiskException {
        Source source = sources.get(fileName);
        return source == null ? unlocked.open(fileName, Access.READ_ONLY) : source.open(Access.READ_ONLY);
    }

    @Override
    public HostFile create(String fileName) throws DiskException {
        return files.create(fileName);
    }

    @Override
    public String resolve(String imageName, String reference) throws DiskException {
        String standIn = standIns.get(new Reference(imageName, reference));
        if (standIn != null) {
            return standIn;
        }
        if (reference.startsWith("json:")) {
            return opener.registerReference(this, imageName, reference);
        }
        if (reference.startsWith("file:")) {
            return files.resolve(base(imageName), reference.substring("file:".length()));
        }
        int slash = reference.indexOf('/');
        String head = slash < 0 ? reference : reference.substring(0, slash);
        if (PROTOCOL.matcher(head).matches()) {
            throw new HostIoException(
                    reference, "Unknown protocol '" + head.substring(0, head.indexOf(':')) + "'", null);
        }
        return files.resolve(base(imageName), reference);
    }

    private String base(String imageName) {
        return bases.getOrDefault(imageName, imageName);
    }

    @Override
    public Object identity(String fileName) throws DiskException {
        return sources.containsKey(fileName) ? fileName : files.identity(fileName);
    }
}
