package dev.qcow2.conformance.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The server's side of the handshake: greets, then answers options until the client goes on with the export or leaves.
 */
final class Handshake {

    /**
     * What was agreed on.
     *
     * @param structured whether answers come in chunks
     * @param contexts what block status tells
     */
    record Agreement(boolean structured, Set<Context> contexts) {}

    private final Wire wire;
    private final Export export;
    private boolean padded = true;
    private boolean structured;
    private boolean over;
    private Set<Context> contexts = EnumSet.noneOf(Context.class);
    private String contextsOf = "";

    Handshake(Wire wire, Export export) {
        this.wire = wire;
        this.export = export;
    }

    /**
     * Talks until the transmission may start.
     *
     * @return what was agreed on; empty if the client has left in good order
     * @throws ClientException if the client broke the protocol
     */
    Optional<Agreement> run() throws IOException {
        wire.write(Greeting.encode());
        if (!wire.await(Greeting.CLIENT_BYTES)) {
            return Optional.empty();
        }
        padded = (Greeting.decode(wire.next(Greeting.CLIENT_BYTES)) & Greeting.NO_ZEROES) == 0;
        for (int i = 0; i < Limits.MAX_OPTIONS; i++) {
            if (!wire.await(OptionRequest.BYTES)) {
                return Optional.empty();
            }
            Optional<Agreement> agreement = answer(OptionRequest.decode(wire.next(OptionRequest.BYTES)));
            if (agreement.isPresent() || over) {
                return agreement;
            }
        }
        throw new ClientException("more than " + Limits.MAX_OPTIONS + " options");
    }

    private Optional<Agreement> answer(OptionRequest option) throws IOException {
        if (option.length() > Limits.MAX_OPTION_BYTES) {
            if (option.length() > Limits.MAX_PAYLOAD_BYTES) {
                throw new ClientException("an option of " + option.length() + " bytes");
            }
            wire.skip(option.length());
            refuse(
                    option,
                    OptionVerdict.TOO_BIG,
                    "an option of " + option.length() + " bytes; allowed are " + Limits.MAX_OPTION_BYTES);
            return Optional.empty();
        }
        ByteBuffer data = ByteBuffer.allocate((int) option.length());
        wire.read(data);
        data.flip();
        Optional<OptionKind> kind = OptionKind.of(option.code());
        if (kind.isEmpty()) {
            refuse(
                    option,
                    OptionVerdict.UNSUPPORTED,
                    "option " + Integer.toUnsignedString(option.code()) + " is not supported");
            return Optional.empty();
        }
        return switch (kind.get()) {
            case EXPORT_NAME -> Optional.of(exportName(data));
            case GO -> describe(option, data) ? Optional.of(agreement(export.name())) : Optional.empty();
            case INFO -> {
                describe(option, data);
                yield Optional.empty();
            }
            case ABORT -> {
                over = true;
                sayGoodBye(option);
                yield Optional.empty();
            }
            case LIST -> {
                list(option, data);
                yield Optional.empty();
            }
            case STRUCTURED_REPLY -> {
                agreeOnChunks(option, data);
                yield Optional.empty();
            }
            case LIST_META_CONTEXT -> {
                listContexts(option, data);
                yield Optional.empty();
            }
            case SET_META_CONTEXT -> {
                chooseContexts(option, data);
                yield Optional.empty();
            }
        };
    }

    private void sayGoodBye(OptionRequest option) {
        try {
            wire.write(OptionReply.acknowledge(option.code()));
        } catch (IOException e) {
            // Most clients don't wait for it, and may be gone by now.
            over = true;
        }
    }

    private void refuse(OptionRequest option, OptionVerdict verdict, String reason) throws IOException {
        wire.write(OptionReply.refuse(option.code(), verdict, reason));
    }

    private Agreement agreement(String name) {
        return new Agreement(structured, contextsOf.equals(name) ? contexts : EnumSet.noneOf(Context.class));
    }

    private Agreement exportName(ByteBuffer data) throws IOException {
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        String name = new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
        if (!name.equals(export.name())) {
            // This option has no answer that says no.
            throw new ClientException("there is no export \"" + printable(name) + "\"");
        }
        wire.write(OptionReply.toExportName(export, padded));
        return agreement(name);
    }

    private void list(OptionRequest option, ByteBuffer data) throws IOException {
        if (data.hasRemaining()) {
            refuse(option, OptionVerdict.INVALID, "a list is asked for without data");
            return;
        }
        wire.write(OptionReply.server(option.code(), export), OptionReply.acknowledge(option.code()));
    }

    private boolean describe(OptionRequest option, ByteBuffer data) throws IOException {
        Optional<ExportQuestion> question = ExportQuestion.decode(data);
        if (question.isEmpty()) {
            refuse(option, OptionVerdict.INVALID, "the lengths inside the option don't add up");
            return false;
        }
        if (!knows(option, question.get().name())) {
            return false;
        }
        int code = option.code();
        wire.write(OptionReply.export(code, export), OptionReply.blockSize(code));
        if (question.get().facts().contains(ExportQuestion.FACT_NAME)) {
            wire.write(OptionReply.name(code, export));
        }
        if (question.get().facts().contains(ExportQuestion.FACT_DESCRIPTION)
                && !export.description().isEmpty()) {
            wire.write(OptionReply.description(code, export));
        }
        wire.write(OptionReply.acknowledge(code));
        return true;
    }

    private boolean knows(OptionRequest option, String name) throws IOException {
        if (!name.equals(export.name())) {
            refuse(option, OptionVerdict.UNKNOWN, "there is no export \"" + printable(name) + "\"");
            return false;
        }
        return true;
    }

    private void agreeOnChunks(OptionRequest option, ByteBuffer data) throws IOException {
        if (data.hasRemaining()) {
            refuse(option, OptionVerdict.INVALID, "structured replies are asked for without data");
            return;
        }
        structured = true;
        wire.write(OptionReply.acknowledge(option.code()));
    }

    private void listContexts(OptionRequest option, ByteBuffer data) throws IOException {
        Optional<ContextQuestion> question = contextQuestion(option, data);
        if (question.isPresent()) {
            for (Context context : export.contexts()) {
                if (question.get().lists(context)) {
                    wire.write(OptionReply.context(option.code(), context));
                }
            }
            wire.write(OptionReply.acknowledge(option.code()));
        }
    }

    private void chooseContexts(OptionRequest option, ByteBuffer data) throws IOException {
        // Whatever comes of it, the former choice is gone.
        contexts = EnumSet.noneOf(Context.class);
        Optional<ContextQuestion> question = contextQuestion(option, data);
        if (question.isPresent()) {
            contextsOf = question.get().name();
            for (Context context : export.contexts()) {
                if (question.get().chooses(context)) {
                    contexts.add(context);
                    wire.write(OptionReply.context(option.code(), context));
                }
            }
            wire.write(OptionReply.acknowledge(option.code()));
        }
    }

    private Optional<ContextQuestion> contextQuestion(OptionRequest option, ByteBuffer data) throws IOException {
        if (!structured) {
            refuse(option, OptionVerdict.INVALID, "block status needs structured replies");
            return Optional.empty();
        }
        Optional<ContextQuestion> question = ContextQuestion.decode(data);
        if (question.isEmpty()) {
            refuse(option, OptionVerdict.INVALID, "the lengths inside the option don't add up");
            return Optional.empty();
        }
        return knows(option, question.get().name()) ? question : Optional.empty();
    }

    /** A name that a stranger sent, fit for a terminal. */
    private static String printable(String name) {
        String shown = name.length() > 100 ? name.substring(0, 100) + "..." : name;
        return shown.replaceAll("\\p{Cntrl}", "?");
    }
}
