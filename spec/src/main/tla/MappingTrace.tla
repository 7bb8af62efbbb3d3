---------------------------- MODULE MappingTrace ----------------------------
(***************************************************************************)
(* Is a trace of an implementation a behaviour of the mapping?             *)
(*                                                                         *)
(* A trace tells which entries changed, from what to what, and how the     *)
(* counts went up and down.  Each entry that changes has to be a step of   *)
(* module Mapping, always-copy or skip, up to the names of host clusters,  *)
(* which the trace tells.  A place is the entry of a guest cluster or an   *)
(* L1 entry: to the counts a table is what a data cluster is.  The bytes   *)
(* are not in a trace; a block here is a subcluster.                       *)
(*                                                                         *)
(* The counts of the model are exact after each step.  Those of the trace  *)
(* ("stored") may be higher for a while: a count goes up before its entry  *)
(* is linked and down after it was dropped.  They are never lower, and     *)
(* when all is settled they are the same.                                  *)
(*                                                                         *)
(* Snapshots change all entries at once.  What the trace shows of them one *)
(* by one ("shown") has to be what the model says when the request is done.*)
(*                                                                         *)
(* Module Trace is made from the trace.  Many traces are judged in one     *)
(* run, each from an initial state of its own; the verdicts are printed.   *)
(***************************************************************************)
EXTENDS Trace, FiniteSets

VARIABLES l2, images, count, bytes, packed, stored, shown, request, trace, at

imageVars == <<l2, images, count, bytes, packed>>
vars == <<l2, images, count, bytes, packed, stored, shown, request, trace, at>>

Hosts == 1 .. HostCount
NoHost == 0

Copy == INSTANCE Mapping WITH
            Mode <- "copy", Reuse <- {TRUE, FALSE}, Fault <- "none", BlockCount <- SubclusterCount,
            ClusterCount <- PlaceCount, Values <- {"w"}, Sizes <- {PlaceCount}, Straddle <- TRUE,
            BackingShape <- (IF Backed THEN "all" ELSE "none"), MaxCount <- 1000000000,
            size <- PlaceCount, disk <- 0, saved <- 0
Skip == INSTANCE Mapping WITH
            Mode <- "skip", Reuse <- {TRUE, FALSE}, Fault <- "none", BlockCount <- SubclusterCount,
            ClusterCount <- PlaceCount, Values <- {"w"}, Sizes <- {PlaceCount}, Straddle <- TRUE,
            BackingShape <- (IF Backed THEN "all" ELSE "none"), MaxCount <- 1000000000,
            size <- PlaceCount, disk <- 0, saved <- 0

Places == 1 .. PlaceCount
Subclusters == 1 .. SubclusterCount
Extended == SubclusterCount > 1
Nothing == Copy!Unallocated

Owns(e) == e.copied /\ e.host /= NoHost /\ e.pack = 0
IsData(e, s) == e.state[s] = "data"
ReadsZero(e) ==
    /\ e.pack = 0
    /\ \A s \in Subclusters : ~IsData(e, s) /\ (Backed => e.state[s] = "zero")

Replaced(e) == Copy!Replace(e.place, e.after, bytes, packed)

(* A write may also fill all of a host cluster that is there already.       *)
OwnedFilled(e) ==
    /\ Owns(e.before)
    /\ \E s \in e.first .. e.last : ~IsData(e.before, s)
    /\ e.after = Copy!Entry(e.before.host, TRUE, Copy!AllState("data"))
    /\ Replaced(e)

(* The ways of a write.  The host cluster is the one that the trace names.  *)
Written(e) ==
    \/ Copy!WriteIntoOwned(e.place, e.first, e.last, "w")
    \/ OwnedFilled(e)
    \/ /\ e.after.host /= NoHost /\ Copy!IsFree(e.after.host)
       /\ \/ Copy!WriteFreshInto(e.after.host, e.place, e.first, e.last, "w")
          \/ Skip!WriteFreshInto(e.after.host, e.place, e.first, e.last, "w")

Packed(e) ==
    /\ e.after.pack > 0
    /\ Copy!PackInto(e.after.host, e.after.tail, e.after.pack, e.place, "w")

(* All of it reads as zero by status.                                       *)
ZeroCluster(e) ==
    \/ Version = 3 /\ \E keep \in BOOLEAN : Copy!ZeroCluster(e.place, keep)
    \/ ~Backed /\ e.after = Nothing /\ Replaced(e)

(* Whether the host cluster of the new entry is the old one, or none, or    *)
(* its own fresh one.                                                       *)
KeptOrGone(e) == e.after.host = NoHost \/ (Owns(e.before) /\ e.after.copied /\ e.after.host = e.before.host)
OwnOrFresh(e) ==
    \/ Owns(e.before) /\ e.after.host = e.before.host
    \/ ~Owns(e.before) /\ Copy!IsFree(e.after.host)
    \/ ~Extended /\ Copy!IsFree(e.after.host)

(* Several subclusters together: those that are covered get zero bits, the  *)
(* others zeros as data, and what reads as zero may stay.  Compressed data  *)
(* is written out first.                                                    *)
ZeroSubclusters(e) ==
    LET before == IF e.before.pack > 0
                  THEN Copy!Entry(NoHost, FALSE, Copy!AllState("data")) ELSE e.before
        silent == {s \in Subclusters :
                      \/ before.state[s] = "zero"
                      \/ before.state[s] = "none" /\ (Backed => s \notin e.covered)}
    IN  /\ Extended
        /\ e.after.pack = 0
        /\ \A s \in Subclusters :
              IF s \in e.first .. e.last
              THEN /\ e.after.state[s] = "none" => s \in silent
                   /\ e.after.state[s] = "zero" => s \in e.covered \cup silent
              ELSE e.after.state[s] = before.state[s]
        /\ \/ KeptOrGone([e EXCEPT !.before = before])
           \/ e.after.host = before.host /\ e.after.copied = before.copied
           \/ e.after.copied /\ OwnOrFresh([e EXCEPT !.before = before])
        /\ Replaced(e)

Zeroed(e) ==
    \/ Written(e)
    \/ (e.whole \/ ReadsZero(e.before)) /\ ZeroCluster(e)
    \/ ZeroSubclusters(e)

Discarded(e) ==
    /\ Version = 3 \/ ~Backed
    /\ \/ e.whole /\ ZeroCluster(e)
       \/ ZeroSubclusters(e)

(* What machine state or a longer disk fills.                               *)
Filled(e) ==
    /\ e.after.pack = 0 /\ e.after.copied /\ e.after.host /= NoHost
    /\ e.before.pack > 0 \/ \A s \in Subclusters : IsData(e.before, s) => IsData(e.after, s)
    /\ OwnOrFresh(e)
    /\ Replaced(e)

Resized(e) ==
    \/ ZeroCluster(e)
    \/ Filled(e)
    \/ /\ Extended
       /\ \/ KeptOrGone(e)
          \/ e.after.copied /\ OwnOrFresh(e)
          \/ Copy!HostsOf(e.after) = Copy!HostsOf(e.before) /\ e.after.copied = e.before.copied /\ e.after.pack = 0
       /\ Replaced(e)

(* A table that is new, or the disk's own copy of a shared one.             *)
TableMade(e) ==
    /\ e.after.copied /\ ~Owns(e.before)
    /\ e.after.host /= NoHost /\ Copy!IsFree(e.after.host)
    /\ Replaced(e)

TableStep(e) ==
    /\ request.verb /= "look"
    /\ \/ TableMade(e)
       \/ request.verb = "resize" /\ e.after = Nothing /\ Replaced(e)

ClusterStep(e) ==
    CASE request.verb = "write" -> e.touched /\ Written(e)
      [] request.verb = "write-compressed" -> e.whole /\ (Packed(e) \/ Written(e))
      [] request.verb \in {"zero", "zero-keep"} -> e.touched /\ Zeroed(e)
      [] request.verb = "discard" -> e.touched /\ Discarded(e)
      [] request.verb = "write-state" -> e.behind /\ Filled(e)
      [] request.verb = "resize" -> Resized(e)
      [] OTHER -> FALSE

(* Machine state behind the disk may be given up at any time.               *)
GivenUp(e) == e.behind /\ e.after.host = NoHost
ConcernsAll == request.verb \in {"save", "restore", "forget"}

EntryStep(e) ==
    /\ shown[e.place] = e.before
    /\ Copy!WellFormed(e.after)
    /\ shown' = [shown EXCEPT ![e.place] = e.after]
    /\ CASE GivenUp(e) -> Replaced(e)
         [] ~GivenUp(e) /\ ConcernsAll -> UNCHANGED imageVars
         [] ~GivenUp(e) /\ ~ConcernsAll ->
               /\ IF e.table THEN TableStep(e) ELSE ClusterStep(e)
               /\ l2'[e.place] = e.after
               /\ \A h \in Copy!HostsOf(e.after) : stored[h] >= count'[h]
    /\ UNCHANGED <<stored, request>>

CountStep(e) ==
    /\ stored[e.host] = e.before
    /\ e.after >= count[e.host]
    /\ stored' = [stored EXCEPT ![e.host] = e.after]
    /\ UNCHANGED <<imageVars, shown, request>>

SnapshotStep(e) ==
    /\ CASE e.fate = "taken" -> ~images[e.snapshot].taken /\ Copy!ImageSave(e.snapshot)
         [] e.fate = "restored" -> images[e.snapshot].taken /\ Copy!ImageRestore(e.snapshot)
         [] e.fate = "gone" -> images[e.snapshot].taken /\ Copy!ImageForget(e.snapshot)
    /\ UNCHANGED <<stored, shown, request>>

(* The flags in a snapshot mean nothing.                                    *)
Unflagged(e) == [e EXCEPT !.copied = FALSE]
SavedEntryStep(e) ==
    /\ \/ /\ request.verb = "save"
          /\ images[e.snapshot].taken
          /\ e.before = Nothing
          /\ images[e.snapshot].l2[e.place] = Unflagged(e.after)
       \/ Unflagged(e.before) = Unflagged(e.after)
    /\ UNCHANGED <<imageVars, stored, shown, request>>

(* What the trace begins with has to be right itself.                       *)
ReadyStep ==
    /\ Copy!CountsExact
    /\ stored = count
    /\ Copy!CopiedExact
    /\ \A p \in Places : Copy!WellFormed(l2[p])
    /\ UNCHANGED <<imageVars, stored, shown, request>>

Step(e) ==
    CASE e.op = "ready" -> ReadyStep
      [] e.op = "request" -> request' = e /\ UNCHANGED <<imageVars, stored, shown>>
      [] e.op = "size" -> UNCHANGED <<imageVars, stored, shown, request>>
      [] e.op = "entry" -> EntryStep(e)
      [] e.op = "count" -> CountStep(e)
      [] e.op = "snapshot" -> SnapshotStep(e)
      [] e.op = "saved-entry" -> SavedEntryStep(e)
      [] e.op = "done" -> shown = l2 /\ request' = NoRequest /\ UNCHANGED <<imageVars, stored, shown>>
      [] e.op = "settled" -> stored = count /\ UNCHANGED <<imageVars, stored, shown, request>>

Init ==
    /\ trace \in 1 .. TraceCount
    /\ at = 0
    /\ l2 = FirstEntries(trace)
    /\ shown = l2
    /\ stored = FirstCounts(trace)
    /\ count = stored
    /\ images = [s \in Saves |-> FirstImage(trace, s)]
    /\ bytes = [h \in Hosts |-> [b \in Subclusters |-> "w"]]
    /\ packed = [h \in Hosts |-> [k \in 1 .. PackCount |-> "w"]]
    /\ request = NoRequest

(* The event that comes next is a step, or the trace is refused and ends.   *)
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
    /\ UNCHANGED <<imageVars, stored, shown, request, trace>>

End ==
    /\ at = Length(trace)
    /\ PrintT(<<"verdict", trace, "accepted", at>>)
    /\ at' = Length(trace) + 1
    /\ UNCHANGED <<imageVars, stored, shown, request, trace>>

Next == Accept \/ Refuse \/ End

Spec == Init /\ [][Next]_vars
=============================================================================
