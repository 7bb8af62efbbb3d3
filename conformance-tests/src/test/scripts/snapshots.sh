# Internal snapshots: what a snapshot keeps stays, whatever is written, zeroed, discarded or compressed afterwards.
quiet_img create -q -f qcow2 disk.qcow2 1M
quiet_io -f qcow2 -c "write -P 1 0 512k" disk.qcow2
img snapshot -c first disk.qcow2
io -f qcow2 -c "write -P 2 64k 64k" -c "write -P 2 200k 1k" -c "write -z 256k 64k" -c "discard 320k 64k" disk.qcow2
examine disk.qcow2
img snapshot -c second disk.qcow2
io -f qcow2 -c "write -P 3 0 1M" -c "read -P 3 0 1M" disk.qcow2
img check disk.qcow2
img snapshot -a first disk.qcow2
io -f qcow2 -c "read -P 1 0 512k" -c "read -P 0 512k 512k" disk.qcow2
img snapshot -a second disk.qcow2
io -f qcow2 -c "read -P 1 0 64k" -c "read -P 2 64k 64k" -c "read -P 2 200k 1k" -c "read -P 0 256k 128k" disk.qcow2
img snapshot -d first disk.qcow2
img check disk.qcow2
img snapshot -d second disk.qcow2
img snapshot -d second disk.qcow2
img snapshot -a nobody disk.qcow2
examine disk.qcow2
