package dev.qcow2.conformance.formal;

import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Resize;
import dev.qcow2.conformance.language.WriteCompressed;
import dev.qcow2.spec.disk.DiskException;
import dev.qcow2.spec.disk.FormatFeatures.Preallocation;
import dev.qcow2.spec.disk.SnapshotInfo;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.disk.VirtualDisk.ZeroMode;
import dev.qcow2.spec.tla.StateGraph;
import java.util.List;

/**
 * An action of the model with its parameters, and the request of the guest that it stands for.
 *
 * <p>Which request of several: Zero with keep is {@code writeZeroes} that keeps the allocation, without keep the one that
 * may unmap. ZeroSubcluster keeps the allocation, for an implementation may free a host cluster that has no data left,
 * which the model does not.
 *
 * @param action name of the action, without the M of the module
 * @param parameters as the module writes them
 */
public record ModelRequest(String action, List<String> parameters) {

    /** Copies the list. */
    public ModelRequest {
        parameters = List.copyOf(parameters);
    }

    static ModelRequest of(StateGraph.Edge edge) {
        return new ModelRequest(edge.action(), edge.parameters());
    }

    private int number(int index) {
        return Integer.parseInt(parameters.get(index));
    }

    /** The step in the language of the campaign. */
    Operation operation(ModelImage image) {
        return switch (action) {
            case "Write" -> new Operation.Write(start(image), length(image), image.fill(parameters.get(3)));
            case "WriteCompressed" ->
                new WriteCompressed(start(image), image.clusterBytes(), image.fill(parameters.get(1)));
            case "Zero" ->
                new Operation.WriteZeroes(
                        start(image),
                        image.clusterBytes(),
                        parameters.get(1).equals("TRUE") ? ZeroMode.KEEP_ALLOCATION : ZeroMode.MAY_UNMAP);
            case "ZeroSubcluster" -> {
                int bytes = image.clusterBytes() / image.subclusters();
                yield new Operation.WriteZeroes(
                        image.offset(number(0) - 1, 0) + (long) (number(1) - 1) * bytes,
                        bytes,
                        ZeroMode.KEEP_ALLOCATION);
            }
            case "Discard" -> new Operation.Discard(start(image), image.clusterBytes());
            case "Save" -> new Operation.SnapshotCreate(parameters.get(0));
            case "Restore" -> new Operation.SnapshotApply(parameters.get(0));
            case "Forget" -> new Operation.SnapshotDelete(parameters.get(0));
            case "Resize" -> new Resize(image.diskBytes(number(0)), Preallocation.OFF);
            default -> throw new IllegalArgumentException("no request stands for the action " + action);
        };
    }

    private long start(ModelImage image) {
        int block = action.equals("Write") ? number(1) - 1 : 0;
        return image.offset(number(0) - 1, block);
    }

    private long length(ModelImage image) {
        return (long) (number(2) - number(1) + 1) * image.blockBytes();
    }

    /** Sends the request; unlike in a script, the bytes of a write depend on their place in the disk. */
    void perform(VirtualDisk disk, ModelImage image) throws DiskException {
        Operation operation = operation(image);
        switch (operation.kind()) {
            case WRITE -> {
                Operation.Write write = (Operation.Write) operation;
                disk.write(write.offset(), image.pattern(parameters.get(3), write.offset(), (int) write.length()));
            }
            case WRITE_COMPRESSED -> {
                WriteCompressed write = (WriteCompressed) operation;
                disk.writeCompressed(
                        write.offset(), image.pattern(parameters.get(1), write.offset(), (int) write.length()));
            }
            case WRITE_ZEROES -> {
                Operation.WriteZeroes zeroes = (Operation.WriteZeroes) operation;
                disk.writeZeroes(zeroes.offset(), zeroes.length(), zeroes.mode());
            }
            case DISCARD -> {
                Operation.Discard discard = (Operation.Discard) operation;
                disk.discard(discard.offset(), discard.length());
            }
            case SNAPSHOT_CREATE -> disk.createSnapshot(parameters.get(0));
            case SNAPSHOT_APPLY -> disk.applySnapshot(id(disk));
            case SNAPSHOT_DELETE -> disk.deleteSnapshot(id(disk));
            case RESIZE -> disk.resize(((Resize) operation).size(), Preallocation.OFF);
            default -> throw new IllegalArgumentException("the model has no " + operation.kind());
        }
    }

    private String id(VirtualDisk disk) throws DiskException {
        for (SnapshotInfo snapshot : disk.snapshots()) {
            if (snapshot.name().equals(parameters.get(0))) {
                return snapshot.id();
            }
        }
        return "missing " + parameters.get(0);
    }

    @Override
    public String toString() {
        return action + "(" + String.join(", ", parameters) + ")";
    }
}
