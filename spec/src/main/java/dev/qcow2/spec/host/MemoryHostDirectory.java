package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.HostIoException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Files in memory, with names as on a Unix host: {@code /} separates directories, and there is no
 * need to create those.
 */
public final class MemoryHostDirectory implements HostDirectory {

    private final Map<String, MemoryFileContent> files = new ConcurrentHashMap<>();
    private final boolean efficientZeroing;

    /** Makes an empty directory whose files zero efficiently. */
    public MemoryHostDirectory() {
        this(true);
    }

    /**
     * Makes an empty directory.
     *
     * @param efficientZeroing false to play a host that says no to efficient zeroing
     */
    public MemoryHostDirectory(boolean efficientZeroing) {
        this.efficientZeroing = efficientZeroing;
    }

    /**
     * Returns a directory with the same files, independent from now on.
     *
     * @return a copy that shares pages until they change
     */
    public MemoryHostDirectory copy() {
        MemoryHostDirectory copy = new MemoryHostDirectory(efficientZeroing);
        files.forEach((name, content) -> copy.files.put(name, content.copy()));
        return copy;
    }

    /**
     * Returns the names of all files.
     *
     * @return sorted
     */
    public Set<String> fileNames() {
        return new TreeSet<>(files.keySet());
    }

    /**
     * Puts a file there, in place of an existing one.
     *
     * @param fileName its name
     * @param content its bytes
     */
    public void put(String fileName, MemoryFileContent content) {
        files.put(normalize(fileName), content);
    }

    /**
     * Returns the bytes of a file.
     *
     * @param fileName its name
     * @return shared with every handle on the file
     * @throws DiskException if there is no such file
     */
    public MemoryFileContent content(String fileName) throws DiskException {
        MemoryFileContent content = files.get(normalize(fileName));
        if (content == null) {
            throw new HostIoException(fileName, "open: no such file", null);
        }
        return content;
    }

    @Override
    public HostFile open(String fileName, Access access) throws DiskException {
        return new MemoryHostFile(fileName, content(fileName), access, efficientZeroing);
    }

    @Override
    public HostFile create(String fileName) {
        MemoryFileContent content = new MemoryFileContent();
        put(fileName, content);
        return new MemoryHostFile(fileName, content, Access.READ_WRITE, efficientZeroing);
    }

    @Override
    public String resolve(String imageName, String reference) {
        if (reference.startsWith("/")) {
            return reference;
        }
        int slash = imageName.lastIndexOf('/');
        return imageName.substring(0, slash + 1) + reference;
    }

    @Override
    public Object identity(String fileName) {
        return normalize(fileName);
    }

    private static String normalize(String fileName) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : fileName.split("/", -1)) {
            if (part.equals("..")) {
                parts.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return String.join("/", parts);
    }
}
