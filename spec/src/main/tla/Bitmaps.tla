------------------------------ MODULE Bitmaps ------------------------------
(***************************************************************************)
(* Persistent bitmaps: when may somebody who opens the image trust what    *)
(* the stored bits say?                                                    *)
(*                                                                         *)
(* The file: the header, which names a directory beside its autoclear bit  *)
(* and the size of the disk; directories, with an entry for each name; and *)
(* places, each for the bits of one bitmap (its table and what that names).*)
(* As in PowerCut each field keeps the set of values that it may have      *)
(* after a cut: a write adds one, a flush leaves the newest.  A step that  *)
(* makes several writes stands for all their orders.                       *)
(*                                                                         *)
(* One program at a time has the image open.  Ours follows the guest in    *)
(* memory and is in one of two styles: "eager" stores after every request  *)
(* that is about bitmaps, "late" when the disk is closed.  A foreign one   *)
(* knows no bitmaps.  A request goes through these steps, one kind of file *)
(* operation each:                                                         *)
(*                                                                         *)
(*   change     mark, mark-flush, apply     the guest changes clusters     *)
(*   restore    the same                    a snapshot is loaded           *)
(*   resize     mark, mark-flush, apply                                    *)
(*   add, remove, clear, enable, merge      (mark, mark-flush), apply, and *)
(*              if eager a store                                           *)
(*   a store    bits, directory, flush, header, settle, free               *)
(*              if late: header, off-flush, extension, extension-flush, on   *)
(*                                                                         *)
(* What is given back is taken by somebody else at once, who writes over   *)
(* it.  The program may die between any two steps; the host brings to the  *)
(* disk what it has, before the image is opened again.                     *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS
    Names,              \* The names of bitmaps.
    Places, Nowhere,    \* Where bits can be, all alike, and the absence of a place.
    Dirs, NoDir,        \* Where directories can be, all alike, and the absence of one.
    Largest,            \* The disk has 1 to so many clusters, a bit for each.
    Style,              \* "eager" or "late".
    Kinds,              \* What happens, of the kinds above and "die", "foreign", "repair", "flush".
    Fault               \* "none", or the name of the error that is seeded.

VARIABLES
    header,             \* The header in the file.
    dirs,               \* The directories in the file.
    bits,               \* The places in the file.
    mode,               \* "closed", "ours", "foreign-opens" or "foreign".
    live,               \* The bitmaps in the memory of our program.
    listed,             \* Whether the list of bitmaps is another one than the stored one.
    work,               \* The request that is under way.
    free, freeDirs,     \* What may be handed out.
    truth,              \* What the bits in memory ought to be.
    need,               \* For each place the clusters that its bits must name if somebody trusts them.
    tracked,            \* The places whose bitmaps are enabled, in the file or since.
    lost                \* The bitmaps that were in use when the program died.

fileVars == <<header, dirs, bits>>
memoryVars == <<live, listed, truth>>
ghostVars == <<need, tracked, lost>>
vars == <<header, dirs, bits, mode, live, listed, work, free, freeDirs, truth, need, tracked, lost>>

Clusters == 1 .. Largest
Size == header.now.size
Inside == 1 .. Size

Still(v) == [now |-> v, may |-> {v}]
Put(field, v) == [now |-> v, may |-> field.may \cup {v}]

HostFlush ==
    /\ header' = Still(header.now)
    /\ dirs' = [d \in Dirs |-> [n \in Names |-> Still(dirs[d][n].now)]]
    /\ bits' = [p \in Places |-> [c \in Clusters |-> Still(bits[p][c].now)]]

(* Entries of a directory.                                                  *)
Entry(place, inUse, enabled) == [there |-> TRUE, place |-> place, inUse |-> inUse, enabled |-> enabled]
NoEntry == [there |-> FALSE, place |-> Nowhere, inUse |-> FALSE, enabled |-> FALSE]
Wild == Entry(Nowhere, FALSE, TRUE)     \* What a directory says that is none.

Counts(h) == h.dir /= NoDir /\ (h.auto \/ Fault = "autoclear-ignored")
Stored(n) == IF Counts(header.now) THEN dirs[header.now.dir][n].now ELSE NoEntry
StoredPlaces == {Stored(n).place : n \in Names} \ {Nowhere}

Absent == [there |-> FALSE, enabled |-> FALSE, broken |-> FALSE, fresh |-> FALSE, bits |-> {}]
Follows(n) == live[n].there /\ ~live[n].broken /\ (live[n].enabled \/ Fault = "disabled-follows")
Usable(n) == live[n].there /\ ~live[n].broken

Idle == [step |-> "idle", kind |-> "none", name |-> Nowhere, other |-> Nowhere, set |-> {}, flag |-> FALSE,
         places |-> [n \in Names |-> Nowhere], dir |-> NoDir, old |-> {}, oldDir |-> NoDir]
Request(kind, name) == [Idle EXCEPT !.kind = kind, !.name = name]
Goto(step) == work' = [work EXCEPT !.step = step]

-----------------------------------------------------------------------------
(* Our program opens the image.  A bitmap that was left in use is broken:   *)
(* it can only be removed.                                                  *)
Open ==
    /\ mode = "closed"
    /\ mode' = "ours"
    /\ live' = [n \in Names |->
                   LET e == Stored(n) IN
                   IF ~e.there THEN Absent
                   ELSE [there |-> TRUE, enabled |-> e.enabled,
                         broken |-> e.inUse /\ Fault /= "in-use-trusted", fresh |-> FALSE,
                         bits |-> IF e.inUse /\ Fault /= "in-use-trusted" THEN {}
                                  ELSE {c \in Inside : bits[e.place][c].now = "set"}]]
    /\ truth' = [n \in Names |->
                    IF Stored(n).there /\ (~Stored(n).inUse \/ Fault = "in-use-trusted")
                    THEN need[Stored(n).place] \cap Inside ELSE {}]
    /\ listed' = FALSE
    /\ UNCHANGED <<fileVars, work, free, freeDirs, ghostVars>>

(* Which stored bitmaps must be said to be in use before a request changes  *)
(* what they ought to say.  Eager requests have no need of it: old and new  *)
(* bits are both right until the header is switched.                        *)
Marked(w) ==
    LET concerned ==
            CASE w.kind \in {"change", "restore"} -> {n \in Names : Follows(n)}
              [] w.kind = "resize" ->
                    {n \in Names : Usable(n) /\ (live[n].enabled \/ Fault /= "resize-marks-enabled-only")}
              [] Style = "eager" -> {}
              [] w.kind = "remove" /\ Fault = "removed-not-marked" -> {}
              [] OTHER -> {n \in Names : n = w.name /\ Usable(n)}
    IN {n \in concerned : Stored(n).there /\ ~Stored(n).inUse}

Begin(w) ==
    /\ w.kind \in Kinds
    /\ mode = "ours"
    /\ work = Idle
    /\ work' = [w EXCEPT !.step = IF Marked(w) = {} \/ Fault \in {"in-use-after-write", "in-use-never-set"}
                                  THEN "apply" ELSE "mark"]
    /\ UNCHANGED <<fileVars, mode, memoryVars, free, freeDirs, ghostVars>>

BeginChange(set) == set \subseteq Inside /\ Begin([Request("change", Nowhere) EXCEPT !.set = set])
BeginRestore == Begin([Request("restore", Nowhere) EXCEPT !.set = Inside])
BeginResize(size) ==
    /\ size /= Size
    /\ \A n \in Names : ~live[n].broken
    /\ Begin([Request("resize", Nowhere) EXCEPT !.set = 1 .. size])
BeginAdd(n, enabled) == ~live[n].there /\ Begin([Request("add", n) EXCEPT !.flag = enabled])
BeginRemove(n) == live[n].there /\ Begin(Request("remove", n))
BeginClear(n) == Usable(n) /\ Begin(Request("clear", n))
BeginEnable(n, enabled) ==
    /\ Usable(n)
    /\ live[n].enabled /= enabled
    /\ Begin([Request("enable", n) EXCEPT !.flag = enabled])
BeginMerge(n, other) ==
    /\ n /= other
    /\ Usable(n) /\ Usable(other)
    /\ Begin([Request("merge", n) EXCEPT !.other = other])

Mark ==
    /\ work.step = "mark"
    /\ dirs' = [dirs EXCEPT ![header.now.dir] =
                   [n \in Names |-> IF n \in Marked(work) THEN Put(@[n], [@[n].now EXCEPT !.inUse = TRUE]) ELSE @[n]]]
    /\ CASE Fault = "in-use-after-write" -> work' = Idle
         [] Fault = "in-use-not-flushed" -> Goto("apply")
         [] OTHER -> Goto("mark-flush")
    /\ UNCHANGED <<header, bits, mode, memoryVars, free, freeDirs, ghostVars>>

MarkFlush ==
    /\ work.step = "mark-flush"
    /\ HostFlush
    /\ Goto("apply")
    /\ UNCHANGED <<mode, memoryVars, free, freeDirs, ghostVars>>

(* What the request is about.                                               *)

AfterApply ==
    IF Style = "eager" /\ work.kind \notin {"change", "restore", "resize"} THEN Goto("bits")
    ELSE IF Fault = "in-use-after-write" /\ Marked(work) /= {} THEN Goto("mark")
    ELSE work' = Idle

Bits(n, set) == [live[n] EXCEPT !.bits = set, !.fresh = TRUE]

(* The guest's bytes: as soon as they are on their way they may be there    *)
(* after a cut.                                                             *)
ApplyChange ==
    /\ work.step = "apply"
    /\ work.kind \in {"change", "restore"}
    /\ live' = [n \in Names |->
                   IF Follows(n) /\ ~(Fault = "restore-not-followed" /\ work.kind = "restore")
                   THEN Bits(n, live[n].bits \cup work.set) ELSE live[n]]
    /\ truth' = [n \in Names |-> IF Usable(n) /\ live[n].enabled THEN truth[n] \cup work.set ELSE truth[n]]
    /\ need' = [p \in Places |-> IF p \in tracked THEN need[p] \cup work.set ELSE need[p]]
    /\ AfterApply
    /\ UNCHANGED <<fileVars, mode, listed, free, freeDirs, tracked, lost>>

ApplyResize ==
    /\ work.step = "apply"
    /\ work.kind = "resize"
    /\ header' = Put(header, [header.now EXCEPT !.size = Cardinality(work.set)])
    /\ live' = [n \in Names |->
                   IF ~live[n].there THEN live[n]
                   ELSE Bits(n, IF Fault = "shrink-keeps-bits" THEN live[n].bits ELSE live[n].bits \cap work.set)]
    /\ truth' = [n \in Names |-> truth[n] \cap work.set]
    /\ AfterApply
    /\ UNCHANGED <<dirs, bits, mode, listed, free, freeDirs, ghostVars>>

ApplyToList ==
    /\ work.step = "apply"
    /\ work.kind \in {"add", "remove"}
    /\ live' = [live EXCEPT ![work.name] =
                   IF work.kind = "remove" THEN Absent
                   ELSE [there |-> TRUE, enabled |-> work.flag, broken |-> FALSE, fresh |-> TRUE, bits |-> {}]]
    /\ truth' = [truth EXCEPT ![work.name] = {}]
    /\ listed' = TRUE
    /\ AfterApply
    /\ UNCHANGED <<fileVars, mode, free, freeDirs, ghostVars>>

ApplyToBits ==
    /\ work.step = "apply"
    /\ work.kind \in {"clear", "merge"}
    /\ LET n == work.name IN
       IF work.kind = "clear"
       THEN /\ live' = [live EXCEPT ![n] = Bits(n, {})]
            /\ truth' = [truth EXCEPT ![n] = {}]
       ELSE /\ live' = [live EXCEPT ![n] = Bits(n, IF Fault = "merge-replaces" THEN live[work.other].bits
                                                   ELSE live[n].bits \cup live[work.other].bits)]
            /\ truth' = [truth EXCEPT ![n] = truth[n] \cup truth[work.other]]
    /\ AfterApply
    /\ UNCHANGED <<fileVars, mode, listed, free, freeDirs, ghostVars>>

ApplyEnable ==
    /\ work.step = "apply"
    /\ work.kind = "enable"
    /\ live' = [live EXCEPT ![work.name].enabled = work.flag, ![work.name].fresh = TRUE]
    /\ tracked' = tracked \cup (IF work.flag THEN {Stored(work.name).place} \ {Nowhere} ELSE {})
    /\ AfterApply
    /\ UNCHANGED <<fileVars, mode, listed, truth, free, freeDirs, need, lost>>

-----------------------------------------------------------------------------
(* A store: bits and a directory in fresh places, flushed, then the header, *)
(* flushed, and only then what was named before is given back.              *)

Changed == listed \/ \E n \in Names : live[n].fresh

Gone ==
    /\ mode' = "closed"
    /\ live' = [n \in Names |-> Absent]
    /\ truth' = [n \in Names |-> {}]
    /\ listed' = FALSE
    /\ work' = Idle

Close ==
    /\ mode = "ours"
    /\ work = Idle
    /\ IF Changed
       THEN work' = [Request("close", Nowhere) EXCEPT !.step = "bits"] /\ UNCHANGED <<mode, memoryVars>>
       ELSE Gone
    /\ UNCHANGED <<fileVars, free, freeDirs, ghostVars>>

(* One without new bits keeps the place that it has.                        *)
StoreBits ==
    LET fresh == {n \in Names : live[n].fresh}
        inPlace == {n \in fresh : Fault = "stored-in-place" /\ Stored(n).there}
    IN
    /\ work.step = "bits"
    /\ \E given \in [fresh \ inPlace -> free] :
          /\ \A n, m \in DOMAIN given : n /= m => given[n] /= given[m]
          /\ LET place == [n \in Names |-> IF n \in DOMAIN given THEN given[n] ELSE Stored(n).place]
                 of(p) == {n \in fresh : place[n] = p}
             IN  /\ bits' = [p \in Places |->
                               IF of(p) = {} THEN bits[p]
                               ELSE [c \in Clusters |->
                                       Put(bits[p][c], IF c > Size THEN "none"
                                                       ELSE IF \E n \in of(p) : c \in live[n].bits THEN "set"
                                                       ELSE "clear")]]
                 /\ need' = [p \in Places |-> IF of(p) = {} THEN need[p] ELSE UNION {truth[n] : n \in of(p)}]
                 /\ tracked' = {p \in Places : IF of(p) = {} THEN p \in tracked
                                               ELSE \E n \in of(p) : live[n].enabled}
                 /\ free' = {p \in free : of(p) = {}}
                 /\ work' = [work EXCEPT !.step = "directory", !.places = place]
    /\ dirs' = IF Fault = "in-use-cleared-early" /\ Counts(header.now)
               THEN [dirs EXCEPT ![header.now.dir] =
                       [n \in Names |-> IF n \in fresh /\ @[n].now.inUse
                                        THEN Put(@[n], [@[n].now EXCEPT !.inUse = FALSE]) ELSE @[n]]]
               ELSE dirs
    /\ UNCHANGED <<header, mode, memoryVars, freeDirs, lost>>

StoreDirectory ==
    /\ work.step = "directory"
    /\ IF \A n \in Names : ~live[n].there
       THEN /\ Goto("flush")
            /\ UNCHANGED <<dirs, freeDirs>>
       ELSE \E d \in freeDirs :
            /\ dirs' = [dirs EXCEPT ![d] =
                           [n \in Names |->
                               Put(@[n], IF live[n].there
                                         THEN Entry(work.places[n], live[n].broken, live[n].enabled) ELSE NoEntry)]]
            /\ freeDirs' = freeDirs \ {d}
            /\ work' = [work EXCEPT !.dir = d, !.step = "flush"]
    /\ UNCHANGED <<header, bits, mode, memoryVars, free, ghostVars>>

StoreFlush ==
    /\ work.step = "flush"
    /\ IF Fault = "header-before-flush" THEN UNCHANGED fileVars ELSE HostFlush
    /\ work' = [work EXCEPT
                  !.step = "header",
                  !.old = StoredPlaces \ {work.places[n] : n \in {m \in Names : live[m].there}},
                  !.oldDir = IF Counts(header.now) THEN header.now.dir ELSE NoDir]
    /\ UNCHANGED <<mode, memoryVars, free, freeDirs, ghostVars>>

(* The extension and its autoclear bit come and go together.  Who is late   *)
(* writes one after the other, flushed each, the bit being off meanwhile.   *)
AfterHeader == IF Fault = "freed-before-settled" THEN "free" ELSE "settle"

StoreHeader ==
    /\ work.step = "header"
    /\ IF Style = "eager"
       THEN /\ header' = Put(header, [header.now EXCEPT !.dir = work.dir, !.auto = work.dir /= NoDir])
            /\ Goto(AfterHeader)
       ELSE /\ header' = Put(header, [header.now EXCEPT !.auto = FALSE])
            /\ Goto("off-flush")
    /\ UNCHANGED <<dirs, bits, mode, memoryVars, free, freeDirs, ghostVars>>

StoreOffFlush ==
    /\ work.step = "off-flush"
    /\ HostFlush
    /\ Goto("extension")
    /\ UNCHANGED <<mode, memoryVars, free, freeDirs, ghostVars>>

StoreExtension ==
    /\ work.step = "extension"
    /\ header' = Put(header, [header.now EXCEPT !.dir = work.dir])
    /\ Goto("extension-flush")
    /\ UNCHANGED <<dirs, bits, mode, memoryVars, free, freeDirs, ghostVars>>

StoreExtensionFlush ==
    /\ work.step = "extension-flush"
    /\ HostFlush
    /\ Goto(IF work.dir = NoDir THEN "free" ELSE "on")
    /\ UNCHANGED <<mode, memoryVars, free, freeDirs, ghostVars>>

StoreOn ==
    /\ work.step = "on"
    /\ header' = Put(header, [header.now EXCEPT !.auto = TRUE])
    /\ Goto(AfterHeader)
    /\ UNCHANGED <<dirs, bits, mode, memoryVars, free, freeDirs, ghostVars>>

StoreSettle ==
    /\ work.step = "settle"
    /\ HostFlush
    /\ Goto("free")
    /\ UNCHANGED <<mode, memoryVars, free, freeDirs, ghostVars>>

GiveBack(places, oldDirs) ==
    /\ bits' = [p \in Places |-> IF p \in places THEN [c \in Clusters |-> Put(bits[p][c], "stale")] ELSE bits[p]]
    /\ dirs' = [d \in Dirs |-> IF d \in oldDirs THEN [n \in Names |-> Put(dirs[d][n], Wild)] ELSE dirs[d]]
    /\ need' = [p \in Places |-> IF p \in places /\ Fault /= "freed-before-settled" THEN {} ELSE need[p]]
    /\ tracked' = IF Fault = "freed-before-settled" THEN tracked ELSE tracked \ places
    /\ free' = free \cup places
    /\ freeDirs' = freeDirs \cup oldDirs

StoreFree ==
    /\ work.step = "free"
    /\ GiveBack(work.old, {work.oldDir} \ {NoDir})
    /\ IF work.kind = "close" THEN Gone
       ELSE /\ live' = [n \in Names |-> [live[n] EXCEPT !.fresh = FALSE]]
            /\ listed' = FALSE
            /\ work' = Idle
            /\ UNCHANGED <<mode, truth>>
    /\ UNCHANGED <<header, lost>>

-----------------------------------------------------------------------------
(* The guest, or anybody else, flushes.                                     *)
GuestFlush ==
    /\ "flush" \in Kinds
    /\ mode \in {"ours", "foreign"}
    /\ work = Idle
    /\ HostFlush
    /\ UNCHANGED <<mode, memoryVars, work, free, freeDirs, ghostVars>>

(* The program dies.                                                        *)
Die ==
    /\ "die" \in Kinds
    /\ mode = "ours"
    /\ HostFlush
    /\ Gone
    /\ lost' = {n \in Names : Stored(n).inUse}
    /\ need' = [p \in Places |-> IF p \in StoredPlaces THEN need[p] ELSE {}]
    /\ tracked' = {p \in StoredPlaces : \E n \in Names : Stored(n).place = p /\ Stored(n).enabled}
    /\ UNCHANGED <<free, freeDirs>>

(* Gives back what nothing names.                                           *)
Repair ==
    LET places == Places \ StoredPlaces
        unused == Dirs \ (IF Counts(header.now) THEN {header.now.dir} ELSE {})
    IN
    /\ "repair" \in Kinds
    /\ mode = "closed"
    /\ places /= free \/ unused /= freeDirs
    /\ GiveBack(places \ free, unused \ freeDirs)
    /\ header' = IF Counts(header.now) THEN header ELSE Still([header.now EXCEPT !.dir = NoDir])
    /\ UNCHANGED <<mode, memoryVars, work, lost>>

(* Somebody opens the image who knows no bitmaps: all that he does for them *)
(* is to clear the bit that he does not know, before he changes anything.   *)
ForeignOpens ==
    /\ "foreign" \in Kinds
    /\ mode = "closed"
    /\ header' = IF Fault = "autoclear-left" THEN header ELSE Put(header, [header.now EXCEPT !.auto = FALSE])
    /\ mode' = "foreign-opens"
    /\ lost' = {}
    /\ UNCHANGED <<dirs, bits, memoryVars, work, free, freeDirs, need, tracked>>

ForeignFlushes ==
    /\ mode = "foreign-opens"
    /\ IF Fault = "autoclear-not-flushed" THEN UNCHANGED fileVars ELSE HostFlush
    /\ mode' = "foreign"
    /\ UNCHANGED <<memoryVars, work, free, freeDirs, ghostVars>>

ForeignWrites(c) ==
    /\ mode = "foreign"
    /\ c \in Inside
    /\ need' = [p \in Places |-> IF p \in tracked THEN need[p] \cup {c} ELSE need[p]]
    /\ UNCHANGED <<fileVars, mode, memoryVars, work, free, freeDirs, tracked, lost>>

ForeignCloses ==
    /\ mode = "foreign"
    /\ mode' = "closed"
    /\ UNCHANGED <<fileVars, memoryVars, work, free, freeDirs, ghostVars>>

-----------------------------------------------------------------------------
(* An image without bitmaps, all of it flushed.                             *)
Init ==
    /\ header = Still([dir |-> NoDir, auto |-> FALSE, size |-> Largest])
    /\ dirs = [d \in Dirs |-> [n \in Names |-> Still(Wild)]]
    /\ bits = [p \in Places |-> [c \in Clusters |-> Still("stale")]]
    /\ mode = "closed"
    /\ live = [n \in Names |-> Absent]
    /\ listed = FALSE
    /\ work = Idle
    /\ free = Places
    /\ freeDirs = Dirs
    /\ truth = [n \in Names |-> {}]
    /\ need = [p \in Places |-> {}]
    /\ tracked = {}
    /\ lost = {}

Next ==
    \/ Open \/ Close
    \/ \E c \in Clusters : BeginChange({c})
    \/ BeginRestore
    \/ \E size \in Clusters : BeginResize(size)
    \/ \E n \in Names, enabled \in BOOLEAN : BeginAdd(n, enabled) \/ BeginEnable(n, enabled)
    \/ \E n \in Names : BeginRemove(n) \/ BeginClear(n)
    \/ \E n, other \in Names : BeginMerge(n, other)
    \/ Mark \/ MarkFlush
    \/ ApplyChange \/ ApplyResize \/ ApplyToList \/ ApplyToBits \/ ApplyEnable
    \/ StoreBits \/ StoreDirectory \/ StoreFlush \/ StoreHeader \/ StoreOffFlush \/ StoreExtension
    \/ StoreExtensionFlush \/ StoreOn \/ StoreSettle \/ StoreFree
    \/ GuestFlush \/ Die \/ Repair
    \/ ForeignOpens \/ ForeignFlushes \/ ForeignCloses
    \/ \E c \in Clusters : ForeignWrites(c)

Spec == Init /\ [][Next]_vars

Symmetry == Permutations(Names) \cup Permutations(Places) \cup Permutations(Dirs)

-----------------------------------------------------------------------------
(* The properties.  The first three speak of every image that a cut may     *)
(* leave behind at this moment, and of whoever opens it.                    *)

TypeOK ==
    /\ mode \in {"closed", "ours", "foreign-opens", "foreign"}
    /\ header.now \in header.may
    /\ \A d \in Dirs, n \in Names : dirs[d][n].now \in dirs[d][n].may
    /\ \A p \in Places, c \in Clusters :
          bits[p][c].now \in bits[p][c].may /\ bits[p][c].may \subseteq {"set", "clear", "none", "stale"}
    /\ \A n \in Names : live[n].bits \cup truth[n] \subseteq Clusters
    /\ mode /= "ours" => work = Idle /\ \A n \in Names : ~live[n].there

(* The pairs of header and entry that a cut may leave and a reader trusts.  *)
Trusted ==
    UNION {{<<h, e>> : e \in {x \in UNION {dirs[h.dir][n].may : n \in Names} : x.there /\ ~x.inUse}}
           : h \in {x \in header.may : x.auto /\ x.dir /= NoDir}}

(* A trusted bitmap names each cluster that was changed while it was        *)
(* enabled since it was made or cleared.                                    *)
NothingLost ==
    \A t \in Trusted :
        t[2].place /= Nowhere =>
            \A c \in need[t[2].place] \cap (1 .. t[1].size) : "clear" \notin bits[t[2].place][c].may

(* Nothing that a reader trusts is half written, or belongs to others.      *)
WholeWhereTrusted ==
    \A t \in Trusted :
        t[2].place /= Nowhere /\ \A c \in Clusters : "stale" \notin bits[t[2].place][c].may

(* A trusted bitmap is as long as the disk.                                 *)
RightLength ==
    \A t \in Trusted :
        t[2].place /= Nowhere =>
            \A c \in Clusters :
                IF c <= t[1].size THEN "none" \notin bits[t[2].place][c].may
                ELSE bits[t[2].place][c].may \cap {"set", "clear"} = {}

(* Without a cut the bits in memory are what they ought to be, not more.    *)
BitsExact == mode = "ours" => \A n \in Names : Usable(n) => live[n].bits = truth[n]

(* When the image is closed each bitmap can be trusted and says what it     *)
(* ought to, unless a program died with it.                                 *)
StoredWhenClosed ==
    mode = "closed" =>
        \A n \in Names :
            LET e == Stored(n) IN
            e.there => IF e.inUse THEN n \in lost
                       ELSE {c \in Inside : bits[e.place][c].now = "set"} = need[e.place] \cap Inside
=============================================================================
