------------------------------ MODULE CutTwins ------------------------------
(***************************************************************************)
(* Always-copy and skip are the same to the guest under power cuts too.    *)
(*                                                                         *)
(* Two files of module PowerCut go through the same steps.  They share the *)
(* requests and the allocator; each has its own reference counts, entries  *)
(* and bytes.  After a cut at any step the guest may find the same in      *)
(* both, not more and not less.                                            *)
(***************************************************************************)
EXTENDS Naturals, TLC

CONSTANTS
    ClusterCount, Hosts, NoHost, Slots, MaxRequests, Kinds, Start, Lazy, Ordering, Punching, Fault

VARIABLES
    copyCount, copyL2, copyBytes, copySlot, copyDirty,
    skipCount, skipL2, skipBytes, skipSlot, skipDirty,
    free, request, begun, seen, allowed, savedSeen

vars == <<copyCount, copyL2, copyBytes, copySlot, copyDirty,
          skipCount, skipL2, skipBytes, skipSlot, skipDirty,
          free, request, begun, seen, allowed, savedSeen>>

Copy == INSTANCE PowerCut WITH
            count <- copyCount, l2 <- copyL2, bytes <- copyBytes, slot <- copySlot, dirty <- copyDirty, Mode <- "copy"
Skip == INSTANCE PowerCut WITH
            count <- skipCount, l2 <- skipL2, bytes <- skipBytes, slot <- skipSlot, dirty <- skipDirty, Mode <- "skip"

Clusters == 1 .. ClusterCount
Blocks == 1 .. 2

Init == Copy!Init /\ Skip!Init /\ copyL2 = skipL2

Next ==
    \/ \E s \in Slots, c \in Clusters, b \in Blocks \cup {Copy!Whole} :
          \/ Copy!BeginInPlace(s, c, b) /\ Skip!BeginInPlace(s, c, b)
          \/ Copy!BeginReuse(s, c, b) /\ Skip!BeginReuse(s, c, b)
    \/ \E s \in Slots, c \in Clusters, b \in Blocks \cup {Copy!Whole}, h \in Hosts :
          Copy!BeginFresh(s, c, b, h) /\ Skip!BeginFresh(s, c, b, h)
    \/ \E s \in Slots, c \in Clusters, kind \in {"zero", "keep"} :
          Copy!BeginZero(s, c, kind) /\ Skip!BeginZero(s, c, kind)
    \/ \E s \in Slots :
          \/ Copy!Raise(s) /\ Skip!Raise(s)
          \/ Copy!Prepare(s) /\ Skip!Prepare(s)
          \/ Copy!Payload(s) /\ Skip!Payload(s)
          \/ Copy!FlushStep(s) /\ Skip!FlushStep(s)
          \/ Copy!Link(s) /\ Skip!Link(s)
          \/ Copy!InPlace(s) /\ Skip!InPlace(s)
          \/ Copy!Unlink(s) /\ Skip!Unlink(s)
          \/ Copy!Settle(s) /\ Skip!Settle(s)
          \/ Copy!Lower(s) /\ Skip!Lower(s)
          \/ Copy!Punch(s) /\ Skip!Punch(s)
          \/ Copy!Free(s) /\ Skip!Free(s)
    \/ Copy!GuestFlush /\ Skip!GuestFlush

Spec == Init /\ [][Next]_vars

Symmetry == Permutations(Hosts) \cup Permutations(Slots)

(* All that the guest may find in a block after a cut.                      *)
SameAfterCut == \A c \in Clusters, b \in Blocks : Copy!MayShow(c, b) = Skip!MayShow(c, b)
SameView == \A c \in Clusters, b \in Blocks :
                Copy!ReadNow(copyL2[c].now, c, b) = Skip!ReadNow(skipL2[c].now, c, b)
SameCounts == copyCount = skipCount /\ copyL2 = skipL2
=============================================================================
