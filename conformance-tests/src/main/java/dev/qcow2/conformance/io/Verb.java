package dev.qcow2.conformance.io;

import java.util.Optional;

/** The commands of the inner language: names, numbers of arguments, what they need, and what help says of them. */
enum Verb {
    /** Ends the program as a crash does. */
    ABORT("abort", "", 0, 0, Need.NOTHING, "", "simulate a program crash using abort(3)", ""),
    /** Waits for background requests. */
    AIO_FLUSH("aio_flush", "", 0, 0, Need.IMAGE, "", "completes all outstanding aio requests", ""),
    /** Reads in the background. */
    AIO_READ(
            "aio_read",
            "",
            2,
            -1,
            Need.IMAGE,
            "[-Ciqv] [-P pattern] off len [len..]",
            "asynchronously reads a number of bytes",
            """

             Starts a read and returns; the result is told when it is there, at the latest by aio_flush.
             Several lengths are one request with several buffers. The command fails only if it can't be started.
             -C  tell the result in one line for programs
             -i  count an invalid request
             -P  compare with this byte
             -q  tell nothing
             -v  show the bytes

             Example: aio_read -v 512 1k 1k
            """),
    /** Writes in the background. */
    AIO_WRITE(
            "aio_write",
            "",
            2,
            -1,
            Need.WRITABLE,
            "[-Cfiquz] [-P pattern] off len [len..]",
            "asynchronously writes a number of bytes",
            """

             Starts a write and returns; the result is told when it is there, at the latest by aio_flush.
             Several lengths are one request with several buffers. The command fails only if it can't be started.
             -C  tell the result in one line for programs
             -f  flush behind the write
             -i  count an invalid request
             -P  write this byte instead of 0xcd
             -q  tell nothing
             -u  with -z: clusters may be freed
             -z  write zeros without data

             Example: aio_write 512 1k 1k
            """),
    /** Counts allocated bytes. */
    ALLOC("alloc", "a", 1, 2, Need.IMAGE, "offset [count]", "checks if offset is allocated in the file", ""),
    /** Would stop requests. */
    BREAK(
            "break",
            "",
            2,
            2,
            Need.IMAGE,
            "event tag",
            "sets a breakpoint on event and tags the stopped request as tag",
            ""),
    /** Closes the image. */
    CLOSE("close", "c", 0, 0, Need.IMAGE, "", "close the current open file", ""),
    /** Discards a range. */
    DISCARD(
            "discard",
            "d",
            2,
            -1,
            Need.WRITABLE,
            "[-Cq] off len",
            "discards a number of bytes at a specified offset",
            """

             Says that nobody needs the content of a range any more.
             -C  tell the result in one line for programs
             -q  tell nothing

             Example: discard 512 1k
            """),
    /** Makes all survive a power cut. */
    FLUSH("flush", "f", 0, 0, Need.IMAGE, "", "flush all in-core file state to disk", ""),
    /** Tells of commands. */
    HELP("help", "?", 0, 1, Need.NOTHING, "[command]", "help for one or all commands", ""),
    /** Tells of the image. */
    INFO("info", "i", 0, 0, Need.IMAGE, "", "prints information about the current file", ""),
    /** Tells the disk's size. */
    LENGTH("length", "l", 0, 0, Need.IMAGE, "", "gets the length of the current file", ""),
    /** Tells what is allocated. */
    MAP("map", "", 0, 0, Need.IMAGE, "", "prints the allocated areas of a file", ""),
    /** Opens an image. */
    OPEN(
            "open",
            "o",
            1,
            -1,
            Need.NOTHING,
            "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
            "open the file specified by path",
            """

             Opens an image, on which all other commands work.
             -C  copy to the image what is read from its backing files
             -d  what becomes of discards: ignore or unmap
             -i  taken and ignored: how the host is asked (threads, native or io_uring)
             -k  the same as -i native
             -n  past the host's page cache, the same as -t none
             -o  options of the image: key=value,key=value
             -r  read-only
             -s  changes go to a temporary overlay
             -t  cache mode: none, writeback, writethrough, directsync or unsafe
             -U  also if somebody else writes to the image

             Example: open -n -o driver=raw /tmp/data
            """),
    /** Ends the program. */
    QUIT("quit", "q", 0, -1, Need.NOTHING, "", "exit the program", ""),
    /** Reads. */
    READ(
            "read",
            "r",
            2,
            -1,
            Need.IMAGE,
            "[-abCqv] [-P pattern [-s off] [-l len]] off len",
            "reads a number of bytes at a specified offset",
            """

             Reads a range, and compares or shows it.
             -b  read saved machine state instead of the disk
             -C  tell the result in one line for programs
             -l  compare only so many bytes (with -P)
             -p  ignored
             -P  compare with this byte
             -q  tell nothing
             -s  compare from here on, counted from the start of the range (with -P)
             -v  show the bytes

             Example: read -v 512 1k
            """),
    /** Reads into several buffers. */
    READV(
            "readv",
            "",
            2,
            -1,
            Need.IMAGE,
            "[-Cqv] [-P pattern] off len [len..]",
            "reads a number of bytes at a specified offset",
            """

             Reads a range as one request with several buffers.
             -C  tell the result in one line for programs
             -P  compare with this byte
             -q  tell nothing
             -v  show the bytes

             Example: readv -v 512 1k 1k
            """),
    /** Would remove a breakpoint. */
    REMOVE_BREAK("remove_break", "", 1, 1, Need.IMAGE, "tag", "remove a breakpoint by tag", ""),
    /** Opens the image again in another way. */
    REOPEN(
            "reopen",
            "",
            0,
            -1,
            Need.IMAGE,
            "[(-r|-w)] [-c cache] [-o options]",
            "reopens an image with new options",
            """

             Opens the same image again in another way.
             -c  another cache mode
             -o  options of the image: key=value,key=value
             -r  read-only
             -w  for reading and writing

             Example: reopen -o discard=unmap
            """),
    /** Would let a request go on. */
    RESUME("resume", "", 1, 1, Need.IMAGE, "tag", "resumes the request tagged as tag", ""),
    /** Sends a signal to the program itself. */
    SIGRAISE("sigraise", "", 1, 1, Need.NOTHING, "signal", "raises a signal", """

             Sends a signal, given as a number, to this program. Signal 9 leaves the image as a crash does.

             Example: sigraise 9
            """),
    /** Waits. */
    SLEEP("sleep", "", 1, 1, Need.NOTHING, "", "waits for the given value in milliseconds", ""),
    /** Changes the disk's size. */
    TRUNCATE(
            "truncate",
            "t",
            1,
            3,
            Need.WRITABLE,
            "[-m prealloc_mode] off",
            "truncates the current file at the given offset",
            ""),
    /** Would wait for a breakpoint. */
    WAIT_BREAK("wait_break", "", 1, 1, Need.IMAGE, "tag", "waits for the suspension of a request", ""),
    /** Writes. */
    WRITE(
            "write",
            "w",
            2,
            -1,
            Need.WRITABLE,
            "[-bcCfnquz] [-P pattern | -s source_file] off len",
            "writes a number of bytes at a specified offset",
            """

             Writes a range, with the byte 0xcd unless an option says otherwise.
             -b  write saved machine state instead of the disk
             -c  write compressed clusters
             -C  tell the result in one line for programs
             -f  flush behind the write
             -n  with -z: fail where zeros would have to be written as data
             -p  ignored
             -P  write this byte
             -q  tell nothing
             -s  write the content of this file, over and over
             -u  with -z: clusters may be freed
             -z  write zeros without data

             Example: write 512 1k
            """),
    /** Writes from several buffers. */
    WRITEV(
            "writev",
            "",
            2,
            -1,
            Need.WRITABLE,
            "[-Cfq] [-P pattern] off len [len..]",
            "writes a number of bytes at a specified offset",
            """

             Writes a range as one request with several buffers.
             -C  tell the result in one line for programs
             -f  flush behind the write
             -P  write this byte instead of 0xcd
             -q  tell nothing

             Example: writev 512 1k 1k
            """);

    /** What must be there before a command starts. */
    enum Need {
        /** Nothing. */
        NOTHING,
        /** An open image. */
        IMAGE,
        /** An image that is open for writing. */
        WRITABLE
    }

    private final String word;
    private final String shortWord;
    private final int least;
    private final int most;
    private final Need need;
    private final String arguments;
    private final String purpose;
    private final String details;

    Verb(
            String word,
            String shortWord,
            int least,
            int most,
            Need need,
            String arguments,
            String purpose,
            String details) {
        this.word = word;
        this.shortWord = shortWord;
        this.least = least;
        this.most = most;
        this.need = need;
        this.arguments = arguments;
        this.purpose = purpose;
        this.details = details;
    }

    /** Finds a command by its name or its short name. */
    static Optional<Verb> named(String typed) {
        for (Verb verb : values()) {
            if (verb.word.equals(typed) || (!typed.isEmpty() && verb.shortWord.equals(typed))) {
                return Optional.of(verb);
            }
        }
        return Optional.empty();
    }

    /** Returns the command's name. */
    String word() {
        return word;
    }

    /** Returns what must be there. */
    Need need() {
        return need;
    }

    /** Returns arguments and purpose in one line, behind the name that the user typed. */
    String synopsis(String typed) {
        // There are two blanks where map, alone among the commands, has an empty list of arguments.
        String list = this == MAP ? " " : arguments.isEmpty() ? "" : arguments + " ";
        return typed + " " + list + "-- " + purpose;
    }

    /** Returns all that help says. */
    String help(String typed) {
        return synopsis(typed) + "\n" + details;
    }

    /** Refuses a wrong number of arguments. */
    void requireCount(String typed, int count) throws CommandFailure {
        if (count >= least && (most < 0 || count <= most)) {
            return;
        }
        String expected = most < 0
                ? "at least " + least
                : least == most ? Integer.toString(least) : "between " + least + " and " + most;
        throw CommandFailure.message(
                "bad argument count " + count + " to " + typed + ", expected " + expected + " arguments");
    }
}
