-------------------------------- MODULE Disk --------------------------------
(***************************************************************************)
(* The promise: what the guest sees.                                       *)
(*                                                                         *)
(* A disk is an array of blocks, seen in groups of one cluster.  Beside it *)
(* there are places where the array can be saved.  Nothing here knows of   *)
(* files, tables or host clusters; the other models are judged by whether  *)
(* what they show is a behaviour of this one.                              *)
(***************************************************************************)
EXTENDS Naturals

CONSTANTS
    ClusterCount,   \* How many clusters the largest disk has.
    BlockCount,     \* How many blocks a cluster has.
    Values,         \* What the guest writes, apart from zeros.
    Saves,          \* The names under which the disk can be saved.
    Sizes           \* The sizes, in clusters, that the disk may take.

VARIABLES
    size,           \* The number of clusters that the disk has now.
    disk,           \* The value of each block; beyond the size it is Zero.
    saved           \* For each name: whether it is taken, and what it holds.

Zero == "zero"
Backing == "backing"                 \* What a backing file shows.

Clusters == 1 .. ClusterCount
Blocks == 1 .. BlockCount
Content == Values \cup {Zero, Backing}

Zeros == [b \in Blocks |-> Zero]
NothingSaved == [taken |-> FALSE, size |-> 0, disk |-> [c \in Clusters |-> Zeros]]

diskVars == <<size, disk, saved>>

TypeOK ==
    /\ size \in Sizes
    /\ disk \in [Clusters -> [Blocks -> Content]]
    /\ \A s \in Saves : saved[s].size \in Sizes \cup {0}

(* The guest's requests.  Each is total: whatever the disk holds, it works. *)

Write(c, first, last, v) ==
    /\ c <= size
    /\ disk' = [disk EXCEPT ![c] = [b \in Blocks |-> IF b \in first .. last THEN v ELSE @[b]]]
    /\ UNCHANGED <<size, saved>>

WriteZeroes(c, first, last) == Write(c, first, last, Zero)

(* The format lets a discard keep each block or zero it.  It never shows    *)
(* what lay hidden behind the cluster.                                      *)
Discard(c) ==
    /\ c <= size
    /\ \E kept \in SUBSET Blocks :
          disk' = [disk EXCEPT ![c] = [b \in Blocks |-> IF b \in kept THEN @[b] ELSE Zero]]
    /\ UNCHANGED <<size, saved>>

Save(s) ==
    /\ ~saved[s].taken
    /\ saved' = [saved EXCEPT ![s] = [taken |-> TRUE, size |-> size, disk |-> disk]]
    /\ UNCHANGED <<size, disk>>

Restore(s) ==
    /\ saved[s].taken
    /\ saved[s].size = size
    /\ disk' = saved[s].disk
    /\ UNCHANGED <<size, saved>>

Forget(s) ==
    /\ saved[s].taken
    /\ saved' = [saved EXCEPT ![s] = NothingSaved]
    /\ UNCHANGED <<size, disk>>

(* What a shrinking disk loses is gone; what a growing disk gains is zeros. *)
Resize(n) ==
    /\ n /= size
    /\ size' = n
    /\ disk' = [c \in Clusters |-> IF c <= n THEN disk[c] ELSE Zeros]
    /\ UNCHANGED saved

Init ==
    /\ size \in Sizes
    /\ disk \in [Clusters -> [Blocks -> Content]]
    /\ \A c \in Clusters : c > size => disk[c] = Zeros
    /\ saved = [s \in Saves |-> NothingSaved]

Next ==
    \/ \E c \in Clusters, first, last \in Blocks, v \in Values \cup {Zero} : Write(c, first, last, v)
    \/ \E c \in Clusters : Discard(c)
    \/ \E s \in Saves : Save(s) \/ Restore(s) \/ Forget(s)
    \/ \E n \in Sizes : Resize(n)

Spec == Init /\ [][Next]_diskVars

(* What follows from the promise, checked so that it is not an empty one.   *)

NothingBeyondTheEnd == \A c \in Clusters : c > size => disk[c] = Zeros

(* A saved disk never changes while it is there.                            *)
SavedStays == [][\A s \in Saves : saved[s].taken /\ saved'[s].taken => saved'[s] = saved[s]]_diskVars

(* A step that neither restores nor resizes touches one cluster at most.    *)
OneClusterAtATime ==
    [][(\E c \in Clusters : \A other \in Clusters \ {c} : disk'[other] = disk[other])
       \/ (\E s \in Saves : saved[s].taken /\ disk' = saved[s].disk)
       \/ size' /= size]_diskVars
=============================================================================
