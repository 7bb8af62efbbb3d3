# Persistent bitmaps: added, followed by writes, cleared, merged, removed.
quiet_img create -q -f qcow2 disk.qcow2 1M
img bitmap --add disk.qcow2 day
img bitmap --add --disable -g 32k disk.qcow2 week
io -f qcow2 -r -c "info" disk.qcow2
io -f qcow2 -c "write -P 1 100k 1k" -c "discard 512k 64k" disk.qcow2
img bitmap --merge day disk.qcow2 week
img bitmap --clear disk.qcow2 day
img bitmap --enable disk.qcow2 week
io -f qcow2 -r -c "info" disk.qcow2
img bitmap --remove disk.qcow2 day
img bitmap --remove disk.qcow2 day
img check disk.qcow2
