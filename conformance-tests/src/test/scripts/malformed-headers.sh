# Headers that can't be right are refused by both tools, and nothing is written to the file.
quiet_img create -q -f qcow2 good.qcow2 1M
# Offset and bytes: magic, version, cluster bits, size, L1 table, refcount table, unknown feature, refcount order, header length.
while read -r offset bytes; do
  cp good.qcow2 disk.qcow2
  poke disk.qcow2 "$offset" "$bytes"
  sum="$(sha256sum <disk.qcow2)"
  for command in "read 0 512" "write 0 512"; do
    code=0
    $QEMU_IO -f qcow2 -c "$command" disk.qcow2 >/dev/null 2>&1 </dev/null || code=$?
    echo "poked at $offset: $command: exit code $code"
  done
  [[ "$(sha256sum <disk.qcow2)" == "$sum" ]] && echo "the file is as it was"
done <<'LIST'
0 X
4 \0\0\0\11
20 \0\0\0\10
20 \0\0\0\100
24 \377\377\377\377\377\377\377\377
36 \377\377\377\377
40 \0\0\0\0\0\1\0\1
48 \0\0\0\0\0\1\0\1
72 \200\0\0\0\0\0\0\0
96 \0\0\0\7
100 \0\0\0\10
LIST
