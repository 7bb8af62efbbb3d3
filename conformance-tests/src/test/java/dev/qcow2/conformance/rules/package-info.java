/**
 * Rules of the format, each asked of both implementations from outside: an image's bytes are looked at, or changed, and a
 * request shows whether the rule is obeyed. Features that an implementation doesn't have are skipped by name.
 */
@NullMarked
package dev.qcow2.conformance.rules;

import org.jspecify.annotations.NullMarked;
