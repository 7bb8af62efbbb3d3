#!/usr/bin/env bash
# Shows that QEMU with lazy_refcounts=on can show stale bytes after a power cut, in a range that the guest had flushed as
# zeros. The write order is QEMU's own (strace); the cut keeps one write and loses two that no flush separates from it.
# Needs qemu-utils, strace and python3. Usage: qemu-lazy-refcounts.sh [on|off]
set -euo pipefail
lazy=${1:-on}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
qemu-img create -q -f qcow2 -o lazy_refcounts=$lazy,cluster_size=64k disk 64M
qemu-io -f qcow2 -c 'write -z 0 1M' -c 'write -P 0xaa 64k 64k' disk >/dev/null
# The host cluster with 0xaa becomes free: a snapshot keeps it, the disk moves on, the snapshot goes. As in a virtual machine
# with discard=ignore, the default, freed clusters keep their bytes.
qemu-img snapshot -c s disk
qemu-io -f qcow2 -c 'write -P 0xbb 64k 64k' disk >/dev/null
qemu-img snapshot -d s --image-opts driver=qcow2,file.filename=disk,pass-discard-snapshot=off
cp disk before
echo "host calls of the last 4 KiB write into a zero cluster, and of the flush after it (lazy_refcounts=$lazy):"
strace -f -e trace=pwrite64,pwritev,fallocate,fdatasync -o trace qemu-io -f qcow2 \
  -c 'write -P 0xcc 256k 4k' -c flush -c 'write -P 0xdd 512k 4k' -c flush disk >/dev/null
sed 's/^[0-9]* *//; s/"[^"]*"\.*/.../; /^+++/d' trace | awk '/fallocate/ { n++ } n == 2' | tee calls
if awk '/fdatasync/ { flushed = 1 } /524288/ { exit !flushed }' calls; then
  echo "safe: a flush lies between the zeroing of the host cluster and the L2 entry that shows it"
  exit 0
fi
echo "unsafe: no flush lies between the zeroing of the host cluster and the L2 entry that shows it"
# A power cut during that flush may keep any of the writes since the flush before it: here the L2 table alone. The zeroing of the
# host cluster and the payload are lost, and so are the counts, which QEMU writes when it closes the image.
python3 - <<'PYTHON'
import struct
before, after = open('before', 'rb').read(), open('disk', 'rb').read()
cut = bytearray(after)
l1 = struct.unpack_from('>Q', after, 40)[0]
l2 = struct.unpack_from('>Q', after, l1)[0] & 0x00fffffffffffe00
host = struct.unpack_from('>Q', after, l2 + 8 * 8)[0] & 0x00fffffffffffe00
cut[host:host + 65536] = before[host:host + 65536].ljust(65536, b'\0')
cut[131072:196608] = before[131072:196608]
cut[72:80] = struct.pack('>Q', 1)
open('cut', 'wb').write(cut)
PYTHON
qemu-img check -q -r all cut >/dev/null 2>&1 || true
qemu-img check -q cut && echo "the repaired image is clean; behind the 4 KiB, where the guest flushed zeros, it reads:"
qemu-io -r -f qcow2 -c 'read -v 528384 16' cut | head -1
