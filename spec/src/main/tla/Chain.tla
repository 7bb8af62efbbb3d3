------------------------------- MODULE Chain -------------------------------
(***************************************************************************)
(* Several files: an overlay, the backing files that it may name, and the  *)
(* overlay's data, which may lie in a file of its own.                     *)
(*                                                                         *)
(* A flush is a flush of one file.  As in PowerCut each field keeps the    *)
(* set of values that it may have after a cut of the power.  A guest       *)
(* cluster is one value here, and has one host cluster, which holds stale  *)
(* bytes as soon as it is given back.                                      *)
(*                                                                         *)
(*   write      payload, flush, link        (or in-place)                  *)
(*   zero       (raw data file: clear), unlink, settle, release            *)
(*   commit     commit-grow, commit-copy, commit-flush, commit-empty,      *)
(*              commit-settle, commit-release                              *)
(*   rebase     rebase-copy, rebase-flush, rebase-link, rebase-settle,     *)
(*              rename, rename-flush                                       *)
(*   rename     rebase-settle, rename, rename-flush: an unsafe rebase, or  *)
(*              an amend that changes the backing file                     *)
(*                                                                         *)
(* One request at a time.  Each write carries its number as its value.     *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS
    ClusterCount,       \* Guest clusters of the overlay.
    FirstLength,        \* Length of the first backing file.
    SecondLength,       \* Length of the other one.
    External,           \* Whether the data are in a file of their own.
    Raw,                \* Whether that file alone is the disk.
    MaxRequests,        \* Requests in one run.
    Kinds,              \* Of "write", "zero", "commit", "rebase", "rename".
    Fault               \* "none", or the name of the error that is seeded.

VARIABLES
    entry,              \* The overlay's entries.
    payload,            \* The overlay's host clusters.
    backing,            \* Which backing file the overlay's header names.
    base,               \* The clusters of the backing files.
    length,             \* The lengths of the backing files.
    task,               \* The request that is under way.
    begun,              \* How many requests have begun.
    seen,               \* What the guest reads now.
    allowed             \* What the guest may find after a cut, by the promise.

fileVars == <<entry, payload, backing, base, length>>
guestVars == <<begun, seen, allowed>>
vars == <<entry, payload, backing, base, length, task, begun, seen, allowed>>

Clusters == 1 .. ClusterCount
Bases == 1 .. 2
NoBase == 0

Zero == 0
Stale == 99
Held(b, c) == 10 * b + c            \* What a backing file holds at first.

Still(v) == [now |-> v, may |-> {v}]
Put(field, v) == [now |-> v, may |-> field.may \cup {v}]

(* What each file loses with a flush: its older values.                     *)
SettleImage ==
    /\ entry' = [c \in Clusters |-> Still(entry[c].now)]
    /\ backing' = Still(backing.now)
SettlePayload == payload' = [c \in Clusters |-> Still(payload[c].now)]
SettleBase(b) ==
    /\ base' = [base EXCEPT ![b] = [c \in Clusters |-> Still(@[c].now)]]
    /\ length' = [length EXCEPT ![b] = Still(@.now)]

(* A flush of the overlay is one of both its files.                         *)
FlushOverlay == SettleImage /\ SettlePayload /\ UNCHANGED <<base, length>>
FlushImageOnly ==
    /\ SettleImage
    /\ IF External THEN UNCHANGED payload ELSE SettlePayload
    /\ UNCHANGED <<base, length>>

(* What a read finds through one choice of values.                          *)
Below(b, c) == IF b = NoBase \/ c > length[b].now THEN Zero ELSE base[b][c].now
ReadOver(b, c) ==
    CASE entry[c].now = "data" -> payload[c].now
      [] entry[c].now = "zero" -> Zero
      [] entry[c].now = "none" -> Below(b, c)
ReadNow(c) == ReadOver(backing.now, c)

MayBelow(b, c) ==
    IF b = NoBase THEN {Zero}
    ELSE UNION {IF c > l THEN {Zero} ELSE base[b][c].may : l \in length[b].may}
MayShow(c) ==
    UNION {CASE e = "data" -> payload[c].may
             [] e = "zero" -> {Zero}
             [] e = "none" -> UNION {MayBelow(b, c) : b \in backing.may}
           : e \in entry[c].may}

Idle == [step |-> "idle", kind |-> "none", cluster |-> 0, number |-> 0, base |-> NoBase, set |-> {}]
Goto(step) == task' = [task EXCEPT !.step = step]

Begin(kind, step, c, b) ==
    /\ kind \in Kinds
    /\ task = Idle
    /\ begun < MaxRequests
    /\ task' = [Idle EXCEPT !.step = step, !.kind = kind, !.cluster = c, !.number = begun + 1, !.base = b]
    /\ begun' = begun + 1
    /\ UNCHANGED <<fileVars, seen>>

-----------------------------------------------------------------------------
BeginWrite(c) ==
    /\ Begin("write", IF entry[c].now = "data" THEN "in-place" ELSE "payload", c, NoBase)
    /\ allowed' = [allowed EXCEPT ![c] = @ \cup {begun + 1}]

Payload ==
    /\ task.step = "payload"
    /\ payload' = [payload EXCEPT ![task.cluster] = Put(@, task.number)]
    /\ Goto("flush")
    /\ UNCHANGED <<entry, backing, base, length, guestVars>>

FlushStep ==
    /\ task.step = "flush"
    /\ IF Fault = "link-flushes-image-only" THEN FlushImageOnly ELSE FlushOverlay
    /\ Goto("link")
    /\ UNCHANGED guestVars

Link ==
    /\ task.step = "link"
    /\ entry' = [entry EXCEPT ![task.cluster] = Put(@, "data")]
    /\ seen' = [seen EXCEPT ![task.cluster] = task.number]
    /\ task' = Idle
    /\ UNCHANGED <<payload, backing, base, length, begun, allowed>>

InPlace ==
    /\ task.step = "in-place"
    /\ payload' = [payload EXCEPT ![task.cluster] = Put(@, task.number)]
    /\ seen' = [seen EXCEPT ![task.cluster] = task.number]
    /\ task' = Idle
    /\ UNCHANGED <<entry, backing, base, length, begun, allowed>>

(* Zeroes, and discards.  A raw data file is the disk, so it gets zeros.    *)
BeginZero(c) ==
    /\ entry[c].now /= "zero"
    /\ Begin("zero", IF Raw /\ Fault /= "zeroes-leave-data" THEN "clear" ELSE "unlink", c, NoBase)
    /\ allowed' = [allowed EXCEPT ![c] = @ \cup {Zero}]

Clear ==
    /\ task.step = "clear"
    /\ payload' = [payload EXCEPT ![task.cluster] = Put(@, Zero)]
    /\ seen' = [seen EXCEPT ![task.cluster] = Zero]
    /\ Goto("unlink")
    /\ UNCHANGED <<entry, backing, base, length, begun, allowed>>

Unlink ==
    /\ task.step = "unlink"
    /\ entry' = [entry EXCEPT ![task.cluster] = Put(@, "zero")]
    /\ seen' = [seen EXCEPT ![task.cluster] = Zero]
    /\ IF entry[task.cluster].now = "data" /\ ~Raw
       THEN Goto(IF Fault = "released-before-settled" THEN "release" ELSE "settle") ELSE task' = Idle
    /\ UNCHANGED <<payload, backing, base, length, begun, allowed>>

Settle ==
    /\ task.step = "settle"
    /\ FlushOverlay
    /\ Goto("release")
    /\ UNCHANGED guestVars

Release ==
    /\ task.step = "release"
    /\ payload' = [payload EXCEPT ![task.cluster] = Put(@, Stale)]
    /\ task' = Idle
    /\ UNCHANGED <<entry, backing, base, length, guestVars>>

GuestFlush ==
    /\ task = Idle
    /\ IF Fault = "guest-flush-skips-data-file" THEN FlushImageOnly ELSE FlushOverlay
    /\ allowed' = [c \in Clusters |-> {seen[c]}]
    /\ UNCHANGED <<task, begun, seen>>

-----------------------------------------------------------------------------
(* Commit: the backing file gets what the overlay holds, and has it on its  *)
(* disk before the overlay is emptied.                                      *)

BeginCommit ==
    /\ backing.now /= NoBase
    /\ Begin("commit", IF length[backing.now].now < ClusterCount /\ Fault /= "base-not-grown"
                       THEN "commit-grow" ELSE "commit-copy", 0, backing.now)
    /\ UNCHANGED allowed

CommitGrow ==
    /\ task.step = "commit-grow"
    /\ length' = [length EXCEPT ![task.base] = Put(@, ClusterCount)]
    /\ Goto("commit-copy")
    /\ UNCHANGED <<entry, payload, backing, base, guestVars>>

CommitCopy ==
    LET held == {c \in Clusters : entry[c].now = "data" \/ (entry[c].now = "zero" /\ Fault /= "commit-skips-zeros")} IN
    /\ task.step = "commit-copy"
    /\ base' = [base EXCEPT ![task.base] = [c \in Clusters |-> IF c \in held THEN Put(@[c], ReadNow(c)) ELSE @[c]]]
    /\ Goto(IF Fault = "emptied-before-flush" THEN "commit-empty" ELSE "commit-flush")
    /\ UNCHANGED <<entry, payload, backing, length, guestVars>>

CommitFlush ==
    /\ task.step = "commit-flush"
    /\ SettleBase(task.base)
    /\ Goto("commit-empty")
    /\ UNCHANGED <<entry, payload, backing, guestVars>>

CommitEmpty ==
    /\ task.step = "commit-empty"
    /\ entry' = [c \in Clusters |-> Put(entry[c], "none")]
    /\ Goto(IF Fault = "commit-releases-first" THEN "commit-release" ELSE "commit-settle")
    /\ UNCHANGED <<payload, backing, base, length, guestVars>>

CommitSettle ==
    /\ task.step = "commit-settle"
    /\ FlushOverlay
    /\ Goto("commit-release")
    /\ UNCHANGED guestVars

CommitRelease ==
    /\ task.step = "commit-release"
    /\ payload' = [c \in Clusters |-> Put(payload[c], Stale)]
    /\ task' = Idle
    /\ UNCHANGED <<entry, backing, base, length, guestVars>>

-----------------------------------------------------------------------------
(* Rebase: what would read otherwise over the other file is copied up, and  *)
(* is on the disk before the header names that file.                        *)

BeginRebase(b) ==
    /\ b /= backing.now
    /\ Begin("rebase", "rebase-copy", 0, b)
    /\ UNCHANGED allowed

Differs(c) ==
    /\ entry[c].now = "none"
    /\ Below(backing.now, c) /= Below(task.base, c)
    /\ Fault = "rebase-ignores-end" => task.base /= NoBase /\ c <= length[task.base].now

RebaseCopy ==
    /\ task.step = "rebase-copy"
    /\ LET set == {c \in Clusters : Differs(c)} IN
       /\ payload' = [c \in Clusters |-> IF c \in set THEN Put(payload[c], Below(backing.now, c)) ELSE payload[c]]
       /\ task' = [task EXCEPT !.set = set,
                               !.step = IF Fault = "rebase-links-before-flush" THEN "rebase-link" ELSE "rebase-flush"]
    /\ UNCHANGED <<entry, backing, base, length, guestVars>>

RebaseFlush ==
    /\ task.step = "rebase-flush"
    /\ FlushOverlay
    /\ Goto("rebase-link")
    /\ UNCHANGED guestVars

RebaseLink ==
    /\ task.step = "rebase-link"
    /\ entry' = [c \in Clusters |-> IF c \in task.set THEN Put(entry[c], "data") ELSE entry[c]]
    /\ Goto(IF Fault = "renamed-before-links-flushed" THEN "rename" ELSE "rebase-settle")
    /\ UNCHANGED <<payload, backing, base, length, guestVars>>

RebaseSettle ==
    /\ task.step = "rebase-settle"
    /\ FlushOverlay
    /\ Goto("rename")
    /\ UNCHANGED guestVars

(* The unsafe way changes the name and nothing else, so that the guest may  *)
(* find other bytes: those over the other file.                             *)
BeginRename(b) ==
    /\ b /= backing.now
    /\ Begin("rename", "rebase-settle", 0, b)
    /\ allowed' = [c \in Clusters |-> allowed[c] \cup {ReadOver(b, c)}]

Rename ==
    /\ task.step = "rename"
    /\ backing' = Put(backing, task.base)
    /\ seen' = IF task.kind = "rename" THEN [c \in Clusters |-> ReadOver(task.base, c)] ELSE seen
    /\ IF Fault = "rename-not-flushed" THEN task' = Idle ELSE Goto("rename-flush")
    /\ UNCHANGED <<entry, payload, base, length, begun, allowed>>

RenameFlush ==
    /\ task.step = "rename-flush"
    /\ FlushOverlay
    /\ task' = Idle
    /\ UNCHANGED guestVars

-----------------------------------------------------------------------------
(* An overlay of unallocated clusters over the first file, if it has no raw *)
(* data file; all of it flushed.                                            *)
Init ==
    /\ entry = [c \in Clusters |-> Still("none")]
    /\ payload = [c \in Clusters |-> Still(IF Raw THEN Zero ELSE Stale)]
    /\ backing = Still(IF Raw THEN NoBase ELSE 1)
    /\ length = [b \in Bases |-> Still(IF b = 1 THEN FirstLength ELSE SecondLength)]
    /\ base = [b \in Bases |-> [c \in Clusters |-> Still(IF c > length[b].now THEN Zero ELSE Held(b, c))]]
    /\ task = Idle
    /\ begun = 0
    /\ seen = [c \in Clusters |-> ReadNow(c)]
    /\ allowed = [c \in Clusters |-> {seen[c]}]

Next ==
    \/ \E c \in Clusters : BeginWrite(c) \/ BeginZero(c)
    \/ BeginCommit
    \/ \E b \in Bases \cup {NoBase} : BeginRebase(b) \/ BeginRename(b)
    \/ Payload \/ FlushStep \/ Link \/ InPlace
    \/ Clear \/ Unlink \/ Settle \/ Release
    \/ CommitGrow \/ CommitCopy \/ CommitFlush \/ CommitEmpty \/ CommitSettle \/ CommitRelease
    \/ RebaseCopy \/ RebaseFlush \/ RebaseLink \/ RebaseSettle \/ Rename \/ RenameFlush
    \/ GuestFlush

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* The properties.                                                          *)

(* Without a cut the guest reads what it wrote, over the file that it       *)
(* chose.                                                                   *)
GuestView == \A c \in Clusters : ReadNow(c) = seen[c]

(* After a cut a cluster that was not written since the guest's last flush  *)
(* holds what was flushed, wherever a commit or a rebase moves it.          *)
FlushedAfterCut == \A c \in Clusters : Cardinality(allowed[c]) = 1 => MayShow(c) = allowed[c]

(* After a cut a cluster that was written since holds its old value or a    *)
(* new one; after an unsafe rebase what it reads over either file.          *)
WrittenAfterCut == \A c \in Clusters : MayShow(c) \subseteq allowed[c]

(* A raw data file alone reads as the disk does, after a cut too.           *)
RawAlone ==
    Raw => \A c \in Clusters :
        /\ task = Idle => payload[c].now = seen[c]
        /\ payload[c].may \subseteq allowed[c]
=============================================================================
