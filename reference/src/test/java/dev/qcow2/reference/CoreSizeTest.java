package dev.qcow2.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The core data path stays readable in one sitting. */
class CoreSizeTest {

    /** 1,500 for the plain format, and 200 for the places where the other chapters hook in. */
    private static final int HIGHEST_LINES = 1700;

    /** What is not the plain data path: opening, creating, the hook for observers, and the chapters of their own. */
    private static final Set<String> AROUND = Set.of(
            "Amender.java",
            "BackingChanger.java",
            "BitmapDirectoryEntry.java",
            "BitmapPlanner.java",
            "BitmapStore.java",
            "BitmapTableEntry.java",
            "BitmapWalk.java",
            "BitmapsExtension.java",
            "CheckedL2Entry.java",
            "Codec.java",
            "CompressedDescriptor.java",
            "CompressedPlanner.java",
            "CorruptionMark.java",
            "CountCheck.java",
            "DirtyBits.java",
            "EntryWalk.java",
            "CompressedWriter.java",
            "Occupants.java",
            "DataFile.java",
            "FeatureBits.java",
            "GuestData.java",
            "HeaderArea.java",
            "HeaderExtension.java",
            "HostMap.java",
            "ImageCreator.java",
            "ImageOpener.java",
            "KeyAmender.java",
            "Locker.java",
            "ManagedDisk.java",
            "PlanObserver.java",
            "PlanTracer.java",
            "Reach.java",
            "Preallocator.java",
            "RefcountRebuild.java",
            "ReferenceDisk.java",
            "ReferenceDriver.java",
            "Repair.java",
            "RepairPass.java",
            "Resizer.java",
            "SnapshotEntry.java",
            "SnapshotPlanner.java",
            "SnapshotTable.java",
            "Snapshots.java",
            "StoredCounts.java",
            "StructureWalk.java",
            "SubclusterBitmap.java",
            "SubclusterPlanner.java",
            "SubclusterWriter.java",
            "TracedDisk.java",
            "Unlocker.java",
            "Usage.java",
            "VmState.java",
            "ZeroRemover.java",
            "package-info.java");

    @Test
    @DisplayName(
            "the core data path has at most 1,700 lines of code, 200 of which are hooks of other chapters (comments, imports and blank lines not counted)")
    void coreIsSmall() throws IOException {
        Path sources = Path.of("src/main/java/dev/qcow2/reference");
        try (Stream<Path> files = Files.list(sources)) {
            List<Path> core = files.filter(Files::isRegularFile)
                    .filter(file -> !AROUND.contains(file.getFileName().toString()))
                    .toList();
            assertThat(core).hasSizeGreaterThan(15);
            long lines = 0;
            for (Path file : core) {
                lines += Files.readAllLines(file).stream()
                        .filter(CoreSizeTest::isCode)
                        .count();
            }
            assertThat(lines).isLessThanOrEqualTo(HIGHEST_LINES);
        }
    }

    private static boolean isCode(String line) {
        String text = line.strip();
        return !text.isEmpty()
                && !text.startsWith("//")
                && !text.startsWith("*")
                && !text.startsWith("/*")
                && !text.startsWith("import ")
                && !text.startsWith("package ");
    }
}
