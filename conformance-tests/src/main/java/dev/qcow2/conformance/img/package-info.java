/**
 * {@code qcow2 img}: what qemu-img does, on either implementation; one class for each subcommand.
 *
 * <p>Reading order:
 *
 * <ol>
 *   <li>{@link dev.qcow2.conformance.img.ImgCommand}: finds the subcommand;
 *   <li>{@code Getopt}: reads arguments as C programs do;
 *   <li>{@code ImgSubcommand}: what all subcommands share, from opening an image to exit codes;
 *   <li>{@code FormatOptions}, {@code NewImage}: {@code -o}, and how images are made;
 *   <li>the subcommands, each by itself.
 * </ol>
 *
 * <p>Tables of command lines in the tests are run by qemu-img, too, and must say and leave the same. What differs on purpose: the
 * program's name; a {@code create} whose options are wrong leaves an existing file alone; where clusters lie after snapshots, amends and
 * bitmaps; {@code check} names broken entries in the auditor's words where qemu-img has a line of its own for each kind.
 */
@NullMarked
package dev.qcow2.conformance.img;

import org.jspecify.annotations.NullMarked;
