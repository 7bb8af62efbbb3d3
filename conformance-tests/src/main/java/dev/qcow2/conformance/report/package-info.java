/** What the build tells people when it is over. */
@NullMarked
package dev.qcow2.conformance.report;

import org.jspecify.annotations.NullMarked;
