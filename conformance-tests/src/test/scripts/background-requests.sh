# Requests in the background, apart and over each other: the last state is that of some order.
quiet_img create -q -f qcow2 disk.qcow2 4M
io -f qcow2 -c "aio_write -P 1 0 64k" -c "aio_flush" -c "aio_read -P 1 0 64k" -c "aio_flush" disk.qcow2
commands=()
for i in 1 2 3 4 5 6 7 8; do
  commands+=(-c "aio_write -q -P $i $((i * 200000)) 200000")
done
io -f qcow2 "${commands[@]}" -c "aio_flush" disk.qcow2
for i in 1 2 3 4 5 6 7 8; do
  io -f qcow2 -c "read -P $i $((i * 200000)) 200000" disk.qcow2
done
commands=()
for i in 1 2 3 4 5 6; do
  commands+=(-c "aio_write -q -P 9 $((i * 30000)) 40000" -c "aio_write -q -z $((2000000 + i * 1000)) 3000")
done
io -f qcow2 "${commands[@]}" -c "aio_flush" -c "read -P 9 30000 190000" -c "read -P 0 2001000 8000" disk.qcow2
img check disk.qcow2
