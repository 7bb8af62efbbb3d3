package dev.qcow2.conformance.property;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.campaign.Campaign;
import dev.qcow2.conformance.campaign.CampaignOptions;
import dev.qcow2.conformance.language.ClusterState;
import dev.qcow2.conformance.language.Layer;
import dev.qcow2.conformance.language.Layer.Maker;
import dev.qcow2.conformance.language.Layer.Run;
import dev.qcow2.conformance.language.Layer.Sharing;
import dev.qcow2.conformance.language.Layer.Traits;
import dev.qcow2.conformance.language.Operation;
import dev.qcow2.conformance.language.Script;
import dev.qcow2.conformance.language.Script.Rigour;
import dev.qcow2.optimized.OptimizedDriver;
import dev.qcow2.reference.ReferenceDriver;
import dev.qcow2.spec.disk.DiskDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;

/**
 * The main property, driven and shrunk by jqwik: reference, optimized and the model agree on every
 * sequence over every small chain, and every image audits clean.
 */
class DifferentialTest {

    private static final List<DiskDriver> DRIVERS = List.of(new ReferenceDriver(), new OptimizedDriver());
    private static final CampaignOptions OPTIONS = CampaignOptions.ofSeed(0).withQemuEvery(0);

    private static final List<ClusterState> PLAIN_STATES = List.of(
            ClusterState.UNALLOCATED, ClusterState.ZERO_PLAIN, ClusterState.ZERO_ALLOCATED, ClusterState.NORMAL);

    @Provide
    Arbitrary<Script> scripts() {
        return chains().flatMap(chain -> Combinators.combine(
                        Operations.onDisk(chain.get(0).size(), chain.get(0).clusterSize())
                                .list()
                                .ofMinSize(1)
                                .ofMaxSize(15),
                        Arbitraries.of(Rigour.class),
                        Arbitraries.of(true, false))
                .as((operations, rigour, zeroing) ->
                        new Script(Optional.empty(), chain, zeroing, rigour, false, List.of(), operations)));
    }

    private static Arbitrary<List<Layer>> chains() {
        return layer().list().ofMinSize(1).ofMaxSize(4);
    }

    private static Arbitrary<Layer> layer() {
        Arbitrary<Long> sizes = Arbitraries.longs().between(1, 80 * 512);
        Arbitrary<Integer> clusterBits = Arbitraries.frequency(
                net.jqwik.api.Tuple.of(4, 9), net.jqwik.api.Tuple.of(1, 10), net.jqwik.api.Tuple.of(1, 12));
        return Combinators.combine(
                        sizes,
                        Arbitraries.of(2, 3),
                        clusterBits,
                        Arbitraries.integers().between(0, 6),
                        Arbitraries.of(Sharing.class),
                        Arbitraries.of(PLAIN_STATES).list().ofMaxSize(12))
                .as(DifferentialTest::layer);
    }

    /** Gives each cluster its state; version 2 has neither zero clusters nor wide counts. */
    private static Layer layer(
            long size, int version, int clusterBits, int refcountOrder, Sharing sharing, List<ClusterState> states) {
        int order = version == 2 ? 4 : refcountOrder;
        Sharing possible = order == 0 ? Sharing.NONE : sharing;
        Layer plain =
                Layer.qcow2(size, version, clusterBits, order).withTraits(new Traits(Maker.KIT, possible, false, true));
        List<Run> runs = new ArrayList<>();
        for (int i = 0; i < Math.min(states.size(), plain.clusters()); i++) {
            ClusterState state = states.get(i);
            boolean zero = state == ClusterState.ZERO_PLAIN || state == ClusterState.ZERO_ALLOCATED;
            if (state != ClusterState.UNALLOCATED && (version == 3 || !zero)) {
                runs.add(new Run(state, i, 1, i % 2 == 0, 1000 + i));
            }
        }
        return plain.withContent(runs);
    }

    /** Checks QC-GUEST-01 to QC-GUEST-05, QC-GUEST-09, QC-L2-10, QC-L2-11, QC-BACK-01, QC-BACK-02 and QC-REF-03. */
    @Property(tries = 150, edgeCases = EdgeCasesMode.NONE)
    void implementationsAndModelAgree(@ForAll("scripts") Script script) throws Exception {
        Layer top = script.layers().get(0);
        Statistics.label("version").collect(top.version());
        Statistics.label("backing files").collect(script.layers().size() - 1);
        script.operations().forEach(step -> Statistics.label("operation").collect(step.kind()));
        top.content().forEach(run -> Statistics.label("state").collect(run.state()));
        assertThat(Campaign.replay(script, OPTIONS, DRIVERS)).isEmpty();
        Statistics.label("version").coverage(coverage -> {
            coverage.check(2).percentage(share -> share > 10);
            coverage.check(3).percentage(share -> share > 10);
        });
        Statistics.label("backing files").coverage(coverage -> coverage.check(3).count(count -> count > 0));
        Statistics.label("operation").coverage(coverage -> {
            coverage.check(Operation.Kind.WRITE).percentage(share -> share > 10);
            coverage.check(Operation.Kind.WRITE_ZEROES).percentage(share -> share > 10);
            coverage.check(Operation.Kind.DISCARD).percentage(share -> share > 10);
            coverage.check(Operation.Kind.EXCHANGE).count(count -> count > 0);
        });
        Statistics.label("state").coverage(coverage -> {
            coverage.check(ClusterState.ZERO_PLAIN).percentage(share -> share > 5);
            coverage.check(ClusterState.ZERO_ALLOCATED).percentage(share -> share > 5);
            coverage.check(ClusterState.NORMAL).percentage(share -> share > 5);
        });
    }
}
