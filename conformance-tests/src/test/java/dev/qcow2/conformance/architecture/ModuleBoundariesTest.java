package dev.qcow2.conformance.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass.Predicates;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.qcow2.spec.host.RealHostFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The walls of the house: who may see whom, and who may touch files. */
class ModuleBoundariesTest {

    private static final String SPEC = "dev.qcow2.spec..";
    private static final String REFERENCE = "dev.qcow2.reference..";
    private static final String OPTIMIZED = "dev.qcow2.optimized..";
    private static final String KIT = "dev.qcow2.conformance..";
    private static final String[] FILE_ACCESS = {
        "java.nio.file.Files",
        "java.nio.file.FileSystems",
        "java.nio.channels.FileChannel",
        "java.nio.channels.AsynchronousFileChannel",
        "java.io.RandomAccessFile",
        "java.io.File",
        "java.io.FileInputStream",
        "java.io.FileOutputStream",
        "java.io.FileReader",
        "java.io.FileWriter"
    };

    private static JavaClasses main = new ClassFileImporter().importPackages();

    @BeforeAll
    static void readClasses() {
        main = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.qcow2");
    }

    /** An empty selection would make every rule true, so each rule must find something to look at. */
    private static void check(ArchRule rule) {
        rule.allowEmptyShould(false).check(main);
    }

    @Test
    @DisplayName("All four modules are looked at, so that no rule holds because it sees nothing")
    void seesEveryModule() {
        for (String module : new String[] {"spec", "reference", "optimized", "conformance"}) {
            assertThat(main.containPackage("dev.qcow2." + module)
                            || main.stream().anyMatch(c -> c.getPackageName().startsWith("dev.qcow2." + module + ".")))
                    .as(module)
                    .isTrue();
        }
        assertThat(main.contain(ModuleBoundariesTest.class)).isFalse();
    }

    @Test
    @DisplayName("reference and optimized never see each other, so that they can't share an error")
    void implementationsAreStrangers() {
        check(noClasses()
                .that()
                .resideInAPackage(REFERENCE)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(OPTIMIZED));
        check(noClasses()
                .that()
                .resideInAPackage(OPTIMIZED)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(REFERENCE));
    }

    @Test
    @DisplayName("spec sees neither implementation nor the kit; the implementations don't see the kit")
    void dependenciesPointOneWay() {
        check(noClasses()
                .that()
                .resideInAPackage(SPEC)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(REFERENCE, OPTIMIZED, KIT));
        check(noClasses()
                .that()
                .resideInAnyPackage(REFERENCE, OPTIMIZED)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(KIT));
    }

    @Test
    @DisplayName("The implementations use neither the layout table nor the auditor nor the model")
    void implementationsStateTheLayoutThemselves() {
        check(noClasses()
                .that()
                .resideInAnyPackage(REFERENCE, OPTIMIZED)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.qcow2.spec.layout..", "dev.qcow2.spec.audit..", "dev.qcow2.spec.model.."));
    }

    @Test
    @DisplayName("The auditor and the model judge by themselves: neither uses the contract's implementations")
    void judgesAreIndependent() {
        check(noClasses()
                .that()
                .resideInAPackage("dev.qcow2.spec.audit..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.qcow2.spec.model.."));
    }

    @Test
    @DisplayName("Nothing that reads or writes images depends on the formal model's runner")
    void modelRunnerStandsAlone() {
        check(noClasses()
                .that()
                .resideInAnyPackage(SPEC, REFERENCE, OPTIMIZED)
                .and()
                .resideOutsideOfPackage("dev.qcow2.spec.tla..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.qcow2.spec.tla.."));
    }

    @Test
    @DisplayName("Nothing but spec.host and the kit opens files, and the model checker its own")
    void oneDoorToTheHost() {
        ArchRule rule = noClasses()
                .that()
                .resideInAnyPackage(SPEC, REFERENCE, OPTIMIZED)
                .and()
                // The formal model is run by a program of its own, which reads its modules and writes graphs.
                .resideOutsideOfPackages("dev.qcow2.spec.host..", "dev.qcow2.spec.tla..")
                .should()
                .dependOnClassesThat()
                .haveNameMatching(String.join("|", FILE_ACCESS).replace(".", "\\."));
        check(rule);
        // The same selection of classes does see the door's own use of channels.
        assertThatThrownBy(() -> noClasses()
                        .should()
                        .dependOnClassesThat()
                        .haveNameMatching(String.join("|", FILE_ACCESS).replace(".", "\\."))
                        .check(new ClassFileImporter().importClasses(RealHostFile.class)))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    @DisplayName("The implementations know no paths and no real files: they get a HostDirectory")
    void implementationsTakeWhatTheyAreGiven() {
        check(noClasses()
                .that()
                .resideInAnyPackage(REFERENCE, OPTIMIZED)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.nio.file..")
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching("dev\\.qcow2\\.spec\\.host\\.(Real|Memory|Linux|Recording).*"));
    }

    @Test
    @DisplayName("No state that belongs to nobody: static fields are final and hold nothing that changes")
    void noMutableStatics() {
        check(fields().that().areStatic().should().beFinal());
        check(noFields()
                .that()
                .areStatic()
                .should()
                .haveRawType(Predicates.assignableTo("java.util.concurrent.atomic.AtomicLong")
                        .or(Predicates.assignableTo("java.util.concurrent.atomic.AtomicInteger"))
                        .or(Predicates.assignableTo("java.util.concurrent.atomic.AtomicReference"))
                        .or(Predicates.assignableTo("java.lang.ThreadLocal"))
                        .or(Predicates.assignableTo("java.nio.Buffer"))
                        .or(Predicates.assignableTo("java.util.Random"))
                        .or(Predicates.assignableTo("java.util.ArrayList"))
                        .or(Predicates.assignableTo("java.util.HashMap"))
                        .or(Predicates.assignableTo("java.util.concurrent.ConcurrentHashMap"))));
    }

    @Test
    @DisplayName("Nothing ends the virtual machine or prints, but the command line")
    void quietLibraries() {
        check(noClasses()
                .that()
                .resideInAnyPackage(SPEC, REFERENCE, OPTIMIZED)
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err"));
    }

    @Test
    @DisplayName("The chapters of spec are a hierarchy without circles, apart from disk and host")
    void noCircles() {
        check(slices().matching("dev.qcow2.spec.(layout|audit|model|clause)..")
                .should()
                .beFreeOfCycles());
    }
}
