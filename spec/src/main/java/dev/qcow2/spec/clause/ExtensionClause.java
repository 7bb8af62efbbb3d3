package dev.qcow2.spec.clause;

import static dev.qcow2.spec.clause.Clause.Party.READER;
import static dev.qcow2.spec.clause.Clause.Party.WRITER;
import static dev.qcow2.spec.clause.Clause.Since.V2;
import static dev.qcow2.spec.clause.Clause.Since.V3;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Header extensions: the typed records between the header and the backing file's name. */
public enum ExtensionClause implements Clause {
    QC_EXT_01(
            "Header extensions follow the header directly, each a type, a length, and data padded to a multiple of 8 bytes.",
            V2,
            READER,
            WRITER),
    QC_EXT_02("Type 0 ends the extension area; what follows it is not an extension.", V2, READER, WRITER),
    QC_EXT_03(
            "An extension lies inside the first cluster as a whole; one that claims more is refused.",
            V2,
            READER,
            WRITER),
    QC_EXT_04(
            "An unknown extension is ignored when reading and kept byte for byte when the header is rewritten.",
            V2,
            READER,
            WRITER),
    QC_EXT_05("Each extension type appears at most once, unless its own text permits more.", V2, READER, WRITER),
    QC_EXT_06(
            "The backing format extension (0xe2792aca) holds the backing file's format name, without a terminating zero.",
            V2,
            READER,
            WRITER),
    QC_EXT_07(
            "The feature name table (0x6803f857) has 48-byte entries: feature type 0 to 2, bit 0 to 63, a name of up to 46 bytes padded with zeros.",
            V3,
            READER,
            WRITER),
    QC_EXT_08(
            "The backing file's name stands in the first cluster, behind the extension area; nothing else may stand there.",
            V2,
            READER,
            WRITER),
    QC_EXT_09("The padding of an extension has no meaning, whatever its bytes are.", V2, READER),
    QC_EXT_10("The full-disk-encryption extension is present exactly when crypt_method is LUKS.", V3, READER, WRITER),
    QC_EXT_11(
            "The bitmaps autoclear bit is set only if the bitmaps extension is present; without the bit the extension's data is stale.",
            V3,
            READER,
            WRITER),
    QC_EXT_12(
            "An extension that is a string is exactly as long as the extension says; a zero byte does not end it.",
            V2,
            READER,
            WRITER),
    QC_EXT_13(
            "The number of entries of the feature name table follows from the extension's length; a rest that is no whole entry is no entry.",
            V3,
            READER),
    QC_EXT_14(
            "The name of an unknown feature is taken from the feature name table, where that has it, to say what the image needs.",
            V3,
            READER);

    private final String paraphrase;
    private final Since since;
    private final Set<Party> binds;

    ExtensionClause(String paraphrase, Since since, Party... binds) {
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
