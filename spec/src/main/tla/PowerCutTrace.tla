---------------------------- MODULE PowerCutTrace ----------------------------
(***************************************************************************)
(* Is the order in which an implementation wrote its file safe at any      *)
(* power cut?                                                              *)
(*                                                                         *)
(* A trace tells each operation on the file and what it changed: entries,  *)
(* counts, the dirty bit, the bytes of a host cluster.  As in PowerCut     *)
(* each field keeps the set of values that it may have after a cut, and    *)
(* the properties of PowerCut are asked after each event, of what the      *)
(* event touched.  The bytes themselves are not in a trace: it is asked    *)
(* whether a host cluster was written since the last flush.                *)
(*                                                                         *)
(* A key is a field that refers to a host cluster: an L1 or L2 entry, or   *)
(* the entry of a snapshot; compressed data that ends in a second host     *)
(* cluster has a key of its own for it.                                    *)
(***************************************************************************)
EXTENDS Trace, FiniteSets

VARIABLES count, l2, dirty, pending, verb, trace, at

fields == <<count, l2, dirty, pending>>
vars == <<count, l2, dirty, pending, verb, trace, at>>

Hosts == 1 .. HostCount
NoHost == 0
Keys == 1 .. KeyCount

NoSnapshot == [now |-> 0, may |-> {[taken |-> FALSE, entries |-> [k \in Keys |-> [host |-> NoHost]]]}]

Cut == INSTANCE PowerCut WITH
            ClusterCount <- KeyCount, Slots <- {}, MaxRequests <- 0, Kinds <- {}, Start <- {}, Mode <- "skip",
            Lazy <- FALSE, Ordering <- "any", Punching <- {TRUE}, Fault <- "none",
            bytes <- 0, slot <- NoSnapshot, free <- {}, request <- <<>>, begun <- 0, seen <- 0, allowed <- 0,
            savedSeen <- 0

Shows(e) == e.host /= NoHost /\ e.data /= {}
MayRefer(k, h) == Cut!MayRefer(k, h)

(* OnlyLeaks of one host cluster.                                           *)
CountIsEnough(h) == FALSE \in dirty.may => Cut!Least(count[h].may) >= Cut!MostReferences(h)

(* NoClusterTwice: only streams of compressed data stand beside each other. *)
OneOwner(k, h) ==
    \A other \in Keys :
        PlaceOf(trace, other) /= PlaceOf(trace, k) /\ MayRefer(other, h) =>
            \A e \in l2[other].may : e.host = h => e.packed /\ l2[k].now.packed

(* CopiedIsSafe of one host cluster.                                        *)
CopiedSafe(h) ==
    (\E k \in Keys : IsSaved(trace, k) /\ MayRefer(k, h)) =>
        \A k \in Keys : ~IsSaved(trace, k) => \A e \in l2[k].may : e.host = h => ~e.copied

(* An entry that shows new bytes is written after they were flushed.        *)
BytesAreThere(old, e) ==
    \/ ~Shows(e)
    \/ Shows(old) /\ old.host = e.host /\ old.packed = e.packed /\ e.data \subseteq old.data
    \/ e.host \notin pending

Safe(k, h) == h /= NoHost => CountIsEnough(h) /\ OneOwner(k, h) /\ CopiedSafe(h)

(* The key of a tail changes with that of its entry; 0 if there is none.    *)
EntryStep(e) ==
    /\ l2' = [k \in Keys |-> CASE k = e.key -> Cut!Put(l2[k], e.state)
                               [] k = e.tail -> Cut!Put(l2[k], e.tailState)
                               [] OTHER -> l2[k]]
    /\ BytesAreThere(l2[e.key].now, e.state)
    /\ e.tail /= 0 => BytesAreThere(l2[e.tail].now, e.tailState)
    /\ UNCHANGED <<count, dirty, pending, verb>>
    /\ Safe(e.key, e.state.host)'
    /\ e.tail /= 0 => Safe(e.tail, e.tailState.host)'

CountStep(e) ==
    /\ count' = [count EXCEPT ![e.host] = Cut!Put(@, e.value)]
    /\ UNCHANGED <<l2, dirty, pending, verb>>
    /\ CountIsEnough(e.host)'

(* No entry that a cut may bring back shows bytes that were not its own.    *)
(* What zeroes or a discard dropped may be zeros at once.                   *)
MayChangeBytes(k, h, how) ==
    LET now == l2[k].now
        mayShow == \E e \in l2[k].may : e.host = h /\ Shows(e) /\ ~e.packed
        own == ~IsSaved(trace, k) /\ now.host = h /\ ~(how = "punch" /\ Shows(now))
        zeroedAway == ~IsSaved(trace, k) /\ now.host /= h /\ how /= "write" /\ verb \in {"zero", "zero-keep", "discard"}
    IN  mayShow => own \/ zeroedAway

BytesStep(e) ==
    /\ \A h \in e.hosts, k \in Keys : MayChangeBytes(k, h, e.how)
    /\ pending' = pending \cup e.hosts
    /\ UNCHANGED <<count, l2, dirty, verb>>

FlushStep ==
    /\ count' = [h \in Hosts |-> Cut!Flushed(count[h])]
    /\ l2' = [k \in Keys |-> Cut!Flushed(l2[k])]
    /\ dirty' = Cut!Flushed(dirty)
    /\ pending' = {}
    /\ UNCHANGED verb

Step(e) ==
    CASE e.op = "request" -> verb' = e.verb /\ UNCHANGED fields
      [] e.op = "entry" -> EntryStep(e)
      [] e.op = "count" -> CountStep(e)
      [] e.op = "dirty" -> dirty' = Cut!Put(dirty, e.set) /\ UNCHANGED <<count, l2, pending, verb>>
      [] e.op = "bytes" -> BytesStep(e)
      [] e.op = "flush" -> FlushStep

Init ==
    /\ trace \in 1 .. TraceCount
    /\ at = 0
    /\ l2 = [k \in Keys |-> Cut!Still(FirstEntry(trace, k))]
    /\ count = [h \in Hosts |-> Cut!Still(FirstCount(trace, h))]
    /\ dirty = Cut!Still(FALSE)
    /\ pending = {}
    /\ verb = "look"

Accepts == trace' = trace /\ \E e \in {Ev(trace, at + 1)} : Step(e)

Accept ==
    /\ at < Length(trace)
    /\ Accepts
    /\ at' = at + 1

Refuse ==
    /\ at < Length(trace)
    /\ ~ENABLED Accepts
    /\ PrintT(<<"verdict", trace, "refused", at + 1>>)
    /\ at' = Length(trace) + 1
    /\ UNCHANGED <<fields, verb, trace>>

End ==
    /\ at = Length(trace)
    /\ PrintT(<<"verdict", trace, "accepted", at>>)
    /\ at' = Length(trace) + 1
    /\ UNCHANGED <<fields, verb, trace>>

Next == Accept \/ Refuse \/ End

Spec == Init /\ [][Next]_vars
=============================================================================
