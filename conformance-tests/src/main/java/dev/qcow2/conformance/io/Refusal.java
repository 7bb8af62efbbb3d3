package dev.qcow2.conformance.io;

/** A request is refused before it reaches the image; the message is the C library's word for the reason. */
final class Refusal extends Exception {

    private static final long serialVersionUID = 1L;

    Refusal(String words) {
        super(words);
    }
}
