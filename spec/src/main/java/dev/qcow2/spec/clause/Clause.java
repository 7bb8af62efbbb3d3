package dev.qcow2.spec.clause;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One normative rule, with an id that is stable for ever.
 *
 * <p>Constants are named as their id with underscores: {@code QC_L2_07} is the clause
 * {@code QC-L2-07}. An id is never given to another rule; a withdrawn rule keeps its id.
 */
public sealed interface Clause
        permits HeaderClause,
                ExtensionClause,
                RefcountClause,
                MappingClause,
                SnapshotClause,
                BackingClause,
                GuestClause,
                CompressionClause,
                SubclusterClause,
                DataFileClause,
                CryptClause,
                BitmapClause,
                MaintenanceClause,
                LimitClause {

    /** Who has to obey a clause. */
    enum Party {
        /** Whoever opens an image or returns guest data from it. */
        READER,
        /** Whoever changes an image. */
        WRITER,
        /** Whoever restores a broken image. */
        REPAIRER
    }

    /** The format version that introduced a rule. */
    enum Since {
        /** Holds for versions 2 and 3. */
        V2,
        /** Holds for version 3 only. */
        V3
    }

    /**
     * Returns the constant's name; every enum has it.
     *
     * @return for instance {@code QC_L2_07}
     */
    String name();

    /**
     * Returns the rule in one sentence of our own.
     *
     * @return a sentence without a line break
     */
    String paraphrase();

    /**
     * Returns the version that introduced the rule.
     *
     * @return the first format version in which the rule holds
     */
    Since since();

    /**
     * Returns who has to obey the rule.
     *
     * @return at least one party
     */
    Set<Party> binds();

    /**
     * Returns the id as it stands in prose, messages and reports.
     *
     * @return for instance {@code QC-L2-07}
     */
    default String id() {
        return name().replace('_', '-');
    }

    /**
     * Returns the whole catalogue in chapter order.
     *
     * @return every clause, each once
     */
    static List<Clause> catalogue() {
        return Stream.<Clause[]>of(
                        HeaderClause.values(),
                        ExtensionClause.values(),
                        RefcountClause.values(),
                        MappingClause.values(),
                        SnapshotClause.values(),
                        BackingClause.values(),
                        GuestClause.values(),
                        CompressionClause.values(),
                        SubclusterClause.values(),
                        DataFileClause.values(),
                        CryptClause.values(),
                        BitmapClause.values(),
                        MaintenanceClause.values(),
                        LimitClause.values())
                .flatMap(Arrays::stream)
                .toList();
    }
}
