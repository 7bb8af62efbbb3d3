# What every script starts with: the tools under test, called so that the exit code is part of the output.
# The runner sets QEMU_IMG and QEMU_IO and starts each script in a folder of its own.

# Shows a command, runs it, shows its exit code.
show() {
  echo "+ $*"
  local code=0
  "$@" </dev/null || code=$?
  [[ $code -eq 0 ]] || echo "exit code $code"
}

# A tool's name may be two words.
img() { show_tool img "$QEMU_IMG" "$@"; }
io() { show_tool io "$QEMU_IO" "$@"; }

show_tool() {
  local title="$1" tool="$2"
  shift 2
  echo "+ $title $*"
  local code=0
  # The messages come behind the results, for the streams of different programs mix differently.
  $tool "$@" </dev/null 2>messages.txt || code=$?
  cat messages.txt
  [[ $code -eq 0 ]] || echo "exit code $code"
}

# Runs a tool quietly; a failure ends the script.
quiet_img() { $QEMU_IMG "$@" >/dev/null || { echo "img $* failed"; exit 9; }; }
quiet_io() { $QEMU_IO "$@" >/dev/null || { echo "io $* failed"; exit 9; }; }

# All that can be said of an image after changes: what is where, and whether all counts are right.
examine() {
  img map --output=json "$1"
  img check "$1"
}

# Writes bytes, given in the manner of printf, into a file at an offset.
poke() {
  # shellcheck disable=SC2059
  printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
