------------------------------ MODULE PowerCut ------------------------------
(***************************************************************************)
(* Power cuts: in which order the host's file is written, and what can be  *)
(* left of it when the power goes.                                         *)
(*                                                                         *)
(* There is no action for the cut.  Instead each field of the file (a      *)
(* reference count, an L2 entry, a block of data, the snapshot slot, the   *)
(* dirty bit) keeps the set of values that it may have after a cut: a      *)
(* write adds one, a flush leaves only the newest.  That any subset of the *)
(* writes since the last flush survives is then a property of each state,  *)
(* and so is everything that must hold after a cut.                        *)
(*                                                                         *)
(* A request goes through the steps of its plan, one file operation each;  *)
(* the step that comes next is the request's field "step".  Several        *)
(* requests are in flight, never two that allocate for one guest cluster.  *)
(*                                                                         *)
(*   write that allocates   raise, prepare, payload, flush, link,          *)
(*                          then for an old cluster: settle, lower, punch, *)
(*                          free                                           *)
(*   write in place         payload                                        *)
(*   zeroes or discard      unlink, settle, lower, punch, free             *)
(*   save                   save-raise, save-flush, save-header            *)
(*   restore                restore-raise, restore-flush, restore-link,    *)
(*                          restore-settle, restore-lower                  *)
(*   forget                 forget-header, forget-settle, forget-lower     *)
(*   clean (lazy counts)    clean-counts, clean-flush, clean-clear         *)
(*                                                                         *)
(* With lazy counts the step "raise" sets the dirty bit instead, and no    *)
(* count is lowered before the image is cleaned.                           *)
(*                                                                         *)
(* Every write carries its own number as its value, so that a wrong byte   *)
(* names the request that it came from.                                    *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS
    ClusterCount,       \* Guest clusters, of two blocks each.
    Hosts, NoHost,      \* Host clusters, all alike, and the absence of one.
    Slots,              \* Requests that may be in flight together.
    MaxRequests,        \* Requests in one run.
    Kinds,              \* Of "write", "zero", "keep" (zeroes that keep the host cluster), "save", "restore", "forget".
    Start,              \* What a guest cluster may be at first: of "none", "zero", "kept", "data".
    Mode,               \* "copy" or "skip", as in module Mapping.
    Lazy,               \* Whether reference counts are lazy.
    Ordering,           \* "any": any subset of unflushed writes survives; "ordered": they survive in order.
    Punching,           \* Of TRUE and FALSE: what the host may answer when it is asked to punch a hole.
    Fault               \* "none", or the name of the error that is seeded.

VARIABLES
    count,              \* The reference counts in the file.
    l2,                 \* The L2 entries in the file.
    bytes,              \* The blocks of the host clusters.
    slot,               \* The one snapshot in the file.
    dirty,              \* The dirty bit in the file.
    free,               \* The host clusters that may be handed out.
    request,            \* The request in each slot.
    begun,              \* How many requests have begun.
    seen,               \* What the guest reads now.
    allowed,            \* What the guest may find after a cut, by the promise.
    savedSeen           \* What the guest saw when the snapshot was taken.

fileVars == <<count, l2, bytes, slot, dirty>>
vars == <<count, l2, bytes, slot, dirty, free, request, begun, seen, allowed, savedSeen>>

Clusters == 1 .. ClusterCount
Blocks == 1 .. 2
Whole == 0                          \* As the block of a request: both blocks.
Written(b) == IF b = Whole THEN Blocks ELSE {b}

(* Values: 0 is zero, a request's number is what it wrote.                  *)
Zero == 0
Stale == 99
First(c, b) == 10 * c + b           \* What a cluster with data held at first.
Backing(c, b) == 50 + 10 * c + b    \* What lies behind an unallocated cluster.

(* Fields of the file.                                                      *)

Still(v) == [now |-> v, may |-> {v}]
Put(field, v) == [now |-> v, may |-> IF Ordering = "any" THEN field.may \cup {v} ELSE {v}]
Flushed(field) == IF Fault = "host-ignores-flush" THEN field ELSE Still(field.now)

HostFlush ==
    /\ count' = [h \in Hosts |-> Flushed(count[h])]
    /\ l2' = [c \in Clusters |-> Flushed(l2[c])]
    /\ bytes' = [h \in Hosts |-> [b \in Blocks |-> Flushed(bytes[h][b])]]
    /\ slot' = Flushed(slot)
    /\ dirty' = Flushed(dirty)

NoFlush == UNCHANGED fileVars

(* Entries.                                                                 *)

Entry(kind, host, copied) == [kind |-> kind, host |-> host, copied |-> copied]
None == Entry("none", NoHost, FALSE)
ZeroPlain == Entry("zero", NoHost, FALSE)
Data(h) == Entry("data", h, TRUE)
Kept(h) == Entry("kept", h, TRUE)
Shared(e) == [e EXCEPT !.copied = FALSE]

NoSnapshot == [taken |-> FALSE, entries |-> [c \in Clusters |-> None]]

HostsNow == {l2[c].now.host : c \in Clusters} \ {NoHost}
HostsSaved(s) == {s.entries[c].host : c \in Clusters} \ {NoHost}

(* What a read would find now, and all that it may find after a cut.        *)

ReadNow(e, c, b) ==
    CASE e.kind = "none" -> Backing(c, b)
      [] e.kind \in {"zero", "kept"} -> Zero
      [] e.kind = "data" -> bytes[e.host][b].now

ReadAfterCut(e, c, b) ==
    CASE e.kind = "none" -> {Backing(c, b)}
      [] e.kind \in {"zero", "kept"} -> {Zero}
      [] e.kind = "data" -> bytes[e.host][b].may

(* Requests.                                                                *)

Idle == [step |-> "idle", kind |-> "none", cluster |-> 0, block |-> 0, number |-> 0, host |-> NoHost, old |-> {}]

Releasing == {"idle", "settle", "lower", "punch", "free"}
InFlight(s) == request[s].step \notin Releasing
Quiet == \A s \in Slots : request[s] = Idle

(* Requests on one guest cluster wait for each other until the entry is     *)
(* linked; snapshots and cleaning wait for everything, and all wait for     *)
(* them.                                                                    *)
Exclusive(s) == request[s].kind \in {"save", "restore", "forget", "clean"}
MayBegin(c) ==
    /\ begun < MaxRequests
    /\ \A s \in Slots : ~Exclusive(s)
    /\ \A s \in Slots : InFlight(s) => request[s].cluster /= c \/ Fault = "same-cluster-not-serialised"

Goto(s, step) == request' = [request EXCEPT ![s].step = step]
Done(s) == request' = [request EXCEPT ![s] = Idle]

(* What the promise allows after a cut grows when a request begins.         *)
Allow(c, set, v) ==
    allowed' = [allowed EXCEPT ![c] = [b \in Blocks |-> IF b \in set THEN @[b] \cup {v} ELSE @[b]]]
See(c, set, v) ==
    seen' = [seen EXCEPT ![c] = [b \in Blocks |-> IF b \in set THEN v ELSE @[b]]]

(* BEGIN of a write: LOCATE, DECIDE and ALLOCATE, which touch no file.      *)

FirstStep == IF Lazy THEN (IF dirty.now THEN "prepare" ELSE "raise")
             ELSE CASE Fault = "raise-after-link" -> "prepare" [] OTHER -> "raise"

Begin(s, c, b, first, host, old) ==
    /\ request[s] = Idle
    /\ request' = [request EXCEPT ![s] =
                      [step |-> first, kind |-> "write", cluster |-> c, block |-> b, number |-> begun + 1, host |-> host, old |-> old]]
    /\ begun' = begun + 1
    /\ Allow(c, Written(b), begun + 1)
    /\ UNCHANGED <<count, l2, bytes, slot, dirty, seen, savedSeen>>

BeginInPlace(s, c, b) ==
    LET e == l2[c].now IN
    /\ "write" \in Kinds
    /\ MayBegin(c)
    /\ e.kind = "data" /\ e.copied
    /\ Begin(s, c, b, "in-place", e.host, {})
    /\ UNCHANGED free

(* A zero-allocated cluster of our own is used again where it lies, or it   *)
(* is replaced by a fresh one.                                              *)
BeginReuse(s, c, b) ==
    LET e == l2[c].now IN
    /\ "write" \in Kinds
    /\ MayBegin(c)
    /\ e.kind = "kept" /\ e.copied
    /\ Begin(s, c, b, "prepare", e.host, {})
    /\ UNCHANGED free

BeginFresh(s, c, b, h) ==
    LET e == l2[c].now IN
    /\ "write" \in Kinds
    /\ MayBegin(c)
    /\ ~e.copied \/ e.kind = "kept"
    /\ h \in free
    /\ Begin(s, c, b, FirstStep, h, {e.host} \ {NoHost})
    /\ free' = IF Fault = "taken-at-link" THEN free ELSE free \ {h}

BeginZero(s, c, kind) ==
    LET e == l2[c].now IN
    /\ kind \in Kinds
    /\ MayBegin(c)
    /\ request[s] = Idle
    /\ e.kind /= "zero"
    /\ kind = "keep" => e.kind = "data" /\ e.copied
    /\ request' = [request EXCEPT ![s] =
                      [step |-> IF Lazy /\ ~dirty.now /\ kind = "zero" THEN "zero-raise" ELSE "unlink",
                       kind |-> kind, cluster |-> c, block |-> 0, number |-> begun + 1, host |-> NoHost,
                       old |-> IF kind = "keep" THEN {} ELSE {e.host} \ {NoHost}]]
    /\ begun' = begun + 1
    /\ Allow(c, Blocks, Zero)
    /\ UNCHANGED <<count, l2, bytes, slot, dirty, free, seen, savedSeen>>

(* Steps of a write.                                                        *)

(* The count of the fresh cluster goes up in the file; with lazy counts the *)
(* dirty bit is set instead.  Neither is flushed here: the flush before the *)
(* link is enough for both.  (The fault "lazy-links-before-flush" flushes   *)
(* the dirty bit by itself and leaves out the flush before the link where   *)
(* nothing was copied.)                                                     *)
Raise(s) ==
    LET r == request[s] IN
    /\ r.step \in {"raise", "zero-raise"}
    /\ IF Lazy
       THEN /\ dirty' = CASE Fault = "dirty-bit-not-set" -> dirty
                           [] Fault = "lazy-links-before-flush" -> Still(TRUE)
                           [] OTHER -> Put(dirty, TRUE)
            /\ UNCHANGED count
       ELSE /\ count' = [count EXCEPT ![r.host] = Put(@, @.now + 1)]
            /\ UNCHANGED dirty
    /\ IF Fault = "raise-after-link"
       THEN IF r.old = {} THEN Done(s) ELSE Goto(s, "settle")
       ELSE Goto(s, IF r.step = "zero-raise" THEN "unlink" ELSE "prepare")
    /\ UNCHANGED <<l2, bytes, slot, free, begun, seen, allowed, savedSeen>>

(* The skip decision, by status alone.                                      *)
SurroundingsReadZero(e) ==
    \/ e.kind \in {"zero", "kept"}
    \/ e.kind = "none" /\ Fault = "skip-over-backing-data"
Skips(s) == Mode = "skip" /\ SurroundingsReadZero(l2[request[s].cluster].now)

(* The fresh cluster is made to read as zero without writing zeros; if the  *)
(* write copies, there is nothing to prepare.                               *)
Prepare(s) ==
    LET r == request[s] IN
    /\ r.step = "prepare"
    /\ IF Skips(s) /\ r.block /= Whole /\ Fault /= "fresh-not-zeroed"
       THEN bytes' = [bytes EXCEPT ![r.host] = [b \in Blocks |-> Put(@[b], Zero)]]
       ELSE UNCHANGED bytes
    /\ Goto(s, "payload")
    /\ UNCHANGED <<count, l2, slot, dirty, free, begun, seen, allowed, savedSeen>>

Payload(s) ==
    LET r == request[s]
        e == l2[r.cluster].now
    IN  /\ r.step = "payload"
        /\ bytes' = [bytes EXCEPT ![r.host] =
                        [b \in Blocks |->
                            IF b \in Written(r.block) THEN Put(@[b], r.number)
                            ELSE IF Skips(s) THEN @[b] ELSE Put(@[b], ReadNow(e, r.cluster, b))]]
        /\ Goto(s, IF \/ Fault = "link-before-flush"
                      \/ Fault = "skip-links-before-flush" /\ Skips(s) /\ r.block /= Whole
                      \/ Fault = "whole-links-before-flush" /\ r.block = Whole
                      \/ Fault = "lazy-links-before-flush" /\ Skips(s) /\ r.block /= Whole
                      \/ Fault = "reuse-links-before-flush" /\ e.host = r.host
                   THEN "link" ELSE "flush")
        /\ UNCHANGED <<count, l2, slot, dirty, free, begun, seen, allowed, savedSeen>>

FlushStep(s) ==
    /\ request[s].step = "flush"
    /\ HostFlush
    /\ Goto(s, "link")
    /\ UNCHANGED <<free, begun, seen, allowed, savedSeen>>

(* The guest's write is done here; what follows only gives back.            *)
AfterLink(s) ==
    CASE Fault = "raise-after-link" /\ request[s].kind = "write" /\ l2[request[s].cluster].now.kind /= "kept" -> Goto(s, "raise")
      [] request[s].old = {} -> Done(s)
      [] Fault = "lower-without-flush" -> Goto(s, "lower")
      [] OTHER -> Goto(s, "settle")

Link(s) ==
    LET r == request[s] IN
    /\ r.step = "link"
    /\ l2' = [l2 EXCEPT ![r.cluster] = Put(@, Data(r.host))]
    /\ See(r.cluster, Written(r.block), r.number)
    /\ free' = free \ {r.host}
    /\ AfterLink(s)
    /\ UNCHANGED <<count, bytes, slot, dirty, begun, allowed, savedSeen>>

InPlace(s) ==
    LET r == request[s] IN
    /\ r.step = "in-place"
    /\ bytes' = [bytes EXCEPT ![r.host] =
                    [b \in Blocks |-> IF b \in Written(r.block) THEN Put(@[b], r.number) ELSE @[b]]]
    /\ See(r.cluster, Written(r.block), r.number)
    /\ Done(s)
    /\ UNCHANGED <<count, l2, slot, dirty, free, begun, allowed, savedSeen>>

Unlink(s) ==
    LET r == request[s] IN
    /\ r.step = "unlink"
    /\ l2' = [l2 EXCEPT ![r.cluster] = Put(@, IF r.kind = "keep" THEN Kept(@.now.host) ELSE ZeroPlain)]
    /\ See(r.cluster, Blocks, Zero)
    /\ AfterLink(s)
    /\ UNCHANGED <<count, bytes, slot, dirty, free, begun, allowed, savedSeen>>

(* RELEASE: the entry that dropped the cluster reaches the disk before the  *)
(* count falls; then the hole is punched; only then is the cluster free.    *)

Settle(s) ==
    /\ request[s].step = "settle"
    /\ IF Fault = "reuse-without-flush"
       THEN NoFlush /\ free' = free \cup {h \in request[s].old : count[h].now = 1}
       ELSE HostFlush /\ UNCHANGED free
    /\ Goto(s, "lower")
    /\ UNCHANGED <<begun, seen, allowed, savedSeen>>

(* With lazy counts the process knows which clusters nobody refers to.      *)
Lower(s) ==
    LET r == request[s]
        h == CHOOSE x \in r.old : TRUE
    IN  /\ r.step = "lower"
        /\ IF Lazy \/ Fault = "never-lowered"
           THEN UNCHANGED count
           ELSE count' = [count EXCEPT ![h] = Put(@, @.now - 1)]
        /\ IF Lazy \/ count[h].now = 1
           THEN Goto(s, IF Fault = "punch-after-free" THEN "free" ELSE "punch")
           ELSE Done(s)
        /\ UNCHANGED <<l2, bytes, slot, dirty, free, begun, seen, allowed, savedSeen>>

Punch(s) ==
    LET r == request[s]
        h == CHOOSE x \in r.old : TRUE
    IN  /\ r.step = "punch"
        /\ \E works \in Punching :
              IF works
              THEN bytes' = [bytes EXCEPT ![h] = [b \in Blocks |-> Put(@[b], Zero)]]
              ELSE UNCHANGED bytes
        /\ CASE Fault = "punch-after-free" -> Done(s)
             [] OTHER -> Goto(s, "free")
        /\ UNCHANGED <<count, l2, slot, dirty, free, begun, seen, allowed, savedSeen>>

Free(s) ==
    /\ request[s].step = "free"
    /\ free' = free \cup request[s].old
    /\ IF Fault = "punch-after-free" THEN Goto(s, "punch") ELSE Done(s)
    /\ UNCHANGED <<count, l2, bytes, slot, dirty, begun, seen, allowed, savedSeen>>

(* The guest's flush: what was done before it is there after a cut.  A      *)
(* request that is still in flight may or may not be.                       *)
StillOpen(c, b) ==
    {request[s].number : s \in {x \in Slots : InFlight(x) /\ request[x].kind = "write"
                                              /\ request[x].cluster = c /\ b \in Written(request[x].block)}}
    \cup (IF \E s \in Slots : InFlight(s) /\ request[s].kind \in {"zero", "keep"} /\ request[s].cluster = c
          THEN {Zero} ELSE {})
    \cup (IF \E s \in Slots : InFlight(s) /\ request[s].kind = "restore"
          THEN {savedSeen[c][b]} ELSE {})

GuestFlush ==
    /\ IF Fault = "guest-flush-does-nothing" THEN NoFlush ELSE HostFlush
    /\ allowed' = [c \in Clusters |-> [b \in Blocks |-> {seen[c][b]} \cup StillOpen(c, b)]]
    /\ UNCHANGED <<free, request, begun, seen, savedSeen>>

(* Snapshots.                                                               *)

BeginExclusive(s, kind, step) ==
    /\ kind \in Kinds
    /\ begun < MaxRequests
    /\ Quiet
    /\ request' = [request EXCEPT ![s] = [Idle EXCEPT !.step = step, !.kind = kind, !.number = begun + 1]]
    /\ begun' = begun + 1
    /\ UNCHANGED <<count, l2, bytes, slot, dirty, free, seen, savedSeen>>

BeginSave(s) ==
    /\ ~slot.now.taken
    /\ BeginExclusive(s, "save", IF Fault = "header-before-counts" THEN "save-header" ELSE "save-raise")
    /\ UNCHANGED allowed

BeginForget(s) ==
    /\ slot.now.taken
    /\ BeginExclusive(s, "forget", IF Fault = "lower-before-header" THEN "forget-lower" ELSE "forget-header")
    /\ UNCHANGED allowed

BeginRestore(s) ==
    /\ slot.now.taken
    /\ BeginExclusive(s, "restore", "restore-raise")
    /\ allowed' = [c \in Clusters |-> [b \in Blocks |-> allowed[c][b] \cup {savedSeen[c][b]}]]

PunchAll(set) ==
    \E works \in Punching :
        bytes' = IF works
                 THEN [h \in Hosts |-> IF h \in set THEN [b \in Blocks |-> Put(bytes[h][b], Zero)] ELSE bytes[h]]
                 ELSE bytes
RaiseAll(set) == [h \in Hosts |-> IF h \in set THEN Put(count[h], count[h].now + 1) ELSE count[h]]
LowerAll(set) == [h \in Hosts |-> IF h \in set THEN Put(count[h], count[h].now - 1) ELSE count[h]]

(* Counts go up and COPIED goes off before the header names the snapshot.   *)
SaveRaise(s) ==
    /\ request[s].step = "save-raise"
    /\ count' = RaiseAll(HostsNow)
    /\ l2' = IF Fault \in {"copied-cleared-after-header", "copied-never-cleared"} THEN l2
             ELSE [c \in Clusters |-> IF l2[c].now.copied THEN Put(l2[c], Shared(l2[c].now)) ELSE l2[c]]
    /\ IF Fault = "header-before-counts" THEN Done(s)
       ELSE Goto(s, IF Fault = "save-without-flush" THEN "save-header" ELSE "save-flush")
    /\ UNCHANGED <<bytes, slot, dirty, free, begun, seen, allowed, savedSeen>>

SaveFlush(s) ==
    /\ request[s].step = "save-flush"
    /\ HostFlush
    /\ Goto(s, "save-header")
    /\ UNCHANGED <<free, begun, seen, allowed, savedSeen>>

SaveHeader(s) ==
    /\ request[s].step = "save-header"
    /\ slot' = Put(slot, [taken |-> TRUE, entries |-> [c \in Clusters |-> Shared(l2[c].now)]])
    /\ savedSeen' = seen
    /\ l2' = IF Fault = "copied-cleared-after-header"
             THEN [c \in Clusters |-> Put(l2[c], Shared(l2[c].now))] ELSE l2
    /\ IF Fault = "header-before-counts" THEN Goto(s, "save-raise") ELSE Done(s)
    /\ UNCHANGED <<count, bytes, dirty, free, begun, seen, allowed>>

ForgetHeader(s) ==
    /\ request[s].step = "forget-header"
    /\ slot' = Put(slot, NoSnapshot)
    /\ request' = [request EXCEPT ![s].step = IF Fault = "forget-without-flush" THEN "forget-lower" ELSE "forget-settle",
                                  ![s].old = HostsSaved(slot.now)]
    /\ IF Fault = "forget-punches-before-flush"
       THEN PunchAll({h \in HostsSaved(slot.now) : count[h].now = 1}) ELSE UNCHANGED bytes
    /\ UNCHANGED <<count, l2, dirty, free, begun, seen, allowed, savedSeen>>

ForgetSettle(s) ==
    /\ request[s].step = "forget-settle"
    /\ HostFlush
    /\ Goto(s, "forget-lower")
    /\ UNCHANGED <<free, begun, seen, allowed, savedSeen>>

(* Only when the header no longer names the snapshot do counts fall, and    *)
(* does COPIED come back where one reference is left.                       *)
ForgetLower(s) ==
    LET old == IF Fault = "lower-before-header" THEN HostsSaved(slot.now) ELSE request[s].old
        gone == {h \in old : count[h].now = 1}
    IN  /\ request[s].step = "forget-lower"
        /\ count' = LowerAll(old)
        /\ l2' = [c \in Clusters |->
                     IF l2[c].now.host \in old /\ count[l2[c].now.host].now = 2
                     THEN Put(l2[c], [l2[c].now EXCEPT !.copied = TRUE]) ELSE l2[c]]
        /\ free' = free \cup gone
        /\ IF Fault = "lower-before-header"
           THEN slot' = Put(slot, NoSnapshot) ELSE UNCHANGED slot
        /\ PunchAll(gone)
        /\ Done(s)
        /\ UNCHANGED <<dirty, begun, seen, allowed, savedSeen>>

RestoreRaise(s) ==
    /\ request[s].step = "restore-raise"
    /\ count' = RaiseAll(HostsSaved(slot.now))
    /\ request' = [request EXCEPT ![s].step = IF Fault = "restore-without-flush" THEN "restore-link" ELSE "restore-flush",
                                  ![s].old = HostsNow]
    /\ UNCHANGED <<l2, bytes, slot, dirty, free, begun, seen, allowed, savedSeen>>

RestoreFlush(s) ==
    /\ request[s].step = "restore-flush"
    /\ HostFlush
    /\ Goto(s, "restore-link")
    /\ UNCHANGED <<free, begun, seen, allowed, savedSeen>>

RestoreLink(s) ==
    /\ request[s].step = "restore-link"
    /\ l2' = [c \in Clusters |-> Put(l2[c], slot.now.entries[c])]
    /\ seen' = savedSeen
    /\ Goto(s, IF Fault = "restore-lowers-before-flush" THEN "restore-lower" ELSE "restore-settle")
    /\ IF Fault = "restore-punches-before-flush"
       THEN PunchAll({h \in request[s].old : count[h].now = 1}) ELSE UNCHANGED bytes
    /\ UNCHANGED <<count, slot, dirty, free, begun, allowed, savedSeen>>

RestoreSettle(s) ==
    /\ request[s].step = "restore-settle"
    /\ HostFlush
    /\ Goto(s, "restore-lower")
    /\ UNCHANGED <<free, begun, seen, allowed, savedSeen>>

RestoreLower(s) ==
    /\ request[s].step = "restore-lower"
    /\ count' = LowerAll(request[s].old)
    /\ free' = free \cup {h \in request[s].old : count[h].now = 1}
    /\ PunchAll({h \in request[s].old : count[h].now = 1})
    /\ Done(s)
    /\ UNCHANGED <<l2, slot, dirty, begun, seen, allowed, savedSeen>>

(* Cleaning with lazy counts: right counts, flushed, then the bit goes off. *)

References(h) ==
    Cardinality({c \in Clusters : l2[c].now.host = h})
    + Cardinality({c \in Clusters : slot.now.entries[c].host = h})

BeginClean(s) ==
    /\ Lazy
    /\ dirty.now
    /\ Quiet
    /\ request' = [request EXCEPT ![s] = [Idle EXCEPT !.step = "clean-counts", !.kind = "clean"]]
    /\ UNCHANGED <<count, l2, bytes, slot, dirty, free, begun, seen, allowed, savedSeen>>

CleanCounts(s) ==
    /\ request[s].step = "clean-counts"
    /\ count' = [h \in Hosts |-> IF count[h].now = References(h) THEN count[h] ELSE Put(count[h], References(h))]
    /\ Goto(s, IF Fault = "dirty-bit-cleared-early" THEN "clean-clear" ELSE "clean-flush")
    /\ UNCHANGED <<l2, bytes, slot, dirty, free, begun, seen, allowed, savedSeen>>

CleanFlush(s) ==
    /\ request[s].step = "clean-flush"
    /\ HostFlush
    /\ Goto(s, "clean-clear")
    /\ UNCHANGED <<free, begun, seen, allowed, savedSeen>>

CleanClear(s) ==
    /\ request[s].step = "clean-clear"
    /\ dirty' = Put(dirty, FALSE)
    /\ Done(s)
    /\ UNCHANGED <<count, l2, bytes, slot, free, begun, seen, allowed, savedSeen>>

-----------------------------------------------------------------------------
StartEntries ==
    {e \in {None, ZeroPlain} \cup {Data(h) : h \in Hosts} \cup {Kept(h) : h \in Hosts} : e.kind \in Start}

(* A clean image, all of it flushed.  Free clusters hold stale bytes.       *)
Init ==
    /\ \E entries \in [Clusters -> StartEntries] :
          /\ \A c, d \in Clusters : c /= d /\ entries[c].host /= NoHost => entries[c].host /= entries[d].host
          /\ l2 = [c \in Clusters |-> Still(entries[c])]
          /\ count = [h \in Hosts |-> Still(Cardinality({c \in Clusters : entries[c].host = h}))]
          /\ free = {h \in Hosts : \A c \in Clusters : entries[c].host /= h}
          /\ bytes = [h \in Hosts |-> [b \in Blocks |->
                         Still(IF \E c \in Clusters : entries[c] = Data(h)
                               THEN First(CHOOSE c \in Clusters : entries[c].host = h, b) ELSE Stale)]]
          /\ seen = [c \in Clusters |-> [b \in Blocks |->
                        CASE entries[c].kind = "none" -> Backing(c, b)
                          [] entries[c].kind \in {"zero", "kept"} -> Zero
                          [] entries[c].kind = "data" -> First(c, b)]]
    /\ allowed = [c \in Clusters |-> [b \in Blocks |-> {seen[c][b]}]]
    /\ savedSeen = [c \in Clusters |-> [b \in Blocks |-> Zero]]
    /\ slot = Still(NoSnapshot)
    /\ dirty = Still(FALSE)
    /\ request = [s \in Slots |-> Idle]
    /\ begun = 0

Next ==
    \/ \E s \in Slots, c \in Clusters, b \in Blocks \cup {Whole} : BeginInPlace(s, c, b) \/ BeginReuse(s, c, b)
    \/ \E s \in Slots, c \in Clusters, b \in Blocks \cup {Whole}, h \in Hosts : BeginFresh(s, c, b, h)
    \/ \E s \in Slots, c \in Clusters, kind \in {"zero", "keep"} : BeginZero(s, c, kind)
    \/ \E s \in Slots : Raise(s) \/ Prepare(s) \/ Payload(s) \/ FlushStep(s) \/ Link(s) \/ InPlace(s) \/ Unlink(s)
    \/ \E s \in Slots : Settle(s) \/ Lower(s) \/ Punch(s) \/ Free(s)
    \/ GuestFlush
    \/ \E s \in Slots : BeginSave(s) \/ SaveRaise(s) \/ SaveFlush(s) \/ SaveHeader(s)
    \/ \E s \in Slots : BeginForget(s) \/ ForgetHeader(s) \/ ForgetSettle(s) \/ ForgetLower(s)
    \/ \E s \in Slots : BeginRestore(s) \/ RestoreRaise(s) \/ RestoreFlush(s)
                        \/ RestoreLink(s) \/ RestoreSettle(s) \/ RestoreLower(s)
    \/ \E s \in Slots : BeginClean(s) \/ CleanCounts(s) \/ CleanFlush(s) \/ CleanClear(s)

Spec == Init /\ [][Next]_vars

Symmetry == Permutations(Hosts) \cup Permutations(Slots)

-----------------------------------------------------------------------------
(* The properties.  Each speaks of the state as it is and of every image    *)
(* that a cut may leave behind at this moment.                              *)

MayRefer(c, h) == \E e \in l2[c].may : e.host = h
SavedMayRefer(c, h) == \E s \in slot.may : s.entries[c].host = h
Least(set) == CHOOSE x \in set : \A y \in set : x <= y

(* The greatest number of references that a cut may leave to a cluster.     *)
MostReferences(h) ==
    Cardinality({c \in Clusters : MayRefer(c, h)}) + Cardinality({c \in Clusters : SavedMayRefer(c, h)})

(* After a cut no count is below the number of references, unless the dirty *)
(* bit is surely set, and then the counts are made anew.                    *)
OnlyLeaks == FALSE \in dirty.may => \A h \in Hosts : Least(count[h].may) >= MostReferences(h)

(* After a cut no two guest clusters share a host cluster; so counts can be *)
(* made anew from the references.                                           *)
NoClusterTwice ==
    \A c, d \in Clusters, h \in Hosts :
        c /= d /\ (MayRefer(c, h) \/ SavedMayRefer(c, h)) => ~MayRefer(d, h) /\ ~SavedMayRefer(d, h)

(* After a cut COPIED is on no entry whose cluster a snapshot refers to.    *)
CopiedIsSafe ==
    \A c, d \in Clusters : \A e \in l2[c].may : e.copied => ~SavedMayRefer(d, e.host)

(* After a cut a block that was not written since the last flush holds what *)
(* was flushed.  So what was flushed is there, and a block that the guest   *)
(* never wrote shows no foreign bytes.                                      *)
MayShow(c, b) == UNION {ReadAfterCut(e, c, b) : e \in l2[c].may}
FlushedAfterCut ==
    \A c \in Clusters, b \in Blocks : Cardinality(allowed[c][b]) = 1 => MayShow(c, b) = allowed[c][b]

(* After a cut a block that was written since the last flush holds the old  *)
(* value or a new one, and nothing else.                                    *)
WrittenAfterCut ==
    \A c \in Clusters, b \in Blocks : MayShow(c, b) \subseteq allowed[c][b]

(* After a cut a snapshot, if it is there, holds what it held.              *)
SnapshotAfterCut ==
    \A s \in slot.may : s.taken =>
        \A c \in Clusters, b \in Blocks : ReadAfterCut(s.entries[c], c, b) = {savedSeen[c][b]}

(* Without a cut the guest reads what it wrote.                             *)
GuestView == \A c \in Clusters, b \in Blocks : ReadNow(l2[c].now, c, b) = seen[c][b]

(* Nothing leaks without a cut: when nothing is in flight and the counts    *)
(* are not lazily behind, they are exact and every other cluster is free.   *)
NoLeakWhenQuiet ==
    Quiet => /\ dirty.now \/ \A h \in Hosts : count[h].now = References(h)
             /\ free = {h \in Hosts : References(h) = 0}
=============================================================================
