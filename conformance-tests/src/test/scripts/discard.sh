# Discards of whole clusters and of parts, with and without a backing file, allowed and ignored.
quiet_img create -q -f qcow2 base.qcow2 1M
quiet_io -f qcow2 -c "write -P 7 0 1M" base.qcow2
for backing in none base; do
  rm -f disk.qcow2
  if [[ $backing == none ]]; then
    quiet_img create -q -f qcow2 disk.qcow2 1M
  else
    quiet_img create -q -f qcow2 -F qcow2 -b base.qcow2 disk.qcow2
  fi
  quiet_io -f qcow2 -c "write -P 1 0 512k" disk.qcow2
  io -f qcow2 -c "discard 0 64k" -c "discard 100k 128k" -c "discard 512k 64k" -c "discard 1M 0" -c "discard 1M 1" disk.qcow2
  io -f qcow2 -c "read -P 0 0 64k" -c "read -P 1 64k 64k" -c "read -P 0 128k 64k" -c "read -P 1 192k 320k" disk.qcow2
  io -f qcow2 -d ignore -c "discard 256k 64k" -c "read -P 1 256k 64k" -c "write -z -u 256k 64k" disk.qcow2
  examine disk.qcow2
done
