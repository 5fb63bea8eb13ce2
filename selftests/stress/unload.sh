#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Unloading the module is refused while a client is open or a table exists, and works
# otherwise. Prints TAP; run it last, since it reloads the module.

dir=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kit/module.sh
. "$dir/module.sh"

if [ ! -d "$params" ]; then
	echo "1..0 # SKIP the module is not loaded"
	exit 4
fi
as_it_was="lend=$(cat "$params/lend") writers=$(cat "$params/writers")"

# expect STATUS WHAT COMMAND...: the command ends with 0 (yes) or not (no).
expect() {
	want=$1 what=$2
	shift 2
	if said=$("$@" 2>&1); then got=yes; else got=no; fi
	[ "$got" = "$want" ] || echo "# $* said: $said"
	[ "$got" = "$want" ]
	result $? "$what"
}

# As it was loaded.
reload() {
	# shellcheck disable=SC2086
	load $as_it_was
}

# Processes that come and go while others try to unload.
visitors() {
	i=0
	while [ $i -lt 40 ]; do
		"$dir/parked" leave "visitor$1" 10 2>/dev/null
		"$dir/parked" linger "visitor$1" 3 2>/dev/null
		i=$((i + 1))
	done
}

echo TAP version 13
expect yes "unloaded while nothing is there" unload_soon
[ ! -e /dev/kreg ]
result $? "the device goes with the module"
expect yes "loaded again" reload
[ -c /dev/kreg ]
result $? "the device comes with the module"
expect yes "all counters begin at zero" counters_are_zero

# By these depmod(8) and systemd make a node before the module is there, and find the module for it.
file=${KREG_MODULE:-/vm/module.ko}
if [ -e "$file" ]; then
	tr '\0' '\n' <"$file" | grep -qx 'alias=devname:kreg'
	result $? "the module tells the name of its node"
	tr '\0' '\n' <"$file" | grep -qx 'alias=char-major-10-250'
	result $? "and its number, which is fixed"
fi

# In its place what loads the module when the node is opened; the node may be older.
minor=$(cat "$params/minor")
node=$(mktemp -u) modprobe=$(cat /proc/sys/kernel/modprobe) loader=$(mktemp)
mknod "$node" c 10 "$minor"
expect yes "unloaded before its node is opened" unload_soon
expect no "a node without the module" sh -c "exec 3<>$node"
{
	echo '#!/vm/busybox sh'
	echo "exec /vm/busybox insmod ${KREG_MODULE:-/vm/module.ko} $as_it_was"
} >"$loader"
if [ -x /vm/busybox ]; then
	chmod 755 "$loader"
	echo "$loader" >/proc/sys/kernel/modprobe
	expect yes "the first that opens the node loads the module" sh -c "exec 3<>$node"
	echo "$modprobe" >/proc/sys/kernel/modprobe
	expect yes "unloaded after that" unload_soon
fi
rm -f "$node" "$loader"
expect no "there is no minor 256" load minor=256
expect yes "loaded with any minor" load minor=255
expect yes "unloaded with any minor" unload_soon
expect yes "loaded with its own again" reload

exec 3<>/dev/kreg
expect no "refused while a client is open" unload
exec 3>&-
expect yes "unloaded after the client was closed" unload_soon
expect yes "loaded after that" reload

"$dir/parked" make left 10
result $? "a table is left by its process"
expect no "refused while a parked table exists" unload
"$dir/parked" remove left
result $? "the table is removed"
expect yes "unloaded after the table was removed" unload_soon
expect yes "loaded once more" reload

# Its owner is dead, its memory perhaps still there.
"$dir/parked" leave large $((50000 / ${KREG_TEST_SHRINK:-1}))
result $? "a large table dies with its process"
expect yes "unloaded while or after it is freed" unload_soon
expect yes "loaded after a large table" reload

i=0
while [ $i -lt 10 ] && unload_soon && reload; do i=$((i + 1)); done
[ $i = 10 ]
result $? "unloaded and loaded ten times"

"$dir/parked" linger left 3
result $? "objects linger in a table that goes"
visitors 1 & first=$!
visitors 2 & second=$!
while kill -0 $first 2>/dev/null || kill -0 $second 2>/dev/null; do
	if unload 2>/dev/null; then reload; fi
done
wait
[ -c /dev/kreg ] || reload
expect yes "unloaded between its users' calls" unload_soon
expect yes "loaded at the end" reload
expect yes "nothing is left of them" counters_are_zero

echo "1..$n"
[ $failed = 0 ]
