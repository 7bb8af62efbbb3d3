------------------------------- MODULE Growth -------------------------------
(***************************************************************************)
(* A table that the header names is replaced by another one: a longer      *)
(* refcount table with blocks of its own, counts of another width, a       *)
(* longer L1 table (or another snapshot table), a header of version 2.     *)
(*                                                                         *)
(* The host clusters are numbered, and a refcount block counts a range of  *)
(* them, its own cluster perhaps among them.  Each cluster has a page: a   *)
(* refcount table, a block, a list (as an L1 table is one, of the clusters *)
(* that it names) or something else.  The counts in a block are fields of  *)
(* their own.  As in PowerCut each field keeps the set of values that it   *)
(* may have after a cut.  Whoever needs a cluster takes the first free     *)
(* one; what is given back gets other bytes at once.                       *)
(*                                                                         *)
(*   grow       build, flush, switch, settle, free                         *)
(*   width      the same: all blocks anew, and a table that names them     *)
(*   list       the same: a longer list                                    *)
(*   block      build, flush, link         a block for which there is room *)
(*   data       build, flush, link         a cluster that the list names   *)
(*   drop       unlink, settle, free                                       *)
(*   zero       link                       an entry gets the zero flag     *)
(*   version    build, flush, switch, settle        to version 2 and back  *)
(*                                                                         *)
(* One request at a time.                                                  *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS
    RangeCount,         \* Ranges of host clusters, a refcount block for each.
    RangeLength,        \* Host clusters in a range.
    MaxData,            \* So many data clusters at once.
    MaxRequests,        \* Requests in one run.
    Kinds,              \* Of the kinds above.
    Fault               \* "none", or the name of the error that is seeded.

VARIABLES
    root,               \* The header: which tables, the width of counts, the version.
    pages,              \* What each host cluster is.
    counts,             \* For each host cluster, as a block, its counts.
    unused,             \* The host clusters that may be handed out.
    job,                \* The request that is under way.
    done                \* How many requests have begun.

fileVars == <<root, pages, counts>>
vars == <<root, pages, counts, unused, job, done>>

Ranges == 1 .. RangeCount
Slots == 1 .. RangeLength
Hosts == 1 .. RangeCount * RangeLength
Nowhere == 0
RangeOf(h) == ((h - 1) \div RangeLength) + 1
SlotOf(h) == ((h - 1) % RangeLength) + 1
HostsOf(r) == {h \in Hosts : RangeOf(h) = r}

Stale == 99

Still(v) == [now |-> v, may |-> {v}]
Put(field, v) == [now |-> v, may |-> field.may \cup {v}]

HostFlush ==
    /\ root' = Still(root.now)
    /\ pages' = [h \in Hosts |-> Still(pages[h].now)]
    /\ counts' = [h \in Hosts |-> [s \in Slots |-> Still(counts[h][s].now)]]

(* Pages.                                                                   *)
Other == [kind |-> "other"]
Table(at) == [kind |-> "table", at |-> at]                  \* Nowhere: no block; not in its domain: no room.
Block(width) == [kind |-> "block", width |-> width]
List(names, zeros) == [kind |-> "list", names |-> names, zeros |-> zeros]

NewRoot(table, list, width, version) == [table |-> table, list |-> list, width |-> width, version |-> version]

TableNow == pages[root.now.table].now
ListNow == pages[root.now.list].now
BlockOf(h) == TableNow.at[RangeOf(h)]
Covered == {h \in Hosts : RangeOf(h) \in DOMAIN TableNow.at /\ BlockOf(h) /= Nowhere}
CountNow(h) == IF h \in Covered THEN counts[BlockOf(h)][SlotOf(h)].now ELSE 0

Blocks(at) == {at[r] : r \in DOMAIN at} \ {Nowhere}
InUse == {root.now.table, root.now.list} \cup Blocks(TableNow.at) \cup ListNow.names

(* The counts of some clusters become n, in the blocks that count them now. *)
Counted(set, n) ==
    [b \in Hosts |-> [s \in Slots |->
        IF \E h \in set : h \in Covered /\ BlockOf(h) = b /\ SlotOf(h) = s THEN Put(counts[b][s], n) ELSE counts[b][s]]]

Least(set) == CHOOSE x \in set : \A y \in set : x <= y
RECURSIVE Firsts(_, _)
Firsts(set, n) == IF n = 0 THEN {} ELSE {Least(set)} \cup Firsts(set \ {Least(set)}, n - 1)

Idle == [step |-> "idle", kind |-> "none", host |-> Nowhere, root |-> NewRoot(0, 0, 0, 0), old |-> {}]
Goto(step) == job' = [job EXCEPT !.step = step]

Begin(kind, step, host) ==
    /\ kind \in Kinds
    /\ job = Idle
    /\ done < MaxRequests
    /\ job' = [Idle EXCEPT !.step = step, !.kind = kind, !.host = host]
    /\ done' = done + 1
    /\ UNCHANGED <<fileVars, unused>>

Free == unused \cap Covered

BeginGrow ==
    /\ Cardinality(DOMAIN TableNow.at) < RangeCount
    /\ Begin("grow", "build", Nowhere)
BeginBlock ==
    /\ \E r \in DOMAIN TableNow.at : TableNow.at[r] = Nowhere
    /\ Begin("block", "build", Nowhere)
BeginWidth ==
    /\ root.now.version = 3
    /\ Cardinality(Free) > Cardinality(Blocks(TableNow.at))
    /\ Begin("width", "build", Nowhere)
BeginList == Free /= {} /\ Begin("list", "build", Nowhere)
BeginData == Free /= {} /\ Cardinality(ListNow.names) < MaxData /\ Begin("data", "build", Nowhere)
BeginDrop(h) == h \in ListNow.names /\ Begin("drop", "unlink", h)
BeginZero == root.now.version = 3 /\ ~ListNow.zeros /\ Begin("zero", "link", Nowhere)
BeginVersion ==
    /\ root.now.version = 2 \/ root.now.width = 1
    /\ Begin("version", "build", Nowhere)

-----------------------------------------------------------------------------
(* BUILD: what is new is written where nothing refers to, and counted.      *)

Early == Fault = "lowered-before-switch"

(* The first range that the table has no room for gets a block and the      *)
(* longer table; both lie in that range, and the block counts them.         *)
BuildGrow ==
    LET r == Least(Ranges \ DOMAIN TableNow.at)
        block == Least(HostsOf(r))
        table == block + 1
        last == r - 1
        at == [x \in Ranges |-> IF x = r THEN block
                                ELSE IF x = last /\ Fault = "longer-table-loses-last" THEN Nowhere
                                ELSE IF x < r THEN TableNow.at[x] ELSE Nowhere]
        own == IF Fault = "longer-table-not-counted" THEN {block} ELSE {block, table}
    IN
    /\ job.step = "build"
    /\ job.kind = "grow"
    /\ pages' = [pages EXCEPT ![block] = Put(@, Block(root.now.width)), ![table] = Put(@, Table(at))]
    /\ LET c == IF Early THEN Counted({root.now.table}, 0) ELSE counts IN
       counts' = [c EXCEPT ![block] = [s \in Slots |-> Put(@[s], IF \E h \in own : SlotOf(h) = s THEN 1 ELSE 0)]]
    /\ unused' = unused \ {block, table}
    /\ job' = [job EXCEPT !.step = "flush", !.root = [root.now EXCEPT !.table = table], !.old = {root.now.table}]
    /\ UNCHANGED <<root, done>>

(* The table has room: the block lies in the range that it counts.          *)
BuildBlock ==
    LET r == Least({x \in DOMAIN TableNow.at : TableNow.at[x] = Nowhere})
        block == Least(HostsOf(r))
        own == IF Fault = "block-not-counted" THEN 0 ELSE 1
    IN
    /\ job.step = "build"
    /\ job.kind = "block"
    /\ pages' = [pages EXCEPT ![block] = Put(@, Block(root.now.width))]
    /\ counts' = [counts EXCEPT ![block] = [s \in Slots |-> Put(@[s], IF s = SlotOf(block) THEN own ELSE 0)]]
    /\ unused' = unused \ {block}
    /\ job' = [job EXCEPT !.step = IF Fault = "block-linked-before-flush" THEN "link" ELSE "flush", !.host = block]
    /\ UNCHANGED <<root, done>>

(* All blocks anew, and a table.  They count each other, and not the old    *)
(* ones, to which nobody will refer.                                        *)
BuildWidth ==
    LET old == {root.now.table} \cup Blocks(TableNow.at)
        fresh == Firsts(Free, Cardinality(old))
        table == CHOOSE h \in fresh : \A g \in fresh : g <= h
        with == {r \in DOMAIN TableNow.at : TableNow.at[r] /= Nowhere}
        block == [r \in with |-> CHOOSE h \in fresh \ {table} :
                     Cardinality({g \in fresh : g < h}) = Cardinality({x \in with : x < r})]
        width == 3 - root.now.width
        count(h) == IF h \in fresh THEN (IF Fault = "width-not-counted" THEN 0 ELSE 1)
                    ELSE IF h \in old THEN 0 ELSE CountNow(h)
        at == [r \in DOMAIN TableNow.at |-> IF r \in with THEN block[r] ELSE Nowhere]
    IN
    /\ job.step = "build"
    /\ job.kind = "width"
    /\ pages' = [h \in Hosts |-> IF h = table THEN Put(pages[h], Table(at))
                                 ELSE IF h \in fresh THEN Put(pages[h], Block(width))
                                 ELSE IF h \in old \ {root.now.table} /\ Fault = "width-changed-in-place"
                                 THEN Put(pages[h], Block(width)) ELSE pages[h]]
    /\ counts' = [h \in Hosts |->
                     IF h \in fresh \ {table}
                     THEN LET r == CHOOSE x \in with : block[x] = h IN
                          [s \in Slots |-> Put(counts[h][s], count((r - 1) * RangeLength + s))]
                     ELSE counts[h]]
    /\ unused' = unused \ fresh
    /\ job' = [job EXCEPT !.step = "flush", !.root = [root.now EXCEPT !.table = table, !.width = width], !.old = old]
    /\ UNCHANGED <<root, done>>

BuildList ==
    LET h == Least(Free) IN
    /\ job.step = "build"
    /\ job.kind = "list"
    /\ pages' = [pages EXCEPT ![h] = Put(@, ListNow)]
    /\ counts' = Counted({h}, IF Fault = "list-not-counted" THEN 0 ELSE 1)
    /\ unused' = unused \ {h}
    /\ job' = [job EXCEPT !.step = "flush", !.root = [root.now EXCEPT !.list = h], !.old = {root.now.list}]
    /\ UNCHANGED <<root, done>>

BuildData ==
    LET h == Least(Free) IN
    /\ job.step = "build"
    /\ job.kind = "data"
    /\ counts' = Counted({h}, 1)
    /\ unused' = unused \ {h}
    /\ job' = [job EXCEPT !.step = "flush", !.host = h]
    /\ UNCHANGED <<root, pages, done>>

(* Version 2 has no zero flags, and counts of the first width only.         *)
BuildVersion ==
    /\ job.step = "build"
    /\ job.kind = "version"
    /\ pages' = IF root.now.version = 3 /\ ListNow.zeros /\ Fault /= "zero-flags-kept"
                THEN [pages EXCEPT ![root.now.list] = Put(@, List(ListNow.names, FALSE))] ELSE pages
    /\ job' = [job EXCEPT !.step = "flush", !.root = [root.now EXCEPT !.version = 5 - root.now.version]]
    /\ UNCHANGED <<root, counts, unused, done>>

FlushStep ==
    /\ job.step = "flush"
    /\ IF Fault = "switched-before-flush" THEN UNCHANGED fileVars ELSE HostFlush
    /\ Goto(IF job.kind \in {"block", "data"} THEN "link" ELSE "switch")
    /\ UNCHANGED <<unused, done>>

-----------------------------------------------------------------------------
(* LINK: the header or an entry names it, in one write.                     *)

Switch ==
    /\ job.step = "switch"
    /\ IF Fault = "width-in-a-second-write" /\ job.root.width /= root.now.width /\ job.root.table /= root.now.table
       THEN /\ root' = Put(root, [job.root EXCEPT !.width = root.now.width])
            /\ Goto("switch")
       ELSE /\ root' = Put(root, job.root)
            /\ Goto(IF Fault = "freed-before-settled" THEN "free" ELSE "settle")
    /\ UNCHANGED <<pages, counts, unused, done>>

LinkBlock ==
    /\ job.step = "link"
    /\ job.kind = "block"
    /\ pages' = [pages EXCEPT ![root.now.table] = Put(@, Table([TableNow.at EXCEPT ![RangeOf(job.host)] = job.host]))]
    /\ job' = Idle
    /\ UNCHANGED <<root, counts, unused, done>>

LinkData ==
    /\ job.step = "link"
    /\ job.kind = "data"
    /\ pages' = [pages EXCEPT ![root.now.list] = Put(@, List(ListNow.names \cup {job.host}, ListNow.zeros))]
    /\ job' = Idle
    /\ UNCHANGED <<root, counts, unused, done>>

LinkZero ==
    /\ job.step = "link"
    /\ job.kind = "zero"
    /\ pages' = [pages EXCEPT ![root.now.list] = Put(@, List(ListNow.names, TRUE))]
    /\ job' = Idle
    /\ UNCHANGED <<root, counts, unused, done>>

Unlink ==
    /\ job.step = "unlink"
    /\ pages' = [pages EXCEPT ![root.now.list] = Put(@, List(ListNow.names \ {job.host}, ListNow.zeros))]
    /\ job' = [job EXCEPT !.step = "settle", !.old = {job.host}]
    /\ UNCHANGED <<root, counts, unused, done>>

-----------------------------------------------------------------------------
(* RELEASE: the disk has the switch before the old clusters are given back. *)

Settle ==
    /\ job.step = "settle"
    /\ HostFlush
    /\ IF job.old = {} THEN job' = Idle ELSE Goto("free")
    /\ UNCHANGED <<unused, done>>

FreeStep ==
    /\ job.step = "free"
    /\ counts' = LET lowered == IF Fault = "old-table-leaked" THEN counts
                                ELSE Counted({h \in job.old : CountNow(h) > 0}, 0)
                 IN [h \in Hosts |-> IF h \in job.old THEN [s \in Slots |-> Put(lowered[h][s], Stale)] ELSE lowered[h]]
    /\ pages' = [h \in Hosts |-> IF h \in job.old THEN Put(pages[h], Other) ELSE pages[h]]
    /\ unused' = unused \cup job.old
    /\ job' = Idle
    /\ UNCHANGED <<root, done>>

(* A flush of the guest.                                                    *)
GuestFlush ==
    /\ job = Idle
    /\ HostFlush
    /\ UNCHANGED <<unused, job, done>>

-----------------------------------------------------------------------------
(* One range is counted, and the table has room for one.                    *)
Init ==
    /\ root = Still(NewRoot(1, 3, 1, 3))
    /\ pages = [h \in Hosts |-> Still(CASE h = 1 -> Table([r \in {1} |-> 2])
                                        [] h = 2 -> Block(1)
                                        [] h = 3 -> List({}, FALSE)
                                        [] OTHER -> Other)]
    /\ counts = [h \in Hosts |-> [s \in Slots |->
                    Still(IF h /= 2 THEN Stale ELSE IF s <= 3 THEN 1 ELSE 0)]]
    /\ unused = Hosts \ {1, 2, 3}
    /\ job = Idle
    /\ done = 0

Next ==
    \/ BeginGrow \/ BeginBlock \/ BeginWidth \/ BeginList \/ BeginData \/ BeginZero \/ BeginVersion
    \/ \E h \in Hosts : BeginDrop(h)
    \/ BuildGrow \/ BuildBlock \/ BuildWidth \/ BuildList \/ BuildData \/ BuildVersion
    \/ FlushStep \/ Switch \/ LinkBlock \/ LinkData \/ LinkZero \/ Unlink
    \/ Settle \/ FreeStep \/ GuestFlush

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* The properties.  They speak of every image that a cut may leave behind   *)
(* at this moment: a header, and for each of its tables a page.             *)

Views ==
    UNION {UNION {{<<h, t, l>> : l \in pages[h.list].may} : t \in pages[h.table].may} : h \in root.may}

(* What the header leads to is there as a whole.                            *)
CompleteAfterCut ==
    \A v \in Views :
        /\ v[2].kind = "table"
        /\ v[3].kind = "list"
        /\ \A b \in Blocks(v[2].at) :
              /\ pages[b].may = {Block(v[1].width)}
              /\ \A s \in Slots : Stale \notin counts[b][s].may

Named(v) ==
    {v[1].table, v[1].list}
    \cup (IF v[2].kind = "table" THEN Blocks(v[2].at) ELSE {})
    \cup (IF v[3].kind = "list" THEN v[3].names ELSE {})

MayCount(v, h) ==
    IF RangeOf(h) \in DOMAIN v[2].at /\ v[2].at[RangeOf(h)] /= Nowhere
    THEN counts[v[2].at[RangeOf(h)]][SlotOf(h)].may ELSE {0}

(* After a cut whatever is named is counted.                                *)
OnlyLeaks ==
    \A v \in Views : v[2].kind = "table" => \A h \in Named(v) : 0 \notin MayCount(v, h)

(* Nothing that a cut may bring back is free to be handed out.              *)
NothingInUseIsFree == \A v \in Views : Named(v) \cap unused = {}

(* Version 2 has counts of one width and no zero flags.                     *)
Version2IsPlain ==
    \A v \in Views : v[1].version = 2 => v[1].width = 1 /\ (v[3].kind = "list" => ~v[3].zeros)

(* Without a cut: when nothing is under way counts are exact and every      *)
(* other cluster is free.                                                   *)
NoLeakWhenQuiet ==
    job = Idle =>
        /\ \A h \in Hosts : CountNow(h) = IF h \in InUse THEN 1 ELSE 0
        /\ unused = Hosts \ InUse
=============================================================================
