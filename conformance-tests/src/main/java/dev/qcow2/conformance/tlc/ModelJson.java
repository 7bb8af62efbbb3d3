package dev.qcow2.conformance.tlc;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.spec.tla.Counterexample;
import dev.qcow2.spec.tla.FaultCase;
import dev.qcow2.spec.tla.ModelConfiguration;
import dev.qcow2.spec.tla.ModelException;
import dev.qcow2.spec.tla.ModelOutcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Writes for a program what the models said. */
final class ModelJson {

    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private ModelJson() {}

    static void write(List<ModelVerdict> models, List<ModelVerdict> faults, Path file) throws IOException {
        ObjectNode root = MAPPER.createObjectNode();
        ArrayNode modelNodes = root.putArray("models");
        for (ModelVerdict verdict : models) {
            model(verdict, modelNodes.addObject());
        }
        ArrayNode faultNodes = root.putArray("faults");
        for (ModelVerdict verdict : faults) {
            FaultCase fault = verdict.fault();
            if (fault != null) {
                fault(verdict, fault, faultNodes.addObject());
            }
        }
        MAPPER.writeValue(file.toFile(), root);
    }

    private static void model(ModelVerdict verdict, ObjectNode node) throws IOException {
        ModelConfiguration configuration = ModelConfiguration.of(verdict.model());
        node.put("model", verdict.model().name());
        node.put("module", verdict.model().module());
        node.put("scope", verdict.model().scope().folder());
        node.put("meaning", verdict.model().meaning());
        node.set("bound", MAPPER.valueToTree(configuration.constants()));
        node.put("expectedStates", verdict.model().distinctStates());
        node.set("properties", MAPPER.valueToTree(configuration.properties()));
        node.set("clauses", MAPPER.valueToTree(verdict.model().clauses()));
        outcome(verdict, node);
    }

    private static void fault(ModelVerdict verdict, FaultCase fault, ObjectNode node) {
        node.put("fault", fault.fault());
        node.put("model", fault.model());
        node.put("meaning", fault.meaning());
        node.put("resembles", fault.resembles());
        node.put("expectedProperty", fault.property());
        node.put("greatestLength", fault.greatestLength());
        outcome(verdict, node);
    }

    private static void outcome(ModelVerdict verdict, ObjectNode node) {
        ModelOutcome outcome = verdict.outcome();
        ModelException trouble = verdict.trouble();
        node.put("asExpected", trouble == null && verdict.wrong().isEmpty());
        verdict.wrong().ifPresent(wrong -> node.put("wrong", wrong));
        if (trouble != null) {
            node.put("noAnswer", trouble.getMessage());
            node.put("file", trouble.file());
            node.put("line", trouble.line());
        }
        if (outcome != null) {
            node.put("states", outcome.distinctStates());
            node.put("transitions", outcome.generatedStates());
            node.put("seconds", outcome.time().toMillis() / 1000.0);
            Counterexample found = outcome.counterexample();
            node.put("foundBy", found == null ? null : found.property());
            node.put("length", found == null ? null : found.steps().size());
        }
    }
}
