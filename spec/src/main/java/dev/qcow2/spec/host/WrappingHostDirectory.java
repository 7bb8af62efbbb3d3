package dev.qcow2.spec.host;

import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions.Access;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A directory whose files come wrapped: they record, count, fail or take their time. Names and
 * identities are those of the directory below. Several threads may use it at the same time if the
 * directory below and the wrapper allow it.
 *
 * @param <F> the type of the wrapped files
 */
public final class WrappingHostDirectory<F extends HostFile> implements HostDirectory {

    /**
     * Wraps a file.
     *
     * @param <F> the type of the wrapped file
     */
    @FunctionalInterface
    public interface Wrapper<F extends HostFile> {

        /**
         * Wraps a file that was just opened or created.
         *
         * @param file what the directory below gave; whoever closes the result closes it
         * @return what the caller gets
         * @throws DiskException if the wrapper refuses; the file below is then closed
         */
        F wrap(HostFile file) throws DiskException;
    }

    private final HostDirectory target;
    private final Wrapper<? extends F> wrapper;
    private final List<F> files = new CopyOnWriteArrayList<>();

    /**
     * Wraps a directory.
     *
     * @param target where the files are
     * @param wrapper is asked for each file that is opened or created
     */
    public WrappingHostDirectory(HostDirectory target, Wrapper<? extends F> wrapper) {
        this.target = target;
        this.wrapper = wrapper;
    }

    /**
     * Returns the wrapped files.
     *
     * @return all of them, closed ones too, in the order in which they were opened or created
     */
    public List<F> files() {
        return List.copyOf(files);
    }

    @Override
    public HostFile open(String fileName, Access access) throws DiskException {
        return wrapped(target.open(fileName, access));
    }

    @Override
    public HostFile create(String fileName) throws DiskException {
        return wrapped(target.create(fileName));
    }

    private F wrapped(HostFile file) throws DiskException {
        try {
            F result = wrapper.wrap(file);
            files.add(result);
            return result;
        } catch (DiskException | RuntimeException e) {
            try {
                file.close();
            } catch (DiskException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    @Override
    public String resolve(String imageName, String reference) throws DiskException {
        return target.resolve(imageName, reference);
    }

    @Override
    public Object identity(String fileName) throws DiskException {
        return target.identity(fileName);
    }
}
