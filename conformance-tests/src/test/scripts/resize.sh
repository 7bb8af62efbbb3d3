# Sizes: up, down, with preallocation, below a backing file that is longer.
quiet_img create -q -f qcow2 disk.qcow2 1M
quiet_io -f qcow2 -c "write -P 1 0 1M" disk.qcow2
img resize -q disk.qcow2 2M
io -f qcow2 -c "length" -c "read -P 1 0 1M" -c "read -P 0 1M 1M" -c "write -P 2 1900k 1k" disk.qcow2
img resize -q disk.qcow2 512k
img resize -q --shrink disk.qcow2 512k
io -f qcow2 -c "length" -c "read 512k 1" -c "truncate 1M" -c "read -P 0 512k 512k" -c "map" disk.qcow2
io -f qcow2 -c "truncate 1000" -c "truncate -m full 256k" -c "truncate -m metadata 2M" -c "length" -c "map" disk.qcow2
img check disk.qcow2
quiet_img create -q -f qcow2 base.qcow2 2M
quiet_io -f qcow2 -c "write -P 7 0 2M" base.qcow2
quiet_img create -q -f qcow2 -F qcow2 -b base.qcow2 disk.qcow2 1M
io -f qcow2 -c "truncate 2M" -c "read -P 7 0 1M" -c "read -P 0 1M 1M" disk.qcow2
img check disk.qcow2
