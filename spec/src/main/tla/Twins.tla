------------------------------- MODULE Twins -------------------------------
(***************************************************************************)
(* Always-copy and skip are the same to the guest.                         *)
(*                                                                         *)
(* Two images of module Mapping get the same requests at the same time.    *)
(* One always copies and replaces zero-allocated clusters; the other skips *)
(* what it may and writes into them.  They place their clusters as they    *)
(* like, each in a file of its own.                                        *)
(***************************************************************************)
EXTENDS Naturals, TLC

CONSTANTS
    ClusterCount, BlockCount, Values, Saves, Sizes, SubclusterCount, CopyHosts, SkipHosts, NoHost,
    Version, BackingShape, PackCount, Straddle, MaxCount, Fault

VARIABLES
    size, disk, saved,
    copyL2, copyImages, copyCount, copyBytes, copyPacked,
    skipL2, skipImages, skipCount, skipBytes, skipPacked

vars == <<size, disk, saved, copyL2, copyImages, copyCount, copyBytes, copyPacked,
          skipL2, skipImages, skipCount, skipBytes, skipPacked>>

Copy == INSTANCE Mapping WITH
            l2 <- copyL2, images <- copyImages, count <- copyCount, bytes <- copyBytes, packed <- copyPacked,
            Hosts <- CopyHosts, Mode <- "copy", Reuse <- {FALSE}
Skip == INSTANCE Mapping WITH
            l2 <- skipL2, images <- skipImages, count <- skipCount, bytes <- skipBytes, packed <- skipPacked,
            Hosts <- SkipHosts, Mode <- "skip", Reuse <- {TRUE}

Clusters == 1 .. ClusterCount
Blocks == 1 .. BlockCount

Init == Copy!MInit /\ Skip!MInit

Next ==
    \/ \E c \in Clusters, first, last \in Blocks, v \in Values \cup {Copy!Zero} :
          first <= last /\ Copy!MWrite(c, first, last, v) /\ Skip!MWrite(c, first, last, v)
    \/ \E c \in Clusters, keep \in BOOLEAN : Copy!MZero(c, keep) /\ Skip!MZero(c, keep)
    \/ \E c \in Clusters, s \in Copy!Subclusters : Copy!MZeroSubcluster(c, s) /\ Skip!MZeroSubcluster(c, s)
    \/ \E c \in Clusters : Copy!MDiscard(c) /\ Skip!MDiscard(c)
    \/ \E c \in Clusters, v \in Values : Copy!MWriteCompressed(c, v) /\ Skip!MWriteCompressed(c, v)
    \/ \E s \in Saves : \/ Copy!MSave(s) /\ Skip!MSave(s)
                        \/ Copy!MRestore(s) /\ Skip!MRestore(s)
                        \/ Copy!MForget(s) /\ Skip!MForget(s)
    \/ \E n \in Sizes : Copy!MResize(n) /\ Skip!MResize(n)

Spec == Init /\ [][Next]_vars

Symmetry == Permutations(CopyHosts) \cup Permutations(SkipHosts)

(* What a read finds is the same in both, in the disk and in each snapshot. *)
SameView == Copy!View = Skip!View
SameSavedViews == Copy!SavedView = Skip!SavedView

(* A block that one calls zero by status is read as zero in the other.      *)
SameZeros ==
    \A c \in Clusters, b \in Blocks :
        Copy!ZeroByStatus(copyL2[c], c, b) \/ Skip!ZeroByStatus(skipL2[c], c, b) => Skip!View[c][b] = Copy!Zero
=============================================================================
