package dev.qcow2.conformance.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.qcow2.conformance.campaign.CampaignResult;
import dev.qcow2.conformance.campaign.ConcurrentResult;
import dev.qcow2.conformance.campaign.Coverage;
import dev.qcow2.conformance.campaign.Difference;
import dev.qcow2.conformance.campaign.Transition;
import dev.qcow2.conformance.language.ScriptText;
import java.io.IOException;
import java.nio.file.Path;

/** Writes for a program what a campaign did and found. */
final class ResultJson {

    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private ResultJson() {}

    static void write(CampaignResult result, Path file) throws IOException {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("seed", result.seed());
        root.put("sequences", result.sequences());
        root.put("guestOperations", result.guestOperations());
        root.put("qemuSequences", result.qemuSequences());
        root.put("seconds", result.elapsed().toMillis() / 1000.0);
        root.set("oracles", MAPPER.valueToTree(result.oracles()));
        root.set("notes", MAPPER.valueToTree(result.notes()));
        root.set("coverage", coverage(result.coverage()));
        root.set("concurrent", concurrent(result.concurrent()));
        root.set("difference", result.difference().map(ResultJson::difference).orElse(null));
        MAPPER.writeValue(file.toFile(), root);
    }

    private static ObjectNode coverage(Coverage coverage) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("possible", coverage.possible().size());
        node.put("reached", coverage.transitions().size());
        ArrayNode reached = node.putArray("transitions");
        coverage.transitions().forEach((transition, after) -> {
            ObjectNode one = reached.addObject();
            one.put("transition", transition.toString());
            ArrayNode states = one.putArray("after");
            after.forEach(state -> states.add(state.word()));
        });
        node.set("impossible", MAPPER.valueToTree(Transition.impossible()));
        ArrayNode missed = node.putArray("neverReached");
        coverage.neverReached().forEach(transition -> missed.add(transition.toString()));
        node.set("features", MAPPER.valueToTree(coverage.features()));
        node.set("leftOut", MAPPER.valueToTree(coverage.leftOut()));
        node.set("operations", MAPPER.valueToTree(coverage.operations()));
        node.set("geometries", MAPPER.valueToTree(coverage.geometries()));
        return node;
    }

    private static ObjectNode concurrent(ConcurrentResult result) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("sequences", result.sequences());
        node.put("requests", result.requests());
        node.put("mostInFlight", result.mostInFlight());
        node.set("difference", MAPPER.valueToTree(result.difference().orElse(null)));
        return node;
    }

    private static ObjectNode difference(Difference difference) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("kind", difference.kind().words());
        node.put("subject", difference.subject());
        node.put("step", difference.step() + 1);
        node.put("message", difference.message());
        node.put("script", ScriptText.write(difference.minimal()));
        return node;
    }
}
