package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.REPAIRER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Encryption: LUKS headers inside the image, the keys in them, and the sectors of guest data. */
public enum CryptClause implements Clause {
    QC_CRY_01(
            "With an encryption method guest data is encrypted in sectors of 512 bytes, on every write and read, whatever the cluster size.",
            V2,
            READER,
            WRITER),
    QC_CRY_02(
            "Method 1 is AES in CBC mode under the passphrase itself, cut or filled up with zeros to 16 bytes, as QEMU writes it; the initial vector is the sector's number on the virtual disk.",
            V2,
            READER,
            WRITER),
    QC_CRY_03("The header, its extensions and all other metadata are never encrypted.", V2, READER, WRITER),
    QC_CRY_04(
            "The full-disk-encryption extension names the place of the LUKS header, a multiple of the cluster size inside the file, and its length with all key material.",
            V3,
            READER,
            WRITER),
    QC_CRY_05(
            "The LUKS header is one of LUKS version 1, takes 592 bytes, and stands at the start of its clusters.",
            V3,
            READER,
            WRITER),
    QC_CRY_06(
            "The LUKS header names cipher, mode, hash function and length of the master key; what a reader does not know of these it refuses by name.",
            V3,
            READER,
            WRITER),
    QC_CRY_07(
            "Keys are derived from passphrases with PBKDF2, and the derived digest of the master key tells whether it is the right one.",
            V3,
            READER,
            WRITER),
    QC_CRY_08(
            "A wrong passphrase is found before any guest byte is read or written, where the method can tell it.",
            V2,
            READER),
    QC_CRY_09(
            "The place of a slot's key material is counted in sectors from the start of the LUKS header, behind it and inside its length.",
            V3,
            READER,
            WRITER),
    QC_CRY_10(
            "Key material is the slot's key spread over 4000 stripes, of which each is needed to get it back.",
            V3,
            READER,
            WRITER),
    QC_CRY_11(
            "The initial vector of LUKS is made from the sector's number in the file that holds it: the host offset, not the guest's.",
            V3,
            READER,
            WRITER),
    QC_CRY_12(
            "The clusters of the LUKS header are counted once each; their number is the length rounded up, and the rest of the last one is zero.",
            V3,
            READER,
            WRITER,
            REPAIRER),
    QC_CRY_13(
            "The payload offset in a LUKS header is a valid one for its key material, and is used by nobody inside an image.",
            V3,
            READER,
            WRITER),
    QC_CRY_14(
            "Method 1 can't tell a wrong passphrase and is unsafe: whoever opens such an image is told so.",
            V2,
            READER),
    QC_CRY_15(
            "Each of the eight key slots may be in use or free, and any slot in use whose key is right opens the image.",
            V3,
            READER),
    QC_CRY_16(
            "What is copied up from a backing file is encrypted with the overlay's key, and the backing file is read in its own way.",
            V2,
            READER,
            WRITER),
    QC_CRY_17(
            "A cluster that reads as zeros by its entry is zero in the clear, and needs no encrypted zeros.",
            V2,
            READER,
            WRITER),
    QC_CRY_18("A new image gets a random master key and random salts.", V3, WRITER),
    QC_CRY_19("Machine state in an encrypted image is encrypted like guest data.", V2, READER, WRITER),
    QC_CRY_20(
            "A key slot is filled before its state says that it is in use; its state says free before its key material is overwritten with random bytes.",
            V3,
            WRITER),
    QC_CRY_21("The last key slot in use is erased only if the caller wants the guest's data to be lost.", V3, WRITER),
    QC_CRY_22(
            "A slot in use takes another passphrase only if the caller says so, and no slot's key material is written over that of another.",
            V3,
            WRITER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    CryptClause(String paraphrase, Since since, Party... binds) {
        this.paraphrase = paraphrase;
        this.since = since;
        this.binds = Set.copyOf(EnumSet.copyOf(List.of(binds)));
    }

    @Override
    public String paraphrase() {
        return paraphrase;
    }

    @Override
    public Since since() {
        return since;
    }

    @Override
    public Set<Party> binds() {
        return binds;
    }

    @Override
    public String toString() {
        return id();
    }
}
