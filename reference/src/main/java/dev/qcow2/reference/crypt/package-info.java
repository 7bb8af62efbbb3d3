/**
 * Encryption of guest clusters. Read in this order: {@link dev.qcow2.reference.crypt.SectorCipher}, {@code Aes}, {@code
 * InitialVector}, {@code CbcCipher}, {@code XtsCipher}; {@link dev.qcow2.reference.crypt.LegacyAes}; {@code HashFunction}, {@code
 * KeyDerivation}, {@code StripedKey}, {@code CipherChoice}, {@code LuksKeySlot}, {@code LuksHeader}, {@link
 * dev.qcow2.reference.crypt.LuksKeys}.
 */
@NullMarked
package dev.qcow2.reference.crypt;

import org.jspecify.annotations.NullMarked;
