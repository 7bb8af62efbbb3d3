------------------------------- MODULE Tables -------------------------------
(***************************************************************************)
(* Shared tables: L1 entry -> L2 table -> data cluster.                    *)
(*                                                                         *)
(* The promise is that of module Disk; here its clusters are the ranges of *)
(* one L2 table each and its blocks are the guest clusters in that range.  *)
(* L2 tables and data clusters come from one pool of host clusters and are *)
(* counted in one table of reference counts.  A snapshot copies the L1     *)
(* table and shares the L2 tables; so a count is the number of paths that  *)
(* lead from an L1 table to the cluster.  A shared L2 table is copied      *)
(* before an entry in it changes.                                          *)
(***************************************************************************)
EXTENDS Disk, FiniteSets, TLC

CONSTANTS
    Hosts, NoHost,      \* The host clusters, all alike, and the absence of one.
    Fault               \* "none", or the name of the error that is seeded.

VARIABLES
    l1,                 \* The active L1 table: an entry for each range.
    l1Copies,           \* The L1 table of each snapshot.
    count,              \* The reference count of each host cluster.
    tables,             \* What each host cluster says, read as an L2 table.
    bytes               \* What each host cluster holds, read as data.

vars == <<size, disk, saved, l1, l1Copies, count, tables, bytes>>

Stale == "stale"

Pointer(host, copied) == [host |-> host, copied |-> copied]
Nowhere == Pointer(NoHost, FALSE)
EmptyTable == [b \in Blocks |-> Nowhere]

(* A cluster that is no table holds arbitrary entries; this one stands for  *)
(* them.  It is never written on purpose.                                   *)
Wild == [b \in Blocks |-> Pointer(NoHost, TRUE)]
NoCopy == [taken |-> FALSE, l1 |-> [c \in Clusters |-> Nowhere]]

Read(table, b) ==
    IF table = NoHost THEN Zero
    ELSE LET e == tables[table][b] IN
         IF e.host = NoHost THEN (IF e.copied THEN Stale ELSE Zero) ELSE bytes[e.host]

View == [c \in Clusters |-> [b \in Blocks |-> Read(l1[c].host, b)]]
SavedView ==
    [s \in Saves |->
        [taken |-> l1Copies[s].taken,
         size |-> IF l1Copies[s].taken THEN size ELSE 0,
         disk |-> [c \in Clusters |-> [b \in Blocks |-> Read(l1Copies[s].l1[c].host, b)]]]]

(* The number of paths from one L1 table to a host cluster.                 *)
Paths(top, h) ==
    Cardinality({c \in Clusters : top[c].host = h})
    + Cardinality({<<c, b>> \in Clusters \X Blocks : top[c].host /= NoHost /\ tables[top[c].host][b].host = h})
PathsToTables(top, h) == Cardinality({c \in Clusters : top[c].host = h})

RECURSIVE SumOver(_, _)
SumOver(set, value) ==
    IF set = {} THEN 0
    ELSE LET one == CHOOSE x \in set : TRUE IN value[one] + SumOver(set \ {one}, value)

AllPaths(h) == Paths(l1, h) + SumOver(Saves, [s \in Saves |-> Paths(l1Copies[s].l1, h)])

IsFree(h) == count[h] = 0

Settle(newCount, newTables, newBytes) ==
    /\ count' = newCount
    /\ tables' = [h \in Hosts |-> IF newCount[h] <= 0 THEN Wild ELSE newTables[h]]
    /\ bytes' = [h \in Hosts |-> IF newCount[h] <= 0 THEN Stale ELSE newBytes[h]]

(* LOCATE and DECIDE: which table will be written, and what it holds before *)
(* the change.  A table of our own is written where it lies; a shared one   *)
(* is copied to table t; a missing one starts empty in t.                   *)
OwnsTable(c) == l1[c].host /= NoHost /\ (l1[c].copied \/ Fault = "shared-table-written-in-place")

TableBefore(c) ==
    IF l1[c].host = NoHost
    THEN IF Fault = "new-table-not-cleared" THEN Wild ELSE EmptyTable
    ELSE tables[l1[c].host]

(* ALLOCATE and RELEASE for the table itself.                               *)
CountAfterTable(c, t) ==
    [h \in Hosts |->
        count[h]
        + (IF h = t /\ ~OwnsTable(c) /\ Fault /= "new-table-not-counted" THEN 1 ELSE 0)
        - (IF h = l1[c].host /\ ~OwnsTable(c) /\ Fault /= "old-table-not-released"
           THEN (IF Fault = "old-table-freed" THEN count[h] ELSE 1) ELSE 0)
        - (IF /\ Fault = "table-copy-releases-data" /\ ~OwnsTable(c) /\ l1[c].host /= NoHost
              /\ \E b \in Blocks : tables[l1[c].host][b].host = h
           THEN 1 ELSE 0)]

(* Range c gets table t, in which entry b becomes e.                        *)
Link(c, b, t, e, afterTable, newBytes) ==
    LET old == TableBefore(c)[b].host
        newCount == [h \in Hosts |->
                        afterTable[h]
                        + (IF h = e.host /\ e.host /= old THEN 1 ELSE 0)
                        - (IF h = old /\ e.host /= old /\ Fault /= "data-not-released" THEN 1 ELSE 0)]
    IN  /\ l1' = [l1 EXCEPT ![c] = IF OwnsTable(c) THEN @ ELSE Pointer(t, Fault /= "l1-never-copied")]
        /\ Settle(newCount, [tables EXCEPT ![t] = [TableBefore(c) EXCEPT ![b] = e]], newBytes)
        /\ UNCHANGED l1Copies

(* Two different free host clusters, or one where only one is needed.       *)
TableFor(c, t) == IF OwnsTable(c) THEN t = l1[c].host ELSE IsFree(t)

TWrite(c, b, v) ==
    /\ Write(c, b, b, v)
    /\ \E t \in Hosts :
          /\ TableFor(c, t)
          /\ LET e == TableBefore(c)[b] IN
             IF e.host /= NoHost /\ (e.copied \/ Fault = "shared-data-written-in-place")
             THEN Link(c, b, t, e, CountAfterTable(c, t), [bytes EXCEPT ![e.host] = v])
             ELSE \E d \in Hosts :
                     /\ IsFree(d)
                     /\ d /= t \/ Fault = "table-handed-out-again"
                     /\ Link(c, b, t, Pointer(d, TRUE), CountAfterTable(c, t), [bytes EXCEPT ![d] = v])

(* A discard, or zeros: the entry goes.  Where no table is, nothing is done. *)
TDrop(c, b) ==
    /\ WriteZeroes(c, b, b)
    /\ IF l1[c].host = NoHost
       THEN UNCHANGED <<l1, l1Copies, count, tables, bytes>>
       ELSE \E t \in Hosts : TableFor(c, t) /\ Link(c, b, t, Nowhere, CountAfterTable(c, t), bytes)

(* COPIED in an L1 table and in the active L2 tables, made from the counts. *)
Recopied(top, newCount) ==
    [c \in Clusters |-> Pointer(top[c].host, top[c].host /= NoHost /\ newCount[top[c].host] = 1)]
RecopiedTables(top, newCount) ==
    [h \in Hosts |->
        IF \E c \in Clusters : top[c].host = h
        THEN [b \in Blocks |-> Pointer(tables[h][b].host, tables[h][b].host /= NoHost /\ newCount[tables[h][b].host] = 1)]
        ELSE tables[h]]

TSave(s) ==
    LET newCount == [h \in Hosts |->
                        count[h] + CASE Fault = "snapshot-skips-tables" -> Paths(l1, h) - PathsToTables(l1, h)
                                     [] Fault = "snapshot-skips-data" -> PathsToTables(l1, h)
                                     [] OTHER -> Paths(l1, h)]
    IN  /\ Save(s)
        /\ l1Copies' = [l1Copies EXCEPT ![s] = [taken |-> TRUE, l1 |-> [c \in Clusters |-> Pointer(l1[c].host, FALSE)]]]
        /\ l1' = IF Fault = "l1-copied-kept-by-snapshot" THEN l1 ELSE Recopied(l1, newCount)
        /\ Settle(newCount, IF Fault = "l2-copied-kept-by-snapshot" THEN tables ELSE RecopiedTables(l1, newCount), bytes)

TRestore(s) ==
    LET top == l1Copies[s].l1
        newCount == [h \in Hosts |-> count[h] + Paths(top, h) - Paths(l1, h)]
    IN  /\ Restore(s)
        /\ l1' = Recopied(top, newCount)
        /\ Settle(newCount, RecopiedTables(top, newCount), bytes)
        /\ UNCHANGED l1Copies

TForget(s) ==
    LET top == l1Copies[s].l1
        newCount == [h \in Hosts |->
                        count[h] - CASE Fault = "forget-keeps-tables" -> Paths(top, h) - PathsToTables(top, h)
                                     [] OTHER -> Paths(top, h)]
    IN  /\ Forget(s)
        /\ l1Copies' = [l1Copies EXCEPT ![s] = NoCopy]
        /\ l1' = Recopied(l1, newCount)
        /\ Settle(newCount, RecopiedTables(l1, newCount), bytes)

TInit ==
    /\ size = ClusterCount
    /\ disk = [c \in Clusters |-> Zeros]
    /\ saved = [s \in Saves |-> NothingSaved]
    /\ l1 = [c \in Clusters |-> Nowhere]
    /\ l1Copies = [s \in Saves |-> NoCopy]
    /\ count = [h \in Hosts |-> 0]
    /\ tables = [h \in Hosts |-> Wild]
    /\ bytes = [h \in Hosts |-> Stale]

TNext ==
    \/ \E c \in Clusters, b \in Blocks, v \in Values : TWrite(c, b, v)
    \/ \E c \in Clusters, b \in Blocks : TDrop(c, b)
    \/ \E s \in Saves : TSave(s) \/ TRestore(s) \/ TForget(s)

TSpec == TInit /\ [][TNext]_vars

Symmetry == Permutations(Hosts)

-----------------------------------------------------------------------------
GuestView == View = disk

SavedViews == SavedView = saved

CountsExact == \A h \in Hosts : count[h] = AllPaths(h)

(* COPIED exactly where one path leads to the table or the data cluster.    *)
CopiedExact ==
    \A c \in Clusters :
        /\ l1[c].copied <=> l1[c].host /= NoHost /\ AllPaths(l1[c].host) = 1
        /\ l1[c].host /= NoHost =>
              \A b \in Blocks :
                  LET e == tables[l1[c].host][b] IN
                  e.copied <=> e.host /= NoHost /\ AllPaths(e.host) = 1

(* No host cluster is at once a table and data, serves two ranges, or two   *)
(* guest clusters.                                                          *)
Tops == {l1} \cup {l1Copies[s].l1 : s \in Saves}
TablesInUse == UNION {{<<c, top[c].host>> : c \in Clusters} : top \in Tops}
DataInUse ==
    UNION {{<<pair[1], b, tables[pair[2]][b].host>> : b \in Blocks} :
           pair \in {p \in TablesInUse : p[2] /= NoHost}}
NoClusterTwice ==
    /\ \A one, other \in TablesInUse : one[2] = other[2] /\ one[2] /= NoHost => one[1] = other[1]
    /\ \A one, other \in DataInUse : one[3] = other[3] /\ one[3] /= NoHost => one[1] = other[1] /\ one[2] = other[2]
    /\ \A table \in TablesInUse, data \in DataInUse : table[2] = data[3] => table[2] = NoHost

(* Tables are never free clusters.                                          *)
TablesAreTables == \A pair \in TablesInUse : pair[2] /= NoHost => tables[pair[2]] /= Wild

Shown == INSTANCE Disk WITH disk <- View, saved <- SavedView
KeepsThePromise == Shown!Spec
=============================================================================
