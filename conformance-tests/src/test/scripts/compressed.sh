# Compressed clusters: written, read, overwritten in part, next to others, with both methods.
for method in zlib zstd; do
  quiet_img create -q -f qcow2 -o compression_type=$method disk.qcow2 1M
  io -f qcow2 -c "write -c -P 1 0 64k" -c "write -c -P 2 64k 256k" -c "write -c 10k 64k" -c "write -c 0 512" disk.qcow2
  io -f qcow2 -c "write -c -P 9 0 64k" -c "read -P 1 0 64k" -c "read -P 2 64k 256k" disk.qcow2
  io -f qcow2 -c "write -P 3 100k 1k" -c "read -P 2 64k 36k" -c "read -P 3 100k 1k" -c "read -P 2 101k 219k" disk.qcow2
  io -f qcow2 -c "discard 192k 64k" -c "write -z 256k 64k" -c "read -P 0 192k 128k" -c "map" disk.qcow2
  img check disk.qcow2
  quiet_img convert -f qcow2 -O qcow2 -c -o compression_type=$method disk.qcow2 copy.qcow2
  img compare disk.qcow2 copy.qcow2
  img check copy.qcow2
done
