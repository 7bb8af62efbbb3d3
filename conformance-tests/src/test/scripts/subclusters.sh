# Extended L2 entries: states of single subclusters.
quiet_img create -q -f qcow2 base.qcow2 1M
quiet_io -f qcow2 -c "write -P 7 0 1M" base.qcow2
quiet_img create -q -f qcow2 -o extended_l2=on,cluster_size=128k -F qcow2 -b base.qcow2 disk.qcow2
io -f qcow2 -c "write -P 1 0 4k" -c "write -P 2 10k 1k" -c "write -z 16k 8k" -c "write -z 30k 1k" -c "map" disk.qcow2
io -f qcow2 -c "read -P 1 0 4k" -c "read -P 7 4k 6k" -c "read -P 2 10k 1k" -c "read -P 7 11k 5k" -c "read -P 0 16k 8k" disk.qcow2
io -f qcow2 -c "write -z -u 128k 128k" -c "write -P 3 140k 4k" -c "discard 0 128k" -c "discard 140k 4k" disk.qcow2
io -f qcow2 -c "read -P 0 0 140k" -c "read -P 3 140k 4k" -c "read -P 0 144k 112k" -c "write -c -P 4 256k 128k" disk.qcow2
examine disk.qcow2
