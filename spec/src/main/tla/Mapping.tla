------------------------------ MODULE Mapping ------------------------------
(***************************************************************************)
(* The mapping: how an image holds what the guest sees.                    *)
(*                                                                         *)
(* Each guest cluster has one L2 entry.  An entry names a host cluster or  *)
(* none, carries the COPIED flag, and says for each subcluster whether its *)
(* data is there, reads as zero, or comes from the backing file.  An image *)
(* with standard L2 entries is the case of one subcluster per cluster.     *)
(* Host clusters have reference counts.  Compressed clusters are packed    *)
(* into host clusters, several to one.  Snapshots share host clusters.     *)
(*                                                                         *)
(* Every action does the step of the promise (module Disk) beside its own, *)
(* and GuestView says that the image still shows what was promised.  Where a   *)
(* name of the promise has a twin here, the twin has an M before it.       *)
(*                                                                         *)
(* The write path has two modes.  "copy" writes a whole fresh cluster with *)
(* what the guest saw there.  "skip" writes only its own blocks where all  *)
(* around them reads as zero by status, into a host cluster that was made  *)
(* to read as zero without writing zeros; otherwise it copies.  Both are   *)
(* the same actions; they differ in FreshContent and in StateAfterWrite.   *)
(***************************************************************************)
EXTENDS Disk, FiniteSets, TLC

CONSTANTS
    SubclusterCount,    \* 1 for standard L2 entries; it divides BlockCount.
    Hosts, NoHost,      \* The host clusters, all alike, and the absence of one.
    Version,            \* 2 or 3: zero clusters exist in version 3 only.
    BackingShape,       \* "none", "all", or "short": only the disk's first block.
    Mode,               \* "copy" or "skip".
    Reuse,              \* Whether a zero-allocated cluster may be written in place.
    PackCount,          \* How many compressed clusters fit in a host cluster; 0: none are made.
    Straddle,           \* Whether compressed data may run over into a second host cluster.
    MaxCount,           \* The greatest reference count that the image can hold.
    Fault               \* "none", or the name of the error that is seeded.

VARIABLES
    l2,                 \* The active L2 entry of each guest cluster.
    images,             \* What each snapshot refers to.
    count,              \* The reference count of each host cluster.
    bytes,              \* What each host cluster holds.
    packed              \* The compressed streams in each host cluster.

imageVars == <<l2, images, count, bytes, packed>>
vars == <<size, disk, saved, l2, images, count, bytes, packed>>

Stale == "stale"        \* Bytes that belong to nobody: the guest must never see them.

Subclusters == 1 .. SubclusterCount
Packs == 1 .. PackCount
SubclusterOf(b) == ((b - 1) * SubclusterCount) \div BlockCount + 1
BlocksOf(s) == {b \in Blocks : SubclusterOf(b) = s}
Extended == SubclusterCount > 1
HasBacking == BackingShape /= "none"

BackingValue(c, b) ==
    CASE BackingShape = "none" -> Zero
      [] BackingShape = "all" -> Backing
      [] BackingShape = "short" -> IF c = 1 /\ b = 1 THEN Backing ELSE Zero

(* The forms of an L2 entry.                                                *)

Entry(host, copied, state) ==
    [host |-> host, copied |-> copied, state |-> state, pack |-> 0, tail |-> NoHost]
AllState(state) == [s \in Subclusters |-> state]
Unallocated == Entry(NoHost, FALSE, AllState("none"))
ZeroPlain == Entry(NoHost, FALSE, AllState("zero"))
Compressed(host, tail, pack) ==
    [host |-> host, copied |-> Fault = "compressed-copied", state |-> AllState("data"), pack |-> pack, tail |-> tail]

IsCompressed(e) == e.pack > 0
HostsOf(e) == {e.host, e.tail} \ {NoHost}
NoImage == [taken |-> FALSE, size |-> 0, l2 |-> [c \in Clusters |-> Unallocated]]

(* What a read finds, and what is known without reading.                    *)

Unpacked(e) ==
    IF e.tail /= NoHost /\ packed[e.tail][e.pack] /= packed[e.host][e.pack]
    THEN Stale
    ELSE packed[e.host][e.pack]

ReadEntry(e, c, b) ==
    IF IsCompressed(e) THEN Unpacked(e)
    ELSE CASE e.state[SubclusterOf(b)] = "zero" -> Zero
           [] e.state[SubclusterOf(b)] = "data" -> IF e.host = NoHost THEN Stale ELSE bytes[e.host][b]
           [] e.state[SubclusterOf(b)] = "none" -> BackingValue(c, b)

ZeroByStatus(e, c, b) ==
    /\ ~IsCompressed(e)
    /\ \/ e.state[SubclusterOf(b)] = "zero"
       \/ /\ e.state[SubclusterOf(b)] = "none"
          /\ BackingValue(c, b) = Zero \/ Fault = "skip-over-backing-data"

View == [c \in Clusters |-> [b \in Blocks |-> IF c > size THEN Zero ELSE ReadEntry(l2[c], c, b)]]
SavedView ==
    [s \in Saves |->
        [taken |-> images[s].taken,
         size |-> images[s].size,
         disk |-> [c \in Clusters |-> [b \in Blocks |->
                      IF c > images[s].size THEN Zero ELSE ReadEntry(images[s].l2[c], c, b)]]]]

(* Reference counting.                                                      *)

References(entries, h) == Cardinality({c \in Clusters : h \in HostsOf(entries[c])})
AllReferences(h) ==
    References(l2, h)
    + Cardinality({<<s, c>> \in Saves \X Clusters : h \in HostsOf(images[s].l2[c])})
IsFree(h) == count[h] = 0
FreeHosts == {h \in Hosts : IsFree(h)}

(* For graphs of states: only one of the free host clusters is ever taken.  *)
OneFreeHost == IF \E h \in Hosts : IsFree(h) THEN {CHOOSE h \in Hosts : IsFree(h)} ELSE {}

(* Bytes of a host cluster that nobody refers to count as stale at once;    *)
(* that is the worst that its next user can find in it.                     *)
Settle(newCount, newBytes, newPacked) ==
    /\ count' = newCount
    /\ bytes' = [h \in Hosts |-> IF newCount[h] <= 0 THEN [b \in Blocks |-> Stale] ELSE newBytes[h]]
    /\ packed' = [h \in Hosts |-> IF newCount[h] <= 0 THEN [k \in Packs |-> Stale] ELSE newPacked[h]]

(* How much the count of a host cluster falls when an entry lets go of it.  *)
Lowered(e, h) ==
    IF h \notin HostsOf(e) THEN 0
    ELSE CASE Fault = "release-twice" -> 2
           [] Fault = "compressed-release-frees-host" /\ IsCompressed(e) -> count[h]
           [] Fault = "compressed-not-released" /\ IsCompressed(e) -> 0
           [] Fault = "shared-not-released" /\ count[h] > 1 -> 0
           [] OTHER -> 1

Raised(e, h) ==
    IF h \notin HostsOf(e) THEN 0
    ELSE CASE Fault = "fresh-not-counted" /\ ~IsCompressed(e) -> 0
           [] Fault = "compressed-not-counted" /\ IsCompressed(e) /\ count[h] > 0 -> 0
           [] Fault = "tail-not-counted" /\ h = e.tail -> 0
           [] OTHER -> 1

CopiedBy(newCount, e) ==
    [e EXCEPT !.copied = ~IsCompressed(e) /\ e.host /= NoHost /\ newCount[e.host] = 1]

(* LINK and RELEASE: guest cluster c gets a new entry and lets go of the    *)
(* old one's host clusters, unless it keeps them.                           *)
Replace(c, e, newBytes, newPacked) ==
    LET old == l2[c]
        keeps == HostsOf(old) = HostsOf(e) /\ IsCompressed(old) = IsCompressed(e)
        newCount == IF keeps THEN count
                    ELSE [h \in Hosts |-> count[h] + Raised(e, h) - Lowered(old, h)]
    IN  /\ l2' = [l2 EXCEPT ![c] = e]
        /\ Settle(newCount, newBytes, newPacked)
        /\ UNCHANGED images

(* COPY: what the host cluster of a written entry holds afterwards.         *)

Surrounding(s, first, last) == BlocksOf(s) \ (first .. last)

MaySkip(e, c, s, first, last) ==
    /\ Mode = "skip"
    /\ CASE Fault = "skip-looks-at-head-only" ->
               \A b \in Surrounding(s, first, last) : b < first => ZeroByStatus(e, c, b)
         [] OTHER -> \A b \in Surrounding(s, first, last) : ZeroByStatus(e, c, b)

CopiedValue(e, c, b) ==
    CASE Fault = "zero-copied-from-backing" /\ ~IsCompressed(e) /\ e.state[SubclusterOf(b)] = "zero" ->
            BackingValue(c, b)
      [] Fault = "shared-copy-loses-rest" /\ e.host /= NoHost /\ ~e.copied -> Zero
      [] Fault = "compressed-copy-loses-rest" /\ IsCompressed(e) -> Zero
      [] Fault = "backing-not-copied-up" /\ ~IsCompressed(e) /\ e.state[SubclusterOf(b)] = "none" -> Zero
      [] OTHER -> ReadEntry(e, c, b)

FreshContent(e, c, first, last, v, before) ==
    [b \in Blocks |->
        LET s == SubclusterOf(b)
            touched == BlocksOf(s) \cap (first .. last) /= {}
        IN  CASE b \in first .. last -> v
              [] b \notin first .. last /\ touched ->
                    IF MaySkip(e, c, s, first, last)
                    THEN IF Fault = "fresh-not-zeroed"
                            \/ (Fault = "zero-allocated-not-zeroed" /\ e.host /= NoHost /\ e.copied)
                         THEN before[b] ELSE Zero
                    ELSE CopiedValue(e, c, b)
              [] b \notin first .. last /\ ~touched ->
                    IF Mode = "copy" \/ e.state[s] = "data" THEN CopiedValue(e, c, b) ELSE before[b]]

(* Which subclusters have data after the write.                             *)
StateAfterWrite(e, first, last, whole) ==
    [s \in Subclusters |->
        IF \/ whole
           \/ BlocksOf(s) \cap (first .. last) /= {}
           \/ Fault = "subcluster-marks-whole-cluster"
        THEN "data" ELSE e.state[s]]

(* A write of blocks first to last of cluster c.                            *)

Touched(first, last) == {SubclusterOf(b) : b \in first .. last}

OwnsHost(e) ==
    /\ ~IsCompressed(e)
    /\ e.host /= NoHost
    /\ e.copied \/ Fault = "shared-written-in-place"

WriteInPlace(c, first, last, v) ==
    LET e == l2[c] IN
    /\ OwnsHost(e)
    /\ \A s \in Touched(first, last) : e.state[s] = "data"
    /\ bytes' = [bytes EXCEPT ![e.host] = [b \in Blocks |-> IF b \in first .. last THEN v ELSE @[b]]]
    /\ UNCHANGED <<l2, images, count, packed>>

(* The host cluster is there and nobody else's, but holds no data for all   *)
(* that is written: zero-allocated, or a subcluster not yet allocated.      *)
WriteIntoOwned(c, first, last, v) ==
    LET e == l2[c]
        filled == FreshContent(e, c, first, last, v, bytes[e.host])
        whole == Fault = "subcluster-marks-whole-cluster"
        kept == [b \in Blocks |->
                    IF SubclusterOf(b) \in Touched(first, last) /\ e.state[SubclusterOf(b)] /= "data"
                    THEN filled[b]
                    ELSE IF b \in first .. last THEN v ELSE bytes[e.host][b]]
    IN  /\ OwnsHost(e)
        /\ TRUE \in Reuse \/ Extended
        /\ \E s \in Touched(first, last) : e.state[s] /= "data"
        /\ Replace(c, Entry(e.host, TRUE, StateAfterWrite(e, first, last, whole)),
                   [bytes EXCEPT ![e.host] = kept], packed)

WriteFreshInto(h, c, first, last, v) ==
    LET e == l2[c]
        whole == Mode = "copy" \/ IsCompressed(e)
    IN  /\ \/ ~OwnsHost(e)
           \/ FALSE \in Reuse /\ ~Extended /\ \E s \in Touched(first, last) : e.state[s] /= "data"
        /\ Replace(c, Entry(h, TRUE, StateAfterWrite(e, first, last, whole)),
                   [bytes EXCEPT ![h] = FreshContent(e, c, first, last, v, @)], packed)

WriteFresh(c, first, last, v) == \E h \in FreeHosts : WriteFreshInto(h, c, first, last, v)

ImageWrite(c, first, last, v) ==
    \/ WriteInPlace(c, first, last, v)
    \/ WriteIntoOwned(c, first, last, v)
    \/ WriteFresh(c, first, last, v)

(* The actions: a step of the image beside the step of the promise.         *)

MWrite(c, first, last, v) ==
    /\ Write(c, first, last, v)
    /\ ImageWrite(c, first, last, v)

(* Nobody reads the bytes under a zero-allocated entry: they are stale.     *)
Forgotten(e) == [b \in Blocks |-> Stale]

ZeroCluster(c, keep) ==
    LET e == l2[c] IN
    IF Version = 2 /\ Fault /= "zero-flag-in-version-2"
    THEN IF HasBacking
         THEN \/ ImageWrite(c, 1, BlockCount, Zero)
              \* Where it reads as zero already there is nothing to hide.
              \/ (\A b \in Blocks : ZeroByStatus(e, c, b)) /\ UNCHANGED imageVars
         ELSE Replace(c, Unallocated, bytes, packed)
    ELSE IF /\ keep
            /\ ~IsCompressed(e) /\ e.host /= NoHost
            /\ e.copied \/ Fault = "shared-kept-as-own-zero"
         THEN Replace(c, Entry(e.host, TRUE, AllState("zero")),
                      IF count[e.host] = 1 THEN [bytes EXCEPT ![e.host] = Forgotten(e)] ELSE bytes, packed)
         ELSE Replace(c, ZeroPlain, bytes, packed)

MZero(c, keep) ==
    /\ WriteZeroes(c, 1, BlockCount)
    /\ ZeroCluster(c, keep)

(* Zeroing one subcluster changes its state only; a compressed cluster has  *)
(* no subclusters, so there the zeros are written.                          *)
MZeroSubcluster(c, s) ==
    LET e == l2[c]
        first == CHOOSE b \in BlocksOf(s) : \A other \in BlocksOf(s) : b <= other
        last == CHOOSE b \in BlocksOf(s) : \A other \in BlocksOf(s) : b >= other
    IN  /\ Extended
        /\ WriteZeroes(c, first, last)
        /\ IF IsCompressed(e)
           THEN ImageWrite(c, first, last, Zero)
           ELSE Replace(c, [e EXCEPT !.state =
                               IF Fault = "subcluster-zero-takes-all" THEN AllState("zero") ELSE [@ EXCEPT ![s] = "zero"]],
                        IF e.host /= NoHost /\ e.copied
                        THEN [bytes EXCEPT ![e.host] = [b \in Blocks |-> IF SubclusterOf(b) = s THEN Stale ELSE @[b]]]
                        ELSE bytes,
                        packed)

DiscardedEntry(c) ==
    IF Version = 3 /\ (HasBacking \/ l2[c].host /= NoHost \/ l2[c] = ZeroPlain) /\ Fault /= "discard-shows-backing"
    THEN ZeroPlain
    ELSE Unallocated

MDiscard(c) ==
    LET next == (c % ClusterCount) + 1 IN
    /\ Discard(c)
    /\ IF Version = 2 /\ HasBacking /\ Fault /= "discard-shows-backing"
       THEN UNCHANGED imageVars /\ disk' = disk
       ELSE /\ disk'[c] = Zeros
            /\ IF Fault = "discard-takes-neighbour" /\ next <= size
               THEN /\ l2' = [l2 EXCEPT ![c] = DiscardedEntry(c), ![next] = DiscardedEntry(next)]
                    /\ Settle([h \in Hosts |-> count[h] - Lowered(l2[c], h) - Lowered(l2[next], h)], bytes, packed)
                    /\ UNCHANGED images
               ELSE Replace(c, DiscardedEntry(c), bytes, packed)

(* A compressed cluster goes to a free host cluster or beside the streams   *)
(* of others, and may run over into a second host cluster.                  *)
HoldsPacks(h) ==
    \/ \E c \in Clusters : h \in HostsOf(l2[c]) /\ IsCompressed(l2[c])
    \/ \E s \in Saves, c \in Clusters : h \in HostsOf(images[s].l2[c]) /\ IsCompressed(images[s].l2[c])
PackTaken(h, k) ==
    \/ \E c \in Clusters : h \in HostsOf(l2[c]) /\ l2[c].pack = k
    \/ \E s \in Saves, c \in Clusters : h \in HostsOf(images[s].l2[c]) /\ images[s].l2[c].pack = k
Packable(h, k) == (IsFree(h) \/ (HoldsPacks(h) /\ count[h] < MaxCount)) /\ ~PackTaken(h, k)

PackInto(h, tail, k, c, v) ==
    /\ Packable(h, k)
    /\ tail /= NoHost => tail /= h /\ Packable(tail, k)
    /\ Replace(c, Compressed(h, tail, k), bytes,
               [x \in Hosts |-> IF x \in {h, tail} THEN [packed[x] EXCEPT ![k] = v] ELSE packed[x]])

MWriteCompressed(c, v) ==
    /\ Write(c, 1, BlockCount, v)
    /\ \E h \in Hosts, k \in Packs, tail \in (IF Straddle THEN Hosts \cup {NoHost} ELSE {NoHost}) :
          PackInto(h, tail, k, c, v)

(* Snapshots.  The flag COPIED means something in the active tables only;   *)
(* in a snapshot it is not kept.                                            *)

Shared(entries) == [c \in Clusters |-> [entries[c] EXCEPT !.copied = FALSE]]

Counted(entries, h) ==
    Cardinality({c \in Clusters : h \in HostsOf(entries[c])
                                  /\ ~(Fault = "snapshot-skips-compressed" /\ IsCompressed(entries[c]))})

ImageSave(s) ==
    LET newCount == [h \in Hosts |-> count[h] + Counted(l2, h)] IN
    /\ \A h \in Hosts : newCount[h] <= MaxCount \/ Fault = "count-overflows"
    /\ images' = [images EXCEPT ![s] = [taken |-> TRUE, size |-> size, l2 |-> Shared(l2)]]
    /\ l2' = IF Fault = "copied-kept-by-snapshot" THEN l2 ELSE Shared(l2)
    /\ Settle(IF Fault = "snapshot-not-counted" THEN count
              ELSE [h \in Hosts |-> IF newCount[h] > MaxCount THEN 0 ELSE newCount[h]], bytes, packed)

MSave(s) == Save(s) /\ ImageSave(s)

ImageRestore(s) ==
    LET entries == images[s].l2
        raised == [h \in Hosts |-> count[h] + Counted(entries, h)]
        newCount == [h \in Hosts |->
                        (IF Fault = "restore-not-counted" THEN count[h] ELSE raised[h])
                        - (IF Fault = "restore-does-not-release" THEN 0 ELSE Counted(l2, h))]
    IN  /\ \A h \in Hosts : raised[h] <= MaxCount
        /\ l2' = [c \in Clusters |->
                     IF Fault = "restore-sets-copied" /\ entries[c].host /= NoHost
                     THEN [entries[c] EXCEPT !.copied = ~IsCompressed(entries[c])]
                     ELSE CopiedBy(newCount, entries[c])]
        /\ Settle(newCount, bytes, packed)
        /\ UNCHANGED images

MRestore(s) == Restore(s) /\ ImageRestore(s)

ImageForget(s) ==
    LET entries == images[s].l2
        newCount == [h \in Hosts |->
                        IF Fault = "forget-frees-shared" /\ h \in UNION {HostsOf(entries[c]) : c \in Clusters}
                        THEN 0 ELSE count[h] - Counted(entries, h)]
    IN  /\ images' = [images EXCEPT ![s] = NoImage]
        /\ l2' = IF Fault = "copied-not-set-again" THEN l2 ELSE [c \in Clusters |-> CopiedBy(newCount, l2[c])]
        /\ Settle(newCount, bytes, packed)

MForget(s) == Forget(s) /\ ImageForget(s)

(* A disk that grows over a backing file hides it with zero clusters.       *)
MResize(n) ==
    LET lost == {c \in Clusters : c > n}
        won == {c \in Clusters : c > size /\ c <= n}
        hides(c) == \E b \in Blocks : BackingValue(c, b) /= Zero
        lowered(h) == IF Fault = "shrink-does-not-release" THEN 0
                      ELSE Cardinality({c \in lost : h \in HostsOf(l2[c])})
    IN  /\ Resize(n)
        /\ l2' = [c \in Clusters |->
                     CASE c \in lost -> IF Fault = "shrink-keeps-entries" THEN l2[c] ELSE Unallocated
                       [] c \in won -> IF hides(c) /\ Fault /= "grow-shows-backing" THEN ZeroPlain ELSE l2[c]
                       [] OTHER -> l2[c]]
        /\ Settle([h \in Hosts |-> count[h] - (IF Fault = "shrink-keeps-entries" THEN 0 ELSE lowered(h))], bytes, packed)
        /\ UNCHANGED images

MInit ==
    /\ size = CHOOSE n \in Sizes : \A other \in Sizes : other <= n
    /\ saved = [s \in Saves |-> NothingSaved]
    /\ disk = [c \in Clusters |-> [b \in Blocks |-> IF c > size THEN Zero ELSE BackingValue(c, b)]]
    /\ l2 = [c \in Clusters |-> Unallocated]
    /\ images = [s \in Saves |-> NoImage]
    /\ count = [h \in Hosts |-> 0]
    /\ bytes = [h \in Hosts |-> [b \in Blocks |-> Stale]]
    /\ packed = [h \in Hosts |-> [k \in Packs |-> Stale]]

MNext ==
    \/ \E c \in Clusters, first \in Blocks, last \in Blocks, v \in Values \cup {Zero} :
          first <= last /\ MWrite(c, first, last, v)
    \/ \E c \in Clusters, keep \in BOOLEAN : MZero(c, keep)
    \/ \E c \in Clusters, s \in Subclusters : MZeroSubcluster(c, s)
    \/ \E c \in Clusters : MDiscard(c)
    \/ \E c \in Clusters, v \in Values : MWriteCompressed(c, v)
    \/ \E s \in Saves : MSave(s) \/ MRestore(s) \/ MForget(s)
    \/ \E n \in Sizes : MResize(n)

MSpec == MInit /\ [][MNext]_vars

(* Host clusters are all alike: which one is taken makes no difference.     *)
Symmetry == Permutations(Hosts)

-----------------------------------------------------------------------------
(* The properties.                                                          *)

GuestView == View = disk

SavedViews == SavedView = saved

CountsExact == \A h \in Hosts : count[h] = AllReferences(h)

CopiedExact ==
    \A c \in Clusters :
        l2[c].copied <=> /\ ~IsCompressed(l2[c])
                         /\ l2[c].host /= NoHost
                         /\ AllReferences(l2[c].host) = 1

(* Within one table no two entries share a host cluster, unless both are    *)
(* compressed; and compressed and plain data never share one at all.        *)
AllEntries == {<<c, l2[c]>> : c \in Clusters} \cup {<<c, images[s].l2[c]>> : s \in Saves, c \in Clusters}
NoClusterTwice ==
    \A one, other \in AllEntries :
        HostsOf(one[2]) \cap HostsOf(other[2]) /= {} =>
            \/ IsCompressed(one[2]) /\ IsCompressed(other[2])
            \/ one[1] = other[1] /\ ~IsCompressed(one[2]) /\ ~IsCompressed(other[2])

(* An entry has a form that the format knows.                               *)
WellFormed(e) ==
    /\ IsCompressed(e) => ~e.copied /\ e.host /= NoHost
    /\ e.copied => e.host /= NoHost
    /\ e.tail /= NoHost => IsCompressed(e)
    /\ (\E s \in Subclusters : e.state[s] = "data") => e.host /= NoHost
    /\ ~Extended /\ e.state[1] = "none" => e.host = NoHost
    /\ Version = 2 => \A s \in Subclusters : e.state[s] /= "zero"
EntriesWellFormed == \A pair \in AllEntries : WellFormed(pair[2])

(* The whole image, seen through its entries, behaves as the promise.       *)
Shown == INSTANCE Disk WITH disk <- View, saved <- SavedView
KeepsThePromise == Shown!Spec
=============================================================================
