# Zero clusters: over nothing, over data, over a backing file; in part; with and without a host cluster.
for compat in 0.10 1.1; do
  quiet_img create -q -f qcow2 -o compat=$compat disk.qcow2 1M
  quiet_io -f qcow2 -c "write -P 0x11 0 256k" disk.qcow2
  io -f qcow2 -c "write -z 64k 64k" -c "read -P 0x11 0 64k" -c "read -P 0 64k 64k" -c "read -P 0x11 128k 128k" disk.qcow2
  io -f qcow2 -c "write -z -u 128k 64k" -c "read -P 0 128k 64k" -c "map" disk.qcow2
  io -f qcow2 -c "write -z 300k 1k" -c "write -z 512k 64k" -c "read -P 0 256k 768k" disk.qcow2
  io -f qcow2 -c "write -P 0x22 70k 1k" -c "read -P 0 64k 6k" -c "read -P 0x22 70k 1k" -c "read -P 0 71k 57k" disk.qcow2
  examine disk.qcow2
done
quiet_img create -q -f qcow2 base.qcow2 1M
quiet_io -f qcow2 -c "write -P 0x33 0 1M" base.qcow2
quiet_img create -q -f qcow2 -F qcow2 -b base.qcow2 disk.qcow2
io -f qcow2 -c "write -z 0 64k" -c "write -z 100k 40k" -c "write -z 512k 512" disk.qcow2
io -f qcow2 -c "read -P 0 0 64k" -c "read -P 0x33 64k 36k" -c "read -P 0 100k 40k" -c "read -P 0x33 140k 372k" disk.qcow2
io -f qcow2 -c "read -P 0 512k 512" -c "read -P 0x33 524800 64k" -c "write -P 0x44 1k 1k" -c "read -P 0 0 1k" disk.qcow2
examine disk.qcow2
