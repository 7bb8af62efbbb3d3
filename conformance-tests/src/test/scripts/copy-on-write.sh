# Copy-on-write at borders that are not aligned: the rest of a cluster comes from below, wherever that is.
for cluster in 512 4k 64k 2M; do
  rm -f base.qcow2 disk.qcow2
  quiet_img create -q -f qcow2 base.qcow2 4M
  quiet_io -f qcow2 -c "write -P 0x51 0 1M" -c "write -P 0x52 3M 100k" base.qcow2
  quiet_img create -q -f qcow2 -o cluster_size=$cluster -F qcow2 -b base.qcow2 disk.qcow2
  for border in 512 65536 1048576 3145728 3248128; do
    io -f qcow2 -c "write -P 0x61 $((border - 1)) 2" -c "read -v $((border - 4)) 8" disk.qcow2
  done
  io -f qcow2 -c "write -P 0x62 1000000 100000" -c "read -P 0x51 900000 100000" -c "read -P 0x62 1000000 100000" disk.qcow2
  io -f qcow2 -c "read -P 0 1100000 1000" -c "writev -P 0x63 2000001 1 2 3 4096" -c "read -v 1999999 4" disk.qcow2
  img check disk.qcow2
  img compare -f qcow2 -F qcow2 disk.qcow2 disk.qcow2
done
