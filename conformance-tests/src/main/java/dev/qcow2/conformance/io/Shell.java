package dev.qcow2.conformance.io;

import dev.qcow2.spec.disk.DiskException;
import java.util.ArrayList;
import java.util.List;

/** Turns a line into a command and runs it. */
final class Shell {

    private final Session session;
    private final SyncCommands sync;
    private final AsyncCommands async;
    private final LookCommands look;
    private final FileCommands files;
    private final ProcessCommands process;

    Shell(Session session) {
        this.session = session;
        this.sync = new SyncCommands(session);
        this.async = new AsyncCommands(session);
        this.look = new LookCommands(session);
        this.files = new FileCommands(session);
        this.process = new ProcessCommands(session);
    }

    /** Runs a line; an empty one does nothing. Returns whether all went well. */
    boolean run(String line) {
        List<String> words = split(line);
        if (words.isEmpty()) {
            return true;
        }
        try {
            String typed = words.get(0);
            Verb verb =
                    Verb.named(typed).orElseThrow(() -> CommandFailure.message("command \"" + typed + "\" not found"));
            List<String> arguments = words.subList(1, words.size());
            requireReady(verb, typed, arguments.size());
            run(new Words(verb, typed, arguments));
            return true;
        } catch (CommandFailure e) {
            e.tell(session.output());
        } catch (DiskException e) {
            session.output().result(words.get(0) + " failed: " + RequestErrors.words(e));
        }
        return false;
    }

    /** Words are separated by blanks alone: there are no quotes, and a tabulator belongs to a word. */
    private static List<String> split(String line) {
        List<String> words = new ArrayList<>();
        for (String word : line.split(" ", -1)) {
            if (!word.isEmpty()) {
                words.add(word);
            }
        }
        return words;
    }

    private void requireReady(Verb verb, String typed, int arguments) throws CommandFailure {
        if (verb.need() != Verb.Need.NOTHING && !session.isOpen()) {
            throw CommandFailure.message("no file open, try 'help open'");
        }
        verb.requireCount(typed, arguments);
        if (verb.need() == Verb.Need.WRITABLE && !session.isWritable()) {
            throw CommandFailure.named("Block node is read-only");
        }
    }

    private void run(Words words) throws CommandFailure, DiskException {
        switch (words.verb()) {
            case READ -> sync.read(words);
            case READV -> sync.readv(words);
            case WRITE -> sync.write(words);
            case WRITEV -> sync.writev(words);
            case DISCARD -> sync.discard(words);
            case AIO_READ -> async.read(words);
            case AIO_WRITE -> async.write(words);
            case AIO_FLUSH -> session.background().finish();
            case ALLOC -> look.alloc(words);
            case FLUSH -> look.flush();
            case INFO -> look.info();
            case LENGTH -> look.length();
            case MAP -> look.map();
            case TRUNCATE -> look.truncate(words);
            case OPEN -> files.open(words);
            case CLOSE -> files.close();
            case REOPEN -> files.reopen(words);
            case ABORT -> process.abort();
            case BREAK, RESUME, REMOVE_BREAK, WAIT_BREAK -> process.breakpoint(words);
            case HELP -> process.help(words);
            case QUIT -> session.end();
            case SIGRAISE -> process.raise(words);
            case SLEEP -> process.sleep(words);
        }
    }
}
