package dev.qcow2.conformance.campaign;

import dev.qcow2.spec.disk.DiskDriver;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;

/** An implementation with the image that it works on. */
final class Subject {

    private final DiskDriver driver;
    private Stage stage;
    private VirtualDisk disk;

    Subject(DiskDriver driver, Stage stage) throws DiskException {
        this.driver = driver;
        this.stage = stage;
        this.disk = open(driver, stage, OpenOptions.readWrite());
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
        disk = open(driver, stage, options);
    }

    /** Takes over an image; the disk must be closed before, and reopened after. */
    void takeOver(Stage other) {
        stage = other;
    }

    /** Opens this subject's image with another implementation, to look only. */
    VirtualDisk openForeign(DiskDriver other) throws DiskException {
        return open(other, stage, OpenOptions.readOnly());
    }

    /** Opens the image's bytes, to look only. */
    HostFile openBytes() throws DiskException {
        return stage.directory().open(stage.imageName(), Access.READ_ONLY);
    }

    private static VirtualDisk open(DiskDriver driver, Stage stage, OpenOptions options) throws DiskException {
        return driver.open(stage.directory(), stage.imageName(), stage.options(options));
    }
}
