package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostDirectory;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.WrappingHostDirectory;
import dev.qcow2.spec.trace.EventSink;
import dev.qcow2.spec.trace.HostObserver;
import java.util.Optional;

/** An implementation with the image that it works on. */
final class Subject {

    private final DiskDriver driver;
    private final Optional<EventSink> hostEvents;
    private Stage stage;
    private VirtualDisk disk;

    /**
     * Opens an image.
     *
     * @param hostEvents hears what is done to the image's file, if anybody does
     */
    Subject(DiskDriver driver, Stage stage, Optional<EventSink> hostEvents) throws DiskException {
        this.driver = driver;
        this.stage = stage;
        this.hostEvents = hostEvents;
        this.disk = openOwn(OpenOptions.readWrite());
    }

    Subject(DiskDriver driver, Stage stage) throws DiskException {
        this(driver, stage, Optional.empty());
    }

    private VirtualDisk openOwn(OpenOptions options) throws DiskException {
        HostDirectory directory = stage.directory();
        if (hostEvents.isPresent()) {
            String image = stage.imageName();
            directory = new WrappingHostDirectory<>(
                    directory, file -> file.name().equals(image) ? new HostObserver(file, hostEvents.get()) : file);
        }
        return driver.open(directory, stage.imageName(), stage.options(options));
    }

    String name() {
        return driver.name();
    }

    DiskDriver driver() {
        return driver;
    }

    VirtualDisk disk() {
        return disk;
    }

    Stage stage() {
        return stage;
    }

    void reopen() throws DiskException {
        reopen(OpenOptions.readWrite());
    }

    void reopen(OpenOptions options) throws DiskException {
        disk = openOwn(options);
    }

    /** Takes over an image; the disk must be closed before, and reopened after. */
    void takeOver(Stage other) {
        stage = other;
    }

    /** Opens this subject's image with another implementation, to look only. */
    VirtualDisk openForeign(DiskDriver other) throws DiskException {
        return other.open(stage.directory(), stage.imageName(), stage.options(OpenOptions.readOnly()));
    }

    /** Opens the image's bytes, to look only. */
    HostFile openBytes() throws DiskException {
        return stage.directory().open(stage.imageName(), Access.READ_ONLY);
    }
}
