# A process that is killed leaves at most leaks; with lazy reference counts the image is dirty, and the next writer repairs it.
for lazy in off on; do
  quiet_img create -q -f qcow2 -o lazy_refcounts=$lazy disk.qcow2 1M
  code=0
  bash -c '$QEMU_IO -f qcow2 -c "write -P 1 0 128k" -c "flush" -c "sigraise 9" disk.qcow2' </dev/null 2>/dev/null || code=$?
  echo "exit code $code"
  code=0
  $QEMU_IO -f qcow2 -c "write -P 2 128k 64k" -c "read -P 1 0 128k" disk.qcow2 </dev/null 2>/dev/null || code=$?
  echo "exit code $code"
  img check disk.qcow2
done
