# A chain of three images of different lengths and cluster sizes; commit and rebase keep what the guest sees.
quiet_img create -q -f qcow2 -o cluster_size=4k low.qcow2 512k
quiet_img create -q -f qcow2 -F qcow2 -b low.qcow2 middle.qcow2 1M
quiet_img create -q -f qcow2 -o cluster_size=16k -F qcow2 -b middle.qcow2 top.qcow2 2M
quiet_io -f qcow2 -c "write -P 1 0 512k" low.qcow2
quiet_io -f qcow2 -c "write -P 2 100k 500k" middle.qcow2
io -f qcow2 -c "write -P 3 590k 20k" -c "read -P 1 0 100k" -c "read -P 2 100k 490k" -c "read -P 3 590k 20k" top.qcow2
io -f qcow2 -c "read -P 0 610k 1438k" -c "map" -c "alloc 0 2M" top.qcow2
img map --output=json top.qcow2
img check top.qcow2
img commit -q top.qcow2
io -f qcow2 -c "read -P 3 590k 20k" -c "length" middle.qcow2
img check middle.qcow2
quiet_img rebase -f qcow2 -F qcow2 -b low.qcow2 top.qcow2
io -f qcow2 -c "read -P 1 0 100k" -c "read -P 2 100k 490k" -c "read -P 3 590k 20k" -c "read -P 0 610k 1438k" top.qcow2
img check top.qcow2
rm low.qcow2
io -f qcow2 -c "read 0 1" top.qcow2
